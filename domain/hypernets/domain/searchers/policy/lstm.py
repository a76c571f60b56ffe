"""A recurrent controller: an LSTM that says one decision after the other."""

import itertools
from collections.abc import Sequence

import attrs
import numpy as np

from hypernets.domain.searchers.policy.policy import Array, Token, softmax

__all__ = ["LstmPolicy"]


@attrs.frozen
class _Step:
    """The state after a step, and what its gradient needs.

    Attributes:
        token: column of the token that was put in.
        hidden: `(n_units,)` what the step put out.
        cell: `(n_units,)` what it remembers.
        gates: `(4, n_units)` input, forget, candidate and output gate.
        before: the state before; `None` for the first.
    """

    token: int
    hidden: Array
    cell: Array
    gates: Array
    before: "_Step | None"


class LstmPolicy:
    """An LSTM whose input is the last token, with a softmax for each decision on its output.

    At each decision the last token said (a start symbol at first) is embedded and put in; the
    output times the matrix of the decision gives the logits of its tokens.

    Args:
        sizes: number of tokens of each decision.
        n_units: units of the LSTM, and length of an embedding.
        rng: draws the parameters, uniformly from -0.1 to 0.1; forget gates begin open (bias 1).

    References:
        Zoph & Le (2017), "Neural architecture search with reinforcement learning", section 3;
        Hochreiter & Schmidhuber (1997), "Long short-term memory"; the order of gates is Keras's.
    """

    def __init__(self, sizes: Sequence[int], n_units: int, rng: np.random.Generator) -> None:
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int).tolist()
        self._places = [slice(a, b) for a, b in itertools.pairwise(starts)]
        self._start = starts[-1]  # column of the start symbol
        shapes = {
            "embedding": (self._start + 1, n_units),
            "kernel": (n_units, 4 * n_units),
            "recurrent": (n_units, 4 * n_units),
            "bias": (4 * n_units,),
            "output": (n_units, self._start),
            "output_bias": (self._start,),
        }
        self.parameters = {name: rng.uniform(-0.1, 0.1, shape) for name, shape in shapes.items()}
        self.parameters["bias"][:] = 0.0
        self.parameters["bias"][n_units : 2 * n_units] = 1.0
        self.parameters["output_bias"][:] = 0.0
        self._zeros = np.zeros(n_units)

    def begin(self) -> tuple[int, None]:
        """Return the state before the first decision: what will be put in, and nothing before."""
        return (self._start, None)

    def probabilities(
        self, state: "tuple[int, _Step | None] | _Step", rank: int
    ) -> tuple[Array, _Step]:
        """Return `(n_tokens,)` the probabilities of a decision's tokens, and the state there."""
        assert isinstance(state, tuple)
        step = self._step(*state)
        place = self._places[rank]
        parameters = self.parameters
        logits = step.hidden @ parameters["output"][:, place] + parameters["output_bias"][place]
        return softmax(logits), step

    def say(self, state: _Step, token: Token) -> tuple[int, _Step]:
        """Return the state after a token."""
        rank, number = token
        return (self._places[rank].start + number, state)

    def gradients(self, sequence: Sequence[Token], by_logits: Sequence[Array]) -> dict[str, Array]:
        """Return the gradients of the parameters, given those of the logits at each step."""
        parameters = self.parameters
        total = {name: np.zeros_like(value) for name, value in parameters.items()}
        steps: list[_Step] = []
        put_in: tuple[int, _Step | None] = self.begin()
        for token in sequence:
            steps.append(self._step(*put_in))
            put_in = self.say(steps[-1], token)
        by_hidden, by_cell = np.zeros_like(self._zeros), np.zeros_like(self._zeros)
        for (rank, _), step, gradient in zip(
            reversed(sequence), reversed(steps), reversed(by_logits), strict=True
        ):
            place = self._places[rank]
            total["output"][:, place] += np.outer(step.hidden, gradient)
            total["output_bias"][place] += gradient
            by_hidden = by_hidden + parameters["output"][:, place] @ gradient
            by_gates, by_cell = self._back(step, by_hidden, by_cell)
            hidden = self._zeros if step.before is None else step.before.hidden
            total["kernel"] += np.outer(parameters["embedding"][step.token], by_gates)
            total["recurrent"] += np.outer(hidden, by_gates)
            total["bias"] += by_gates
            total["embedding"][step.token] += parameters["kernel"] @ by_gates
            by_hidden = parameters["recurrent"] @ by_gates
        return total

    def _step(self, token: int, before: _Step | None) -> _Step:
        parameters = self.parameters
        hidden = self._zeros if before is None else before.hidden
        cell = self._zeros if before is None else before.cell
        raw = parameters["embedding"][token] @ parameters["kernel"] + parameters["bias"]
        raw = (raw + hidden @ parameters["recurrent"]).reshape(4, -1)
        gates = 1.0 / (1.0 + np.exp(-raw))
        gates[2] = np.tanh(raw[2])
        cell = gates[1] * cell + gates[0] * gates[2]
        return _Step(token, gates[3] * np.tanh(cell), cell, gates, before)

    def _back(self, step: _Step, by_hidden: Array, by_cell: Array) -> tuple[Array, Array]:
        """Return the gradients by the gates' sums, and by the cell of the step before."""
        entering, forget, candidate, leaving = step.gates
        cell_before = self._zeros if step.before is None else step.before.cell
        bounded = np.tanh(step.cell)
        by_cell = by_cell + by_hidden * leaving * (1.0 - bounded**2)
        by_gates = np.concatenate(
            [
                by_cell * candidate * entering * (1.0 - entering),
                by_cell * cell_before * forget * (1.0 - forget),
                by_cell * entering * (1.0 - candidate**2),
                by_hidden * bounded * leaving * (1.0 - leaving),
            ]
        )
        return by_gates, by_cell * forget
