"""The neighbourhood of some architectures, as a space."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec.unit_interval import from_unit, to_unit
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.error import SpaceError
from hypernets.domain.space.algebra.adoption import adopt
from hypernets.domain.space.algebra.narrowing import LISTED_LIMIT, Maker, narrowed
from hypernets.domain.space.algebra.replica import replica
from hypernets.domain.space.algebra.subset import Interval, Numbers, Options, Subset, is_numeric
from hypernets.domain.space.hyperparameter import Choice, Decision, MultipleChoice, Real
from hypernets.domain.space.hyperparameter.number import is_integer
from hypernets.domain.space.operation import InputChoice, Optional, Or

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["refine"]


def refine(
    space: "HyperSpace", architectures: Any, radius: Any, *, fraction: Any, unordered: Any
) -> "HyperSpace":
    """Return the neighbourhood of architectures (see `SpaceAlgebra.refine`)."""
    _check(radius, fraction, unordered)
    given = [_own(space, one) for one in _listed(architectures)]
    places = _places(space)
    makers: dict[int, Maker] = {}
    for rank, decision in enumerate(space.decisions):
        seen = [a.values[rank] for a in given if a.values[rank] is not UNDECIDED]
        ordered = is_numeric(decision) and decision.index not in places
        if not seen or not (ordered or unordered == "seen"):
            continue
        where = f"refine, {decision.name!r}"
        if ordered and not decision.is_finite:
            assert isinstance(decision, Real)
            near: Subset = _interval(decision, seen, float(fraction))
        elif ordered:
            near = Numbers(_numbers_near(decision, seen, int(radius), where))
        else:
            near = _seen(decision, seen)
        maker = narrowed(decision, near, where)
        if maker is not None:
            makers[decision.index] = maker
    count = "an architecture" if len(given) == 1 else f"{len(given)} architectures"
    return replica(space, makers, f"{space.name}, within {radius} of {count}")


def _check(radius: Any, fraction: Any, unordered: Any) -> None:
    if not is_integer(radius) or radius < 0:
        raise SpaceError(
            f"refine: radius must be an integer >= 0; received {radius!r}; write radius=1 for the "
            "neighbours"
        )
    if not hasattr(fraction, "__float__") or not 0.0 <= fraction <= 1.0:
        raise SpaceError(
            f"refine: fraction must be a number from 0 to 1; received {fraction!r}; write "
            "fraction=0.1 for a tenth of the range to either side"
        )
    if unordered not in ("seen", "all"):
        raise SpaceError(
            f"refine: unordered must be 'seen' or 'all'; received {unordered!r}; leave it out for "
            "'seen'"
        )


def _listed(architectures: Any) -> list[Any]:
    if isinstance(architectures, Mapping) or hasattr(architectures, "decisions"):
        return [architectures]
    given = list(architectures) if hasattr(architectures, "__iter__") else []
    if not given:
        raise SpaceError(
            f"refine: at least one architecture must be given; received {architectures!r}; give "
            "history.best, or history.top(5)"
        )
    return given


def _own(space: "HyperSpace", given: Any) -> Architecture:
    architecture = adopt(space, given)
    if architecture is None:
        raise SpaceError(
            f"refine: an architecture must lie in the space; received {given!r}, which does not "
            f"lie in {space.name!r}; refine the space that it is of"
        )
    return architecture


def _places(space: "HyperSpace") -> set[int]:
    """Return the indices of the hyperparameters whose numbers are places, and have no order."""
    choosers = (m for m in space.modules if isinstance(m, (Or, Optional, InputChoice)))
    return {m.selector.index for m in choosers if m.selector is not None}


def _interval(decision: Real, seen: Sequence[float], fraction: float) -> Interval:
    least, most = min(seen), max(seen)
    if not fraction:
        return Interval(least, most)
    low = from_unit(decision, max(to_unit(decision, least) - fraction, 0.0))
    high = from_unit(decision, min(to_unit(decision, most) + fraction, 1.0))
    return Interval(min(low, least), max(high, most))  # however small the fraction


def _numbers_near(
    decision: Decision, seen: Sequence[Any], radius: int, where: str
) -> Sequence[int]:
    """Return the numbers of the values at most `radius` places from one that was seen."""
    numbers = {decision.index_of(value) for value in seen}
    if isinstance(decision, Choice):  # options may stand in any order
        by_size = sorted(range(decision.size), key=lambda number: decision.options[number])
        place = {number: at for at, number in enumerate(by_size)}
        runs = _runs({place[number] for number in numbers}, radius, decision.size)
        return tuple(sorted(by_size[at] for run in runs for at in run))
    runs = _runs(numbers, radius, int(decision.size))
    if len(runs) == 1:
        return runs[0]
    if sum(run[-1] - run[0] + 1 for run in runs) > LISTED_LIMIT:
        raise SpaceError(
            f"{where}: neighbourhoods that lie apart must hold at most {LISTED_LIMIT:,} values; "
            f"received radius={radius} around {len(numbers)} values; make it smaller"
        )
    return tuple(number for run in runs for number in run)


def _runs(numbers: set[int], radius: int, size: int) -> list[range]:
    """Return the ranges around some numbers within `[0, size)`, ascending, merged where they meet.

    Example:
        >>> _runs({1, 3, 9}, 1, 10)
        [range(0, 5), range(8, 10)]
    """
    runs: list[range] = []
    for number in sorted(numbers):
        start, stop = max(number - radius, 0), min(number + radius + 1, size)
        if runs and start <= runs[-1].stop:
            start = runs.pop().start
        runs.append(range(start, stop))
    return runs


def _seen(decision: Decision, seen: Sequence[Any]) -> Subset:
    if isinstance(decision, MultipleChoice):
        positions = {decision.index_of([option]) for value in seen for option in value}
        return Options(tuple(sorted(positions)))
    return Numbers(tuple(sorted({decision.index_of(value) for value in seen})))
