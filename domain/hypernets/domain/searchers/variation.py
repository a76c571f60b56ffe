"""New architectures out of known ones: mutation, crossover, neighbourhood.

All of them change decisions and let the space decide the rest: what still applies stays as it was,
and what becomes active newly is drawn at random.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hypernets.domain.architecture.codec.unit_interval import from_unit, to_unit
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.space.hyperparameter import Choice, Decision, MultipleChoice, Real

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["crossover", "is_ordered", "mutate", "neighbours"]

_LISTED = 32  # alternatives of a decision that all count as neighbours; of more, a few near ones
_STEPS = (0.02, 0.1, 0.3)  # of a continuous decision, as parts of its range
_FAR = 0.5  # how often a mutation of a number draws it anew, rather than moves it


def mutate(architecture: "Architecture", rng: np.random.Generator) -> "Architecture":
    """Return an architecture with one active decision changed, drawn uniformly.

    A decision without order takes any other value. A number moves (a normal step, whose width is
    drawn from 0.02 to 0.3 of the range) or is drawn anew, one as often as the other. A subset gains
    or loses one option. The only architecture of a space is returned as it is.
    """
    active = architecture.active
    if not active:
        return architecture
    decision = active[int(rng.integers(len(active)))]
    rank = architecture.frozen.ranks[decision.index]
    return _changed(architecture, rank, _other_value(decision, architecture.values[rank], rng), rng)


def crossover(
    one: "Architecture", other: "Architecture", rng: np.random.Generator
) -> "Architecture":
    """Return an architecture that has each decision from one of two parents, at random.

    What only one of them has is taken from that one, what none has is drawn.
    """
    ranks = one.frozen.ranks

    def choose(decision: Decision) -> Any:
        rank = ranks[decision.index]
        values = [v for v in (one.values[rank], other.values[rank]) if v is not UNDECIDED]
        if not values:
            return decision.sample(rng)
        return values[int(rng.integers(len(values)))]

    return one.frozen.decide(choose)


def neighbours(architecture: "Architecture", rng: np.random.Generator) -> "Iterator[Architecture]":
    """Yield the architectures that differ in one active decision, in a random order.

    All values of a decision with at most 33 are tried, and of a larger or continuous one a few
    steps to either side. A change that makes other decisions active draws these once.
    """
    changes = [
        (architecture.frozen.ranks[decision.index], value)
        for decision in architecture.active
        for value in _alternatives(
            decision, architecture.values[architecture.frozen.ranks[decision.index]], rng
        )
    ]
    for place in rng.permutation(len(changes)).tolist():
        rank, value = changes[place]
        yield _changed(architecture, rank, value, rng)


def is_ordered(decision: Decision) -> bool:
    """Say whether near values of a decision are likely to be alike: a range of numbers."""
    return not isinstance(decision, (Choice, MultipleChoice))


def _changed(
    architecture: "Architecture", rank: int, value: Any, rng: np.random.Generator
) -> "Architecture":
    values, ranks = architecture.values, architecture.frozen.ranks

    def choose(decision: Decision) -> Any:
        at = ranks[decision.index]
        if at == rank:
            return value
        known = values[at]
        return decision.sample(rng) if known is UNDECIDED else known

    return architecture.frozen.decide(choose)


def _other_value(decision: Decision, value: Any, rng: np.random.Generator) -> Any:
    if isinstance(decision, Real) and not decision.is_finite:
        return _moved_real(decision, value, rng)
    size = int(decision.size)
    if isinstance(decision, MultipleChoice):
        return _toggled(decision, value, rng)
    number = decision.index_of(value)
    if is_ordered(decision) and size > 4 and rng.random() >= _FAR:
        step = max(1, round(abs(rng.normal()) * _width(rng) * size))
        step = step if rng.random() < 0.5 else -step
        moved = min(max(number + step, 0), size - 1)
        if moved != number:
            return decision.value_at(moved)
    # any other one: a Python integer, for a decision may have more values than 64 bits can number
    drawn = decision.index_of(decision.sample(rng)) if size > 1 << 50 else _below(size - 1, rng)
    return decision.value_at(drawn + (size <= 1 << 50 and drawn >= number))


def _below(n: int, rng: np.random.Generator) -> int:
    return int(rng.integers(n))


def _width(rng: np.random.Generator) -> float:
    return float(0.02 * (0.3 / 0.02) ** rng.random())


def _moved_real(decision: Real, value: float, rng: np.random.Generator) -> float:
    if rng.random() < _FAR:
        return float(decision.sample(rng))
    unit = to_unit(decision, value) + rng.normal() * _width(rng)
    return from_unit(decision, _reflected(unit))


def _reflected(unit: float) -> float:
    """Return a number of the unit interval: one beyond an end as far within it."""
    unit = abs(unit) % 2.0
    return 2.0 - unit if unit > 1.0 else unit


def _toggled(decision: MultipleChoice, value: Sequence[Any], rng: np.random.Generator) -> Any:
    """Return a subset with one option more or less, or one exchanged where neither may be."""
    chosen = {decision.index_of([option]) for option in value}
    place = _below(len(decision.options), rng)
    most = decision.max_chosen_num or len(decision.options)
    changed = chosen ^ {place}
    if not changed or len(changed) > most:
        kept = sorted(chosen - {place})
        changed = {*kept[1:], place} if place not in chosen else {(place + 1) % _size(decision)}
    return [decision.options[k] for k in sorted(changed)]


def _size(decision: MultipleChoice) -> int:
    return len(decision.options)


def _alternatives(decision: Decision, value: Any, rng: np.random.Generator) -> list[Any]:
    if isinstance(decision, Real) and not decision.is_finite:
        unit = to_unit(decision, value)
        places = [unit + sign * step for step in _STEPS for sign in (-1, 1)]
        return [from_unit(decision, place) for place in places if 0.0 <= place <= 1.0]
    size, number = int(decision.size), decision.index_of(value)
    if size - 1 <= _LISTED:
        return [decision.value_at(k) for k in range(size) if k != number]
    if is_ordered(decision):
        steps = sorted({max(1, round(step * size)) for step in _STEPS} | {1})
        near = [number + sign * step for step in steps for sign in (-1, 1)]
        return [decision.value_at(k) for k in near if 0 <= k < size]
    if isinstance(decision, MultipleChoice):
        return _one_apart(decision, value)
    others = {decision.index_of(decision.sample(rng)) for _ in range(_LISTED)} - {number}
    return [decision.value_at(k) for k in sorted(others)]


def _one_apart(decision: MultipleChoice, value: Sequence[Any]) -> list[Any]:
    chosen = {decision.index_of([option]) for option in value}
    most = decision.max_chosen_num or len(decision.options)
    sets = [chosen ^ {place} for place in range(len(decision.options))]
    sets = [each for each in sets if 0 < len(each) <= most]
    if not sets:  # one option of many: each other one
        sets = [{place} for place in range(len(decision.options)) if place not in chosen]
    return [[decision.options[k] for k in sorted(each)] for each in sets]
