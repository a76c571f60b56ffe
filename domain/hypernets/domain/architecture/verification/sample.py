"""Architectures checked one by one: all of them, or a stratified sample."""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.decider import decide
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.architecture.graph import LayerGraph, Shape, each_shape
from hypernets.domain.architecture.verification.option import number_of, strata_of
from hypernets.domain.architecture.verification.shape_pass import ShapePass
from hypernets.domain.architecture.verification.value import Fault, Unknown
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["Judge", "StratifiedSample", "minimised"]

_SAMPLES = 2_000


class Judge:
    """Says whether one architecture can be built.

    Attributes:
        unknown: reasons why a shape could not be told.
    """

    def __init__(self, frozen: FrozenSpace, data: Mapping[int, Shape]) -> None:
        self._frozen = frozen
        self._data = data
        self.unknown: dict[str, None] = {}

    def fault(self, architecture: Architecture) -> Fault | None:
        """Return why an architecture cannot be built, or `None`."""
        reason = _build_failure(architecture)
        if reason is None and not self._data:
            return None
        shapes = ShapePass(self._frozen, 1_000, self._data, architecture.values)
        (found,) = shapes.table.values(shapes.run())
        if isinstance(found, Fault):
            return found
        if isinstance(found, Unknown):
            self.unknown[found.reason] = None
            return None
        return None if reason is None else Fault(-1, "", (), reason)


def _build_failure(architecture: Architecture) -> str | None:
    try:
        graph = architecture.graph
        for node in graph:
            node.shape  # noqa: B018 - inferred when read
        return _shared_failure(graph)
    except BuildError as error:
        return str(error)


def _shared_failure(graph: LayerGraph) -> str | None:
    first: dict[str, tuple[str, Any]] = {}
    for node in graph:
        if node.name == node.weights and node.name not in first:
            inputs = tuple(s for name in node.inputs for s in each_shape(graph[name].shape))
            first[node.name] = (node.name, node.count_weights(inputs) if inputs else None)
    for node in graph:
        if node.name == node.weights:
            continue
        inputs = tuple(s for name in node.inputs for s in each_shape(graph[name].shape))
        weights = node.count_weights(inputs)
        other, known = first.setdefault(node.weights, (node.name, weights))
        if known != weights:
            return (
                f"a layer that is used at several places must be given shapes that suit the same "
                f"weights; received {inputs} at {node.name!r}, other than at {other!r}"
            )
    return None


class StratifiedSample:
    """Random architectures that cover every value of every decision, and every pair of values.

    As far as there are architectures with them, and the number of samples allows.
    """

    def __init__(self, frozen: FrozenSpace, limit: int, seed: int) -> None:
        self._frozen = frozen
        self._rng = random.Random(seed)  # noqa: S311 - no secret
        self._most = min(limit, _SAMPLES)
        self._options = [strata_of(decision) for decision in frozen.decisions]
        self._values: set[tuple[int, int]] = set()
        self._pairs: set[tuple[int, int, int, int]] = set()

    def __iter__(self) -> Iterator[Architecture]:
        """Iterate over the architectures."""
        left = self._most
        targets = itertools.chain(
            ({rank: n} for rank, found in enumerate(self._options) for n in range(len(found))),
            self._open_pairs(),
        )
        for target in targets:
            if left <= 0:
                return
            if self._covers(target):
                continue
            left -= 1
            architecture = self._drawn(target)
            self._note(architecture)
            yield architecture

    @property
    def values_covered(self) -> float:
        """Share of the values that have occurred."""
        return len(self._values) / max(1, sum(map(len, self._options)))

    @property
    def pairs_covered(self) -> float:
        """Share of the pairs of values that have occurred."""
        sizes = [len(found) for found in self._options]
        total = sum(a * b for a, b in itertools.combinations(sizes, 2))
        return len(self._pairs) / max(1, total) if total else 1.0

    def _open_pairs(self) -> Iterator[dict[int, int]]:
        for (a, first), (b, second) in itertools.combinations(enumerate(self._options), 2):
            for i, j in itertools.product(range(len(first)), range(len(second))):
                yield {a: i, b: j}

    def _covers(self, target: Mapping[int, int]) -> bool:
        if len(target) == 1:
            return next(iter(target.items())) in self._values
        (a, i), (b, j) = target.items()
        return (a, i, b, j) in self._pairs

    def _drawn(self, target: Mapping[int, int]) -> Architecture:
        ranks = self._frozen.ranks

        def choose(decision: Decision) -> Any:
            rank = ranks[decision.index]
            if rank in target:
                return self._options[rank][target[rank]]
            return decision.sample(self._rng)

        return decide(self._frozen, choose)

    def _note(self, architecture: Architecture) -> None:
        found = []
        for rank, value in enumerate(architecture.values):
            if value is not UNDECIDED:
                number = number_of(self._options[rank], value)
                if number is not None:
                    found.append((rank, number))
        self._values.update(found)
        self._pairs.update((a, i, b, j) for (a, i), (b, j) in itertools.combinations(found, 2))


def minimised(
    frozen: FrozenSpace, architecture: Architecture, fails: Callable[[Architecture], bool]
) -> dict[int, Any]:
    """Return those decisions of a failing architecture that cannot be changed without curing it.

    Each is left out if the fault stays for its other values (at most 64 of them) and for some
    random values of all that has been left out.

    Returns:
        Rank of the decision → its value.
    """
    fixed = {
        rank: value for rank, value in enumerate(architecture.values) if value is not UNDECIDED
    }
    rng = random.Random(0)  # noqa: S311 - no secret
    for rank in sorted(fixed, reverse=True):
        rest = {other: value for other, value in fixed.items() if other != rank}
        trials = [{rank: value} for value in strata_of(frozen.decisions[rank])] + [{}] * 8
        if all(_still_fails(frozen, {**rest, **trial}, rng, fails) for trial in trials):
            fixed = rest
    return fixed


def _still_fails(
    frozen: FrozenSpace,
    fixed: Mapping[int, Any],
    rng: random.Random,
    fails: Callable[[Architecture], bool],
) -> bool:
    def choose(decision: Decision) -> Any:
        rank = frozen.ranks[decision.index]
        return fixed[rank] if rank in fixed else decision.sample(rng)

    try:
        return fails(decide(frozen, choose))
    except SpaceError:
        return True
