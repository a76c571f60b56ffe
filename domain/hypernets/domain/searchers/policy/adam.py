"""Adam, in numpy."""

from collections.abc import Mapping

import numpy as np

from hypernets.domain.searchers.policy.policy import Array

__all__ = ["Adam"]


class Adam:
    """Changes parameters in place, against a gradient.

    Args:
        parameters: name → array.
        learning_rate: length of a step.

    References:
        Kingma & Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.
    """

    def __init__(self, parameters: Mapping[str, Array], learning_rate: float) -> None:
        self._parameters = parameters
        self._learning_rate = learning_rate
        self._means = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._squares = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._n_steps = 0

    def step(self, gradients: Mapping[str, Array]) -> None:
        """Take one step that makes smaller what the gradients are of."""
        self._n_steps += 1
        length = self._learning_rate * (1.0 - 0.999**self._n_steps) ** 0.5
        length /= 1.0 - 0.9**self._n_steps
        for name, gradient in gradients.items():
            mean, square = self._means[name], self._squares[name]
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            self._parameters[name][...] -= length * mean / (np.sqrt(square) + 1e-8)
