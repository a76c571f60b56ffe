"""Some of the values of a decision, as a user writes them down."""

import math
from collections.abc import Sequence
from typing import Any

import attrs

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter import Choice, Decision, Int, MultipleChoice, Real

__all__ = ["Interval", "Numbers", "Options", "Points", "Subset", "is_numeric", "subset_of"]


@attrs.frozen(slots=True)
class Numbers:
    """Values of a finite decision.

    Attributes:
        numbers: their numbers, ascending, each once; may be empty.
    """

    numbers: Sequence[int]


@attrs.frozen(slots=True)
class Options:
    """The lists of a `MultipleChoice` that are made of some options.

    Attributes:
        positions: of the options, ascending, each once; may be empty.
    """

    positions: tuple[int, ...]


@attrs.frozen(slots=True)
class Interval:
    """A part of a continuous range, both ends included."""

    low: float
    high: float


@attrs.frozen(slots=True)
class Points:
    """Single values of a continuous range.

    Attributes:
        values: ascending, each once; may be empty.
    """

    values: tuple[float, ...]


Subset = Numbers | Options | Interval | Points


def subset_of(decision: Decision, given: Any, where: str) -> Subset:
    """Return the values that a user means.

    Args:
        decision: whose values.
        given: a list of values, or `(low, high)` where values are numbers.
        where: who asks, and for what, for messages.

    Raises:
        SpaceError: a value is none of the decision's, or a range is none.
    """
    if isinstance(given, tuple) and is_numeric(decision):
        return _between(decision, *_bounds(given, where))
    items = _items(given, where, is_numeric(decision))
    try:
        if isinstance(decision, MultipleChoice):
            return _of_lists(decision, items)
        if isinstance(decision, Real) and not decision.is_finite:
            return Points(tuple(sorted({decision.normalise(item) for item in items})))
        return Numbers(tuple(sorted({decision.index_of(item) for item in items})))
    except SpaceError as error:
        raise SpaceError(f"{where}: {error}") from None


def is_numeric(decision: Decision) -> bool:
    """Say whether the values are numbers, so that they have an order and ranges."""
    if isinstance(decision, (Int, Real)):
        return True
    if not isinstance(decision, Choice) or not isinstance(decision.options, tuple):
        return False
    return all(
        hasattr(option, "__float__") and not isinstance(option, (bool, str))
        for option in decision.options
    )


def _items(given: Any, where: str, numeric: bool) -> list[Any]:
    if hasattr(given, "tolist"):  # an array
        given = given.tolist()
    if isinstance(given, (list, range, set, frozenset)):
        return list(given)
    hint = "put the values in [ ]"
    if numeric:
        hint += ", give (low, high) for a range, or use fix for one value"
    raise SpaceError(f"{where}: values must be given as a list; received {given!r}; {hint}")


def _bounds(given: tuple[Any, ...], where: str) -> tuple[Any, Any]:
    if len(given) != 2 or not all(_is_bound(bound) for bound in given):
        raise SpaceError(
            f"{where}: a range must be two finite numbers, (low, high); received {given!r}; "
            "put single values in [ ]"
        )
    low, high = given
    if low > high:
        raise SpaceError(f"{where}: low must be <= high; received {given!r}; swap them")
    return low, high


def _is_bound(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, bool) and math.isfinite(value)


def _between(decision: Decision, low: Any, high: Any) -> Subset:
    """Return the values from `low` to `high`; none if the range lies beside the decision's."""
    if isinstance(decision, Int):
        first = -((decision.low - math.ceil(low)) // decision.step)
        last = (math.floor(high) - decision.low) // decision.step
        return Numbers(range(max(first, 0), min(last, decision.size - 1) + 1))
    if isinstance(decision, Real) and not decision.is_finite:
        low, high = max(float(low), decision.low), min(float(high), decision.high)
        return Interval(low, high) if low <= high else Points(())
    if isinstance(decision, Real) and decision.step is not None:
        slack = 1e-6 * decision.step  # 0.1 * 3 is a little more than 0.3
        low, high = low - slack, high + slack
    values = [decision.value_at(number) for number in range(int(decision.size))]
    return Numbers(tuple(n for n, value in enumerate(values) if low <= value <= high))


def _of_lists(decision: MultipleChoice, items: list[Any]) -> Subset:
    """Return the lists made of some options, or some lists, whichever the items are."""
    try:
        positions = {decision.index_of([item]) for item in items}  # lists of one go first
        return Options(tuple(sorted(positions)))
    except SpaceError:
        return Numbers(tuple(sorted({decision.index_of(item) for item in items})))
