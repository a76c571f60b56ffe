"""Decisions without effect: whatever they are, the network is the same."""

import random
from collections.abc import Iterable
from typing import Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.decider import decide
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace
from hypernets.domain.space.hyperparameter import Cascade, Decision, Dynamic, ParameterSpace

__all__ = ["without_effect"]

_SAMPLES = 6  # architectures in which a decision is varied
_VALUES = 4  # values that are tried in each
_LAYERS = 100_000  # of all the networks whose signatures are compared


def without_effect(frozen: FrozenSpace, seed: int) -> tuple[str, ...]:
    """Return the labels of decisions that change no signature, as far as samples show.

    Arguments of the training are left out: they never change the signature. So are, in very large
    networks, the last decisions, which are not tested.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    samples = list(_samples(frozen, rng))
    training = _of_training(frozen)
    signatures = _Signatures()
    found: list[str] = []
    for rank, decision in enumerate(frozen.decisions):
        if rank in training or _matters(frozen, rank, samples, rng, signatures):
            continue
        found.append(decision.label)
    return tuple(found)


def _samples(frozen: FrozenSpace, rng: random.Random) -> Iterable[Architecture]:
    for _ in range(_SAMPLES):
        try:
            yield decide(frozen, lambda decision: decision.sample(rng))
        except SpaceError:  # an op cannot choose: there is no such architecture
            continue


class _Signatures:
    """Signatures, as long as they take no more than a few seconds in all."""

    def __init__(self) -> None:
        self.left = _LAYERS

    def of(self, architecture: Architecture) -> str:
        try:
            self.left -= 1 + len(architecture.graph)
            return architecture.signature
        except BuildError as error:
            return str(error)


def _matters(
    frozen: FrozenSpace,
    rank: int,
    samples: list[Architecture],
    rng: random.Random,
    signatures: _Signatures,
) -> bool:
    """Say whether a change of a decision changes a signature; also where it was not varied."""
    varied = False
    for sample in samples:
        if sample.values[rank] is UNDECIDED:
            continue
        varied = True
        before: str | None = None
        for other in _varied(frozen, rank, sample, rng):
            if signatures.left <= 0:
                return True
            before = before or signatures.of(sample)
            if signatures.of(other) != before:
                return True
    return not varied


def _varied(
    frozen: FrozenSpace, rank: int, sample: Architecture, rng: random.Random
) -> Iterable[Architecture]:
    decision = frozen.decisions[rank]
    if decision.is_finite:
        size = int(decision.size)
        numbers = range(size) if size <= _VALUES else rng.sample(range(size), _VALUES)
        values = [decision.value_at(number) for number in numbers]
    else:
        values = [decision.sample(rng) for _ in range(_VALUES)]
    for value in values:

        def choose(asked: Decision, value: Any = value) -> Any:
            if asked is decision:
                return value
            known = sample.values[frozen.ranks[asked.index]]
            return asked.sample(rng) if known is UNDECIDED else known

        try:
            yield decide(frozen, choose)
        except SpaceError:
            continue


def _of_training(frozen: FrozenSpace) -> set[int]:
    """Return the ranks of the decisions that the training reads."""
    found: set[int] = set()
    stack: list[Any] = list(frozen.training.parameters)
    seen: set[int] = set()
    while stack:
        parameter = stack.pop()
        if not isinstance(parameter, ParameterSpace) or parameter.index in seen:
            continue
        seen.add(parameter.index)
        found.add(frozen.ranks[parameter.index])
        if isinstance(parameter, (Dynamic, Cascade)):
            stack.extend(parameter.dependencies.values())
    for cascade in frozen.space.hyperparameters:
        if isinstance(cascade, Cascade) and cascade.index in seen:  # what it may return
            position = len(frozen.nodes) + cascade.index
            for ins in frozen.certainty.equations[position].alternatives:
                found.update(frozen.ranks[i - len(frozen.nodes)] for i in ins)
    return found - {-1}
