"""Partitions of the vertices of a structure into cells, refined until each cell looks alike.

The colour of a vertex is the number of vertices in the cells before its own, so colours of
isomorphic structures correspond, and a cell of one vertex has the colour that is its number.
"""

from collections.abc import Iterable
from typing import Any

from hypernets.domain.architecture.signature.structure import Structure

__all__ = ["Partition", "Refiner", "Trace"]

Trace = tuple[Any, ...]
"""How a refinement went; the same for isomorphic ones, and with an order."""


class Partition:
    """The colours of the vertices, and the cells by colour."""

    __slots__ = ("cells", "colours")

    def __init__(self, colours: list[int], cells: dict[int, list[int]]) -> None:
        self.colours = colours
        self.cells = cells

    @property
    def is_discrete(self) -> bool:
        """Whether every vertex has a cell of its own."""
        return len(self.cells) == len(self.colours)

    def copy(self) -> "Partition":
        """Return a partition of its own; the cells are replaced, never changed."""
        return Partition(self.colours[:], self.cells.copy())


class Refiner:
    """Refines partitions of one structure."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._uses = structure.uses()

    def initial(self, digests: list[bytes]) -> Partition:
        """Return the coarsest stable partition that tells different digests apart."""
        partition = Partition([0] * len(digests), {})
        alike: dict[bytes, list[int]] = {}
        for vertex, digest in enumerate(digests):
            alike.setdefault(digest, []).append(vertex)
        start = 0
        for digest in sorted(alike):
            self._set(partition, start, alike[digest])
            start += len(alike[digest])
        self._refine(partition, range(len(digests)))
        return partition

    def individualised(
        self, partition: Partition, vertex: int, limit: Trace | None = None
    ) -> tuple[Partition, Trace] | None:
        """Return the partition with a vertex put before its cell, refined, and how that went.

        `None` as soon as it is known to go by a greater trace than `limit`.
        """
        refined = partition.copy()
        colour = partition.colours[vertex]
        rest = [other for other in partition.cells[colour] if other != vertex]
        self._set(refined, colour, [vertex])
        self._set(refined, colour + 1, rest)
        trace = self._refine(refined, [vertex, *rest], limit)
        return None if trace is None else (refined, trace)

    @staticmethod
    def _set(partition: Partition, colour: int, cell: list[int]) -> None:
        partition.cells[colour] = cell
        for vertex in cell:
            partition.colours[vertex] = colour

    def _refine(
        self, partition: Partition, changed: Iterable[int], limit: Trace | None = None
    ) -> Trace | None:
        """Split cells until all vertices of one have neighbours of the same colours."""
        trace: list[Any] = []
        while changed:
            splits = []
            for colour in sorted(self._touched(partition, changed)):
                parts = self._parts(partition, colour)
                trace.append((colour, [(key, len(cell)) for key, cell in parts]))
                if limit is not None:
                    place = len(trace) - 1
                    if place == len(limit) or trace[place] > limit[place]:
                        return None
                    if trace[place] < limit[place]:
                        limit = None
                if len(parts) > 1:
                    splits.append((colour, parts))
            changed = self._split(partition, splits)
        return tuple(trace)

    def _split(
        self, partition: Partition, splits: list[tuple[int, list[tuple[Any, list[int]]]]]
    ) -> list[int]:
        """Make parts cells of their own; return the vertices whose colours that changes."""
        moved: list[int] = []
        for colour, parts in splits:
            start = colour
            for _, cell in parts:
                self._set(partition, start, cell)
                if start != colour:
                    moved.extend(cell)
                start += len(cell)
        return moved

    def _touched(self, partition: Partition, changed: Iterable[int]) -> set[int]:
        """Return the colours of the cells of several vertices that are next to a changed one."""
        structure, colours, cells = self._structure, partition.colours, partition.cells
        near: set[int] = set()
        for vertex in changed:
            near.update(structure.ordered[vertex])
            near.update(structure.unordered[vertex])
            near.update([user for _, user in self._uses[vertex]])
        touched = {colours[vertex] for vertex in near}
        return {colour for colour in touched if len(cells[colour]) > 1}

    def _parts(self, partition: Partition, colour: int) -> list[tuple[Any, list[int]]]:
        """Return the vertices of a cell by the colours of their neighbours, in a fixed order."""
        structure, colours = self._structure, partition.colours
        parts: dict[Any, list[int]] = {}
        for vertex in partition.cells[colour]:
            key = (
                tuple([colours[source] for source in structure.ordered[vertex]]),
                tuple(sorted([colours[source] for source in structure.unordered[vertex]])),
                tuple(sorted([(colours[user], slot) for slot, user in self._uses[vertex]])),
            )
            parts.setdefault(key, []).append(vertex)
        return sorted(parts.items())
