"""The values of a decision that a verification tells apart."""

from typing import Any

from hypernets.domain.architecture.verification.diagram import TooLargeError
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["first_value", "number_of", "options_of", "strata_of"]

_STRATA = 64  # values of one decision that are covered on purpose; the others are left to chance


def options_of(decision: Decision, limit: int) -> list[Any]:
    """Return the values of a decision; of a continuous one, both ends and the middle.

    Raises:
        TooLargeError: there are more than `limit`.
    """
    if not decision.is_finite:
        low, high = decision.low, decision.high  # type: ignore[attr-defined]  # only Real is
        return [low, (low + high) / 2, high]
    if decision.size > limit:
        raise TooLargeError
    return [decision.value_at(number) for number in range(int(decision.size))]


def first_value(decision: Decision) -> Any:
    """Return the first value of a decision, the lowest of a continuous one."""
    return decision.value_at(0) if decision.is_finite else options_of(decision, 1)[0]


def strata_of(decision: Decision) -> list[Any]:
    """Return the values of a decision, or some of them from end to end where there are many."""
    if not decision.is_finite or decision.size <= _STRATA:
        return options_of(decision, _STRATA)
    size = int(decision.size)
    return [decision.value_at(i * (size - 1) // (_STRATA - 1)) for i in range(_STRATA)]


def number_of(options: list[Any], value: Any) -> int | None:
    """Return the place of a value among some, `None` where it is none of them."""
    for number, option in enumerate(options):
        if option is value or (type(option) is type(value) and option == value):
            return number
    return None
