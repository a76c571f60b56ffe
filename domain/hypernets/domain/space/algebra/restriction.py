"""Restricting, fixing and excluding: what each decision keeps, and the space of that."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.algebra.address import addressed
from hypernets.domain.space.algebra.narrowing import LISTED_LIMIT, Maker, constant, narrowed
from hypernets.domain.space.algebra.replica import replica
from hypernets.domain.space.algebra.subset import Numbers, Options, Subset, subset_of
from hypernets.domain.space.hyperparameter import Decision, MultipleChoice

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["exclude", "fix", "restrict"]

_LONGEST = 60  # letters of what is said of one decision in the name of a space


def restrict(space: "HyperSpace", decisions: Any, named: Mapping[str, Any]) -> "HyperSpace":
    """Return the space of some values (see `SpaceAlgebra.restrict`)."""

    def keep(decision: Decision, given: Any, where: str) -> Maker | None:
        return narrowed(decision, subset_of(decision, given, where), where)

    return _made(space, "restrict", decisions, named, keep, _kept)


def fix(space: "HyperSpace", decisions: Any, named: Mapping[str, Any]) -> "HyperSpace":
    """Return the space of one value of each (see `SpaceAlgebra.fix`)."""

    def make(decision: Decision, given: Any, where: str) -> Maker | None:
        try:
            return constant(decision, decision.normalise(given))
        except SpaceError as error:
            raise SpaceError(f"{where}: {error}") from None

    return _made(space, "fix", decisions, named, make, lambda value: f"= {value!r}")


def exclude(space: "HyperSpace", decisions: Any, named: Mapping[str, Any]) -> "HyperSpace":
    """Return the space of the other values (see `SpaceAlgebra.exclude`)."""

    def leave_out(decision: Decision, given: Any, where: str) -> Maker | None:
        if not decision.is_finite:
            raise SpaceError(
                f"{where}: values can be left out of a finite decision only; received "
                f"{decision.describe()}, a continuous range; use restrict with (low, high)"
            )
        rest = _rest(decision, subset_of(decision, given, where), where)
        return narrowed(decision, rest, where)

    return _made(space, "exclude", decisions, named, leave_out, lambda given: f"not {_kept(given)}")


def _made(
    space: "HyperSpace",
    verb: str,
    decisions: Any,
    named: Mapping[str, Any],
    maker: Callable[[Decision, Any, str], Maker | None],
    told: Callable[[Any], str],
) -> "HyperSpace":
    makers: dict[int, Maker] = {}
    names = [space.name]
    for key, decision, given in addressed(space, verb, decisions, named):
        made = maker(decision, given, f"{verb}, {key!r}")
        if made is not None:
            makers[decision.index] = made
        text = told(given)
        names.append(f"{key} {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}")
    return replica(space, makers, ", ".join(names))


def _kept(given: Any) -> str:
    if isinstance(given, tuple):
        return f"in {given[0]!r} to {given[1]!r}"
    if isinstance(given, (set, frozenset)):
        return f"in [{', '.join(sorted(map(repr, given)))}]"
    return f"in {list(given)!r}"


def _rest(decision: Decision, left_out: Subset, where: str) -> Subset:
    """Return the values that are not in a subset of a finite decision."""
    if isinstance(left_out, Options):
        assert isinstance(decision, MultipleChoice)
        positions = range(len(decision.options))
        return Options(tuple(p for p in positions if p not in left_out.positions))
    assert isinstance(left_out, Numbers)
    return Numbers(_others(decision, left_out.numbers, where))


def _others(decision: Decision, numbers: Sequence[int], where: str) -> Sequence[int]:
    size = int(decision.size)
    if not numbers:
        return range(size)
    start, stop = numbers[0], numbers[-1] + 1
    if stop - start == len(numbers) and (start == 0 or stop == size):  # a range at an end
        return range(stop, size) if start == 0 else range(start)
    if size > LISTED_LIMIT:
        raise SpaceError(
            f"{where}: a decision must have at most {LISTED_LIMIT:,} values for some to be left "
            f"out of their midst; received {decision.describe()}; use restrict with what is to "
            "be kept"
        )
    gone = frozenset(numbers)
    return tuple(number for number in range(size) if number not in gone)
