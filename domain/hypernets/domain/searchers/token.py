"""Decisions as tokens: every decision takes one of a few numbers, as a controller says them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from hypernets.domain.architecture.codec.unit_interval import from_unit, to_unit
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.space.hyperparameter import Decision, Real

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["n_tokens", "token_of", "tokens_of", "value_of"]

_MOST = 32  # values of a decision that have a token each
_SEGMENTS = 10  # tokens of any other decision: equal parts of its range


def n_tokens(decision: Decision) -> int:
    """Return how many tokens a decision has: one a value, or, of more than 32, one a tenth."""
    return int(decision.size) if _is_listed(decision) else _SEGMENTS


def value_of(decision: Decision, token: int, rng: np.random.Generator) -> Any:
    """Return the value of a token; of a tenth of a range, any in it."""
    if _is_listed(decision):
        return decision.value_at(token)
    if isinstance(decision, Real) and not decision.is_finite:
        return from_unit(decision, min((token + rng.random()) / _SEGMENTS, 1.0))
    size = int(decision.size)
    low, high = token * size // _SEGMENTS, (token + 1) * size // _SEGMENTS
    # a decision may have more values than 64 bits can number
    return decision.value_at(low + min(int(rng.random() * (high - low)), high - low - 1))


def token_of(decision: Decision, value: Any) -> int:
    """Return the token that stands for a value."""
    if isinstance(decision, Real) and not decision.is_finite:
        return min(int(to_unit(decision, value) * _SEGMENTS), _SEGMENTS - 1)
    number = decision.index_of(value)
    if _is_listed(decision):
        return number
    return min((number + 1) * _SEGMENTS - 1, int(decision.size) * _SEGMENTS - 1) // int(
        decision.size
    )


def tokens_of(architecture: "Architecture") -> list[tuple[int, int]]:
    """Return (rank of the decision, token) of each active decision, in the order of ranks."""
    decisions = architecture.frozen.decisions
    return [
        (rank, token_of(decisions[rank], value))
        for rank, value in enumerate(architecture.values)
        if value is not UNDECIDED
    ]


def _is_listed(decision: Decision) -> bool:
    return bool(decision.is_finite) and decision.size <= _MOST
