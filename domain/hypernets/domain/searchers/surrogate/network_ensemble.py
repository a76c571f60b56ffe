"""Small neural networks that predict a value, several of them, in numpy."""

import itertools

import numpy as np
import numpy.typing as npt

from hypernets.domain.searchers.policy.adam import Adam

__all__ = ["NetworkEnsemble"]

Array = npt.NDArray[np.float64]

_PENALTY = 1e-3  # of the squared weights


class NetworkEnsemble:
    """Multi-layer perceptrons with two hidden layers; their spread says how certain they are.

    Each is trained on the whole by Adam, from its own first weights and with its own random
    weights of the examples (Bayesian bootstrap), for the squared error and a penalty on weights.

    Args:
        n_inputs: columns.
        rng: draws the first weights and those of the examples.
        n_members: number of networks.
        n_units: of each hidden layer.

    References:
        Lakshminarayanan, Pritzel & Blundell (2017), "Simple and scalable predictive uncertainty
        estimation using deep ensembles"; Rubin (1981), "The Bayesian bootstrap".
    """

    def __init__(
        self, n_inputs: int, rng: np.random.Generator, n_members: int = 4, n_units: int = 48
    ) -> None:
        widths = [n_inputs, n_units, n_units, 1]
        self.parameters: dict[str, Array] = {}
        for layer, (a, b) in enumerate(itertools.pairwise(widths)):
            scale = np.sqrt(2.0 / max(a, 1))
            self.parameters[f"weights_{layer}"] = rng.normal(0.0, scale, (n_members, a, b))
            self.parameters[f"biases_{layer}"] = np.zeros((n_members, 1, b))
        self.parameters["weights_2"] *= 0.1
        self._n_members = n_members
        self._adam = Adam(self.parameters, 0.01)

    def predict(self, inputs: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation over the networks, `(n,)` each."""
        outputs = self._forward(inputs)[-1]
        return outputs.mean(axis=0), outputs.std(axis=0)

    def fit(
        self, inputs: Array, values: Array, n_steps: int, rng: np.random.Generator
    ) -> "NetworkEnsemble":
        """Take some steps towards the values of examples; what was learned before is kept.

        Args:
            inputs: `(n, n_inputs)`.
            values: `(n,)`, of mean about 0 and variance about 1.
            n_steps: steps of Adam, each on all examples.
            rng: draws the weights of the examples.
        """
        shares = rng.exponential(size=(self._n_members, len(values)))
        shares /= shares.sum(axis=1, keepdims=True)
        for _ in range(n_steps):
            self._adam.step(self.gradients(inputs, values, shares))
        return self

    def loss(self, inputs: Array, values: Array, shares: Array) -> float:
        """Return what is made small: squared errors by the shares, and the penalty."""
        outputs = self._forward(inputs)[-1]
        weights = (self.parameters[f"weights_{layer}"] for layer in range(3))
        penalty = 0.5 * _PENALTY * sum(float((w**2).sum()) for w in weights)
        return float((shares * (outputs - values) ** 2).sum()) + penalty

    def gradients(self, inputs: Array, values: Array, shares: Array) -> dict[str, Array]:
        """Return the gradients of `loss` by the parameters."""
        parameters = self.parameters
        x, first, second, outputs = self._forward(inputs)
        by_output = (2.0 * shares * (outputs - values))[:, :, None]
        gradients: dict[str, Array] = {}
        layers = [x, first, second]
        by_layer = by_output
        for layer in (2, 1, 0):
            weights = parameters[f"weights_{layer}"]
            before = layers[layer]
            gradients[f"weights_{layer}"] = before.swapaxes(1, 2) @ by_layer + _PENALTY * weights
            gradients[f"biases_{layer}"] = by_layer.sum(axis=1, keepdims=True)
            if layer:
                by_layer = (by_layer @ weights.swapaxes(1, 2)) * (before > 0.0)
        return gradients

    def _forward(self, inputs: Array) -> tuple[Array, Array, Array, Array]:
        p = self.parameters
        x = np.broadcast_to(inputs, (self._n_members, *inputs.shape))
        first = np.maximum(x @ p["weights_0"] + p["biases_0"], 0.0)
        second = np.maximum(first @ p["weights_1"] + p["biases_1"], 0.0)
        return x, first, second, (second @ p["weights_2"] + p["biases_2"])[:, :, 0]
