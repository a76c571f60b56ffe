"""The smallest numbering of a structure, by individualisation and refinement.

Where refinement leaves several vertices in a cell, each of them is tried in turn as the first of
it; of all numberings found so, the smallest is the canonical one. Automorphisms, found where two
tries turn out alike, spare the tries that they map to one made before.

References:
    McKay & Piperno (2014), "Practical graph isomorphism, II". Automorphisms are read early, from
    two partitions that need not be discrete, as in Darga, Sakallah & Markov (2008), "Faster
    symmetry discovery using sparsity of symmetries".
"""

from typing import Any

import attrs

from hypernets.domain.architecture.signature.partition import Partition, Refiner, Trace
from hypernets.domain.architecture.signature.structure import Structure

__all__ = ["smallest_numbering"]

Automorphism = dict[int, int]
"""The vertices that an automorphism moves → where to."""


def smallest_numbering(structure: Structure) -> list[bytes]:
    """Return labels and edges by the smallest numbering, equal exactly if isomorphic."""
    return _Search(structure).run()


@attrs.define(slots=True, eq=False)
class _Level:
    """A partition that is not discrete, whose vertices of one cell are tried in turn."""

    partition: Partition
    path: tuple[int, ...]  # the vertices that were put first on the way here
    untried: list[int]  # in reverse
    tried: list[int] = attrs.field(factory=list)
    made: dict[int, Partition] = attrs.field(factory=dict)  # what trying a vertex comes to
    last: Partition | None = None  # what the last try came to that was as good as the best
    known: int = 0  # number of automorphisms taken into account
    orbits: dict[int, int] = attrs.field(factory=dict)  # vertex → one of its orbit, to the root


class _Search:
    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._refiner = Refiner(structure)
        self._uses = structure.uses()
        self._automorphisms: list[Automorphism] = []
        self._levels: list[_Level] = []
        self._best_traces: list[Trace] = []
        self._best: list[Any] | None = None
        self._best_leaf: Partition | None = None
        self._best_path: tuple[int, ...] = ()

    def run(self) -> list[bytes]:
        start = self._refiner.initial(self._structure.labels)
        self._reach(start, ())
        while self._levels:
            level = self._levels[-1]
            vertex = self._next(level)
            if vertex is None:
                self._levels.pop()
            else:
                self._try(level, vertex)
        assert self._best is not None
        assert self._best_leaf is not None
        labels = [self._structure.labels[vertex] for vertex in _numbered(self._best_leaf)]
        return [*labels, repr(self._best).encode()]

    def _reach(self, partition: Partition, path: tuple[int, ...]) -> None:
        """Go on from a partition: number the vertices, or open a level."""
        if partition.is_discrete:
            self._finish(partition, path)
            return
        cells = [cell for cell in partition.cells.items() if len(cell[1]) > 1]
        _, cell = min(cells, key=lambda item: (len(item[1]), item[0]))
        level = _Level(partition, path, cell[::-1])
        if len(self._levels) == len(self._best_traces):
            self._survey(level)
        self._levels.append(level)

    def _survey(self, level: _Level) -> None:
        """Refine the tries of a level that is new, and keep those with the smallest trace.

        Where tries differ, this finds the way before anything is searched below it. Where the first
        two are alike, the others likely are, and automorphisms found below will spare them.
        """
        smallest: Trace | None = None
        differ = False
        while (differ or len(level.made) < 2) and (vertex := self._next(level)) is not None:
            level.tried.append(vertex)
            found = self._refiner.individualised(level.partition, vertex, smallest)
            if found is None or found[1] != smallest:
                differ = smallest is not None
            if found is None:
                continue
            partition, trace = found
            if trace != smallest:
                smallest = trace
                level.made.clear()
            elif level.last is not None and self._swaps(level.last, partition):
                level.last = partition
                continue
            level.made[vertex] = level.last = partition
        assert smallest is not None
        self._best_traces.append(smallest)
        level.untried.extend(reversed(level.made))
        level.tried.clear()

    def _next(self, level: _Level) -> int | None:
        """Return a vertex that no automorphism maps to one tried before."""
        while level.untried:
            vertex = level.untried.pop()
            self._update_orbits(level)
            mine = _root(level.orbits, vertex)
            if all(_root(level.orbits, other) != mine for other in level.tried):
                return vertex
        return None

    def _update_orbits(self, level: _Level) -> None:
        for automorphism in self._automorphisms[level.known :]:
            if automorphism.keys().isdisjoint(level.path):
                for vertex, image in automorphism.items():
                    level.orbits[_root(level.orbits, vertex)] = _root(level.orbits, image)
        level.known = len(self._automorphisms)

    def _try(self, level: _Level, vertex: int) -> None:
        level.tried.append(vertex)
        partition = level.made.get(vertex)
        if partition is None:
            depth = len(self._levels) - 1
            best = self._best_traces[depth]
            found = self._refiner.individualised(level.partition, vertex, best)
            if found is None:
                return
            partition, trace = found
            if trace < best:
                self._best_traces[depth:] = [trace]
                self._best = None
            elif level.last is not None and self._swaps(level.last, partition):
                level.last = partition
                return
            level.last = partition
        self._reach(partition, (*level.path, vertex))

    def _finish(self, leaf: Partition, path: tuple[int, ...]) -> None:
        """Take a numbering of all vertices in."""
        edges = self._edges(leaf)
        if self._best is None or self._best_leaf is None or edges < self._best:
            self._best, self._best_leaf, self._best_path = edges, leaf, path
        elif edges == self._best:
            moved = zip(_numbered(self._best_leaf), _numbered(leaf), strict=True)
            self._automorphisms.append({one: other for one, other in moved if one != other})
            self._back_up(path)

    def _back_up(self, path: tuple[int, ...]) -> None:
        """Leave what the last automorphism maps to where the best numbering was found."""
        common = 0
        while path[common] == self._best_path[common]:
            common += 1
        del self._levels[common + 1 :]

    def _edges(self, leaf: Partition) -> list[Any]:
        number, structure = leaf.colours, self._structure
        return [
            (
                [number[source] for source in structure.ordered[vertex]],
                sorted([number[source] for source in structure.unordered[vertex]]),
            )
            for vertex in _numbered(leaf)
        ]

    def _swaps(self, one: Partition, other: Partition) -> bool:
        """Say whether two tries differ by an automorphism that is easily read; note it."""
        moved: Automorphism = {}
        for colour, cell in one.cells.items():
            if len(cell) == 1 and len(other.cells.get(colour, ())) == 1:
                source, target = cell[0], other.cells[colour][0]
                if source != target:
                    moved[source] = target
        for source, target in [*moved.items()]:
            moved.setdefault(target, source)
        if not moved or not self._is_automorphism(moved):
            return False
        self._automorphisms.append(moved)
        return True

    def _is_automorphism(self, moved: Automorphism) -> bool:
        if set(moved.values()) != moved.keys():
            return False
        structure = self._structure
        affected = {*moved, *(user for vertex in moved for _, user in self._uses[vertex])}
        for vertex in affected:
            image = moved.get(vertex, vertex)
            ordered = tuple([moved.get(i, i) for i in structure.ordered[vertex]])
            unordered = sorted([moved.get(i, i) for i in structure.unordered[vertex]])
            if (
                structure.labels[vertex] != structure.labels[image]
                or ordered != structure.ordered[image]
                or unordered != sorted(structure.unordered[image])
            ):
                return False
        return True


def _numbered(leaf: Partition) -> list[int]:
    """Return the vertices by their number."""
    return [leaf.cells[number][0] for number in range(len(leaf.colours))]


def _root(orbits: dict[int, int], vertex: int) -> int:
    while (parent := orbits.get(vertex, vertex)) != vertex:
        vertex = parent
    return vertex
