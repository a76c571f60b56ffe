"""The hyperparameter that stands for a decision which has kept some of its values."""

import itertools
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.algebra.subset import Interval, Options, Points, Subset
from hypernets.domain.space.hyperparameter import (
    Choice,
    Constant,
    Decision,
    Int,
    MultipleChoice,
    ParameterSpace,
    Real,
)

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["LISTED_LIMIT", "Maker", "constant", "narrowed"]

Maker = Callable[["HyperSpace"], ParameterSpace]
"""Makes a hyperparameter in a space."""

LISTED_LIMIT = 100_000
"""More values than this are not listed one by one."""


def narrowed(decision: Decision, subset: Subset, where: str) -> Maker | None:
    """Return what makes the hyperparameter of a subset, `None` where all values are kept.

    An `Int` or a `Real` stays one where what it keeps is evenly spaced. What is left of any other
    decision, and of these, is a `Choice` in the order of the values, so that equal subsets make
    equal spaces however they were written.

    Raises:
        SpaceError: the subset is empty, or too large to be listed.
    """
    if isinstance(subset, Interval):
        assert isinstance(decision, Real)
        return _interval(decision, subset)
    if isinstance(subset, Points):
        return _choice(decision, _required(subset.values, decision, where))
    if isinstance(subset, Options):
        assert isinstance(decision, MultipleChoice)
        return _options(decision, _required(subset.positions, decision, where))
    return _some(decision, _required(subset.numbers, decision, where), where)


def constant(decision: Decision, value: Any) -> Maker:
    """Return what makes a decision one value."""
    return lambda space: Constant(value, name=decision.name, space=space)


def _required(values: Sequence[Any], decision: Decision, where: str) -> Sequence[Any]:
    if not values:
        raise SpaceError(
            f"{where}: at least one value must be left; received a choice of none out of "
            f"{decision.describe()}; keep one"
        )
    return values


def _choice(decision: Decision, values: Sequence[Any]) -> Maker:
    if len(values) == 1:
        return constant(decision, values[0])
    return lambda space: Choice(values, name=decision.name, space=space)


def _interval(decision: Real, kept: Interval) -> Maker | None:
    if (kept.low, kept.high) == (decision.low, decision.high):
        return None
    if kept.low == kept.high:
        return constant(decision, kept.low)
    return lambda space: Real(
        kept.low, kept.high, prior=decision.prior, name=decision.name, space=space
    )


def _options(decision: MultipleChoice, positions: Sequence[int]) -> Maker | None:
    if len(positions) == len(decision.options):
        return None
    options = [decision.options[position] for position in positions]
    if len(options) == 1:
        return constant(decision, options)
    most = min(decision.max_chosen_num, len(options))
    return lambda space: MultipleChoice(options, most, name=decision.name, space=space)


def _some(decision: Decision, numbers: Sequence[int], where: str) -> Maker | None:
    first, last = numbers[0], numbers[-1]
    stride = _stride(numbers)
    if first == last:
        return constant(decision, decision.value_at(first))
    if stride == 1 and last - first + 1 == decision.size:
        return None
    if stride and isinstance(decision, Int):
        low, high = decision.value_at(first), decision.value_at(last)
        step = decision.step * stride
        return lambda space: Int(low, high, step, name=decision.name, space=space)
    if stride and isinstance(decision, Real):
        values = [decision.value_at(number) for number in numbers]
        width = float(Decimal(repr(decision.step)) * stride)
        if _is_grid(values, width):
            return _stepped(decision, values, width)
    count = (last - first) // stride + 1 if stride else len(numbers)
    if count > LISTED_LIMIT:
        raise SpaceError(
            f"{where}: what is left must be a range of numbers, or at most {LISTED_LIMIT:,} "
            f"values; received {count:,} out of {decision.describe()}; keep fewer"
        )
    return _choice(decision, [decision.value_at(number) for number in numbers])


def _stride(numbers: Sequence[int]) -> int:
    """Return the distance of neighbours where all have the same, 1 for a single number, else 0."""
    if isinstance(numbers, range):
        return numbers.step
    if len(numbers) == 1:
        return 1
    stride = numbers[1] - numbers[0]
    even = all(b - a == stride for a, b in itertools.pairwise(numbers))
    return stride if even else 0


def _is_grid(values: Sequence[float], step: float) -> bool:
    """Say whether a `Real` in these steps has just these values."""
    first, distance = Decimal(repr(values[0])), Decimal(repr(step))
    return all(float(first + place * distance) == value for place, value in enumerate(values))


def _stepped(decision: Real, values: Sequence[float], step: float) -> Maker:
    low, high, prior = values[0], values[-1], decision.prior
    return lambda space: Real(low, high, step, prior, name=decision.name, space=space)
