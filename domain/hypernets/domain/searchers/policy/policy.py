"""What a policy gradient needs of a policy; and a table of probabilities, the simplest one."""

import itertools
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Policy", "TabularPolicy", "softmax"]

Array = npt.NDArray[np.float64]
Token = tuple[int, int]
"""Rank of a decision, and which of its tokens."""


class Policy(Protocol):
    """Probabilities of the tokens of each decision, given those that were said before.

    Attributes:
        parameters: name → array; whoever learns changes them in place.
    """

    parameters: dict[str, Array]

    def begin(self) -> Any:
        """Return the state before the first decision."""

    def probabilities(self, state: Any, rank: int) -> tuple[Array, Any]:
        """Return `(n_tokens,)` the probabilities of a decision's tokens, and the state there."""

    def say(self, state: Any, token: Token) -> Any:
        """Return the state after a token."""

    def gradients(self, sequence: Sequence[Token], by_logits: Sequence[Array]) -> dict[str, Array]:
        """Return the gradients of the parameters, given those of the logits at each step."""


class TabularPolicy:
    """Probabilities that do not depend on what was decided before: a softmax for each decision.

    Args:
        sizes: number of tokens of each decision.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int).tolist()
        self._places = [slice(a, b) for a, b in itertools.pairwise(starts)]
        self.parameters = {"logits": np.zeros(starts[-1])}

    def begin(self) -> None:
        """Return the state before the first decision: there is none."""

    def probabilities(self, state: None, rank: int) -> tuple[Array, None]:
        """Return `(n_tokens,)` the probabilities of a decision's tokens."""
        return softmax(self.parameters["logits"][self._places[rank]]), None

    def say(self, state: None, token: Token) -> None:
        """Return the state after a token: there is none."""

    def gradients(self, sequence: Sequence[Token], by_logits: Sequence[Array]) -> dict[str, Array]:
        """Return the gradients of the parameters, given those of the logits at each step."""
        total = np.zeros_like(self.parameters["logits"])
        for (rank, _), gradient in zip(sequence, by_logits, strict=True):
            total[self._places[rank]] += gradient
        return {"logits": total}


def softmax(logits: Array) -> Array:
    """Return the probabilities of logits."""
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())
