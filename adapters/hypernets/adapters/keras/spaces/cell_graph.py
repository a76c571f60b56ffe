"""The graphs of the cells of NAS-Bench-101: each shape once, in the benchmark's own numbering.

Source: Ying et al. (2019), "NAS-Bench-101: Towards Reproducible Neural Architecture Search",
section 2. Vertex 0 is the cell's input, the last vertex its output, and edges lead from lower to
higher numbers. A graph is *whole* if every vertex is on a path from the input to the output. Other
vertices make no difference to a network, so that whole graphs are all that is needed.

Two graphs that differ only in how the inner vertices are numbered are one shape. The benchmark
keeps that numbering whose matrix, read as a binary number, is the smallest; so does this module.
It matters where channels do not divide evenly: a lower number then gets the channel left over.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, overload

import numpy as np

from hypernets.domain.error import SpaceError

__all__ = ["CellGraphs", "Edges", "sources_of", "vertex_channels", "vertex_count"]

Edges = tuple[tuple[int, int], ...]
"""The edges of a graph, `(from, to)`, sorted by where they lead to."""
_LARGEST = 7  # vertices of the benchmark; one more, and there are 2**28 matrices to look at


class CellGraphs(Sequence[Edges]):
    """All shapes of whole graphs up to a size, by vertices and then in the benchmark's order.

    Args:
        max_vertices: how many vertices a graph may have, input and output included; 2 to 7.
        max_edges: how many edges.

    Raises:
        SpaceError: an argument is out of range.

    Example:
        >>> list(CellGraphs(3, 9))
        [((0, 1),), ((0, 1), (1, 2)), ((0, 1), (0, 2), (1, 2))]
    """

    def __init__(self, max_vertices: int, max_edges: int) -> None:
        if not 2 <= max_vertices <= _LARGEST:
            raise SpaceError(
                f"CellGraphs: max_vertices must be from 2 to {_LARGEST}; received {max_vertices!r}"
            )
        if max_edges < 1:
            raise SpaceError(f"CellGraphs: max_edges must be >= 1; received {max_edges!r}")
        self._graphs, self._position = _shapes(max_vertices, max_edges)

    def __len__(self) -> int:
        return len(self._graphs)

    @overload
    def __getitem__(self, index: int) -> Edges: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Edges]: ...
    def __getitem__(self, index: int | slice) -> "Edges | Sequence[Edges]":
        return self._graphs[index]

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the position of a graph, given as tuples or as lists.

        Raises:
            ValueError: it is none of these.
        """
        try:
            return self._position[tuple(sorted((tuple(edge) for edge in value), key=_target_first))]
        except (KeyError, TypeError, IndexError):
            raise ValueError(f"{value!r} is no graph of these cells") from None


def vertex_count(graph: Edges) -> int:
    """Return the number of vertices of a whole graph."""
    return 1 + max(target for _, target in graph)


def sources_of(graph: Edges, vertex: int) -> list[int]:
    """Return the vertices that lead into one, in order."""
    return [source for source, target in graph if target == vertex]


@lru_cache(maxsize=4096)
def vertex_channels(graph: Edges, channels: int) -> tuple[int, ...]:
    """Return the channels of every vertex of a cell that puts out so many.

    The vertices that lead to the output share its channels, the first of them taking one more each
    where they do not divide evenly; any other has as many as the widest that it leads to. That of
    vertex 0 is not looked at and stands as 0.
    """
    last = vertex_count(graph) - 1
    ends = [source for source in sources_of(graph, last) if source]
    found = [0] * last + [channels]
    for place, vertex in enumerate(ends):
        found[vertex] = channels // len(ends) + (place < channels % len(ends))
    for vertex in range(last - 1, 0, -1):
        if vertex not in ends:
            found[vertex] = max(found[target] for source, target in graph if source == vertex)
    return tuple(found)


@lru_cache(maxsize=16)
def _shapes(max_vertices: int, max_edges: int) -> tuple[tuple[Edges, ...], dict[Edges, int]]:
    found: list[Edges] = []
    for count in range(2, max_vertices + 1):
        seen: set[int] = set()
        for number in _whole_graphs(count, max_edges):
            if number not in seen:
                graph = _edges_of(number, count)
                found.append(graph)
                seen.update(_renumbered(graph, count))
    return tuple(found), {graph: position for position, graph in enumerate(found)}


def _whole_graphs(count: int, max_edges: int) -> list[int]:
    """Return the whole graphs of so many vertices as numbers, ascending."""
    numbers = np.arange(2 ** (count * (count - 1) // 2), dtype=np.int32)
    for vertex in range(count):
        into = sum(1 << _bit(source, vertex) for source in range(vertex))
        out = sum(1 << _bit(vertex, target) for target in range(vertex + 1, count))
        for mask in (into, out):
            if mask:  # the input has nothing before it, the output nothing after it
                numbers = numbers[numbers & mask != 0]
    return [number for number in numbers.tolist() if number.bit_count() <= max_edges]


def _bit(source: int, target: int) -> int:
    """Return the place of an edge in a matrix read as a number."""
    return source + target * (target - 1) // 2


def _target_first(edge: Any) -> tuple[int, int]:
    return edge[1], edge[0]


def _edges_of(number: int, count: int) -> Edges:
    return tuple(
        (source, target)
        for target in range(count)
        for source in range(target)
        if number >> _bit(source, target) & 1
    )


def _renumbered(graph: Edges, count: int) -> Iterator[int]:
    """Yield the number of a graph in every numbering in which its edges lead upwards."""
    before = [set(sources_of(graph, vertex)) for vertex in range(count)]
    stack: list[list[int]] = [[0]]  # the vertices in the order of their new numbers
    while stack:
        order = stack.pop()
        if len(order) == count:
            new = {vertex: place for place, vertex in enumerate(order)}
            yield sum(1 << _bit(new[source], new[target]) for source, target in graph)
            continue
        placed = set(order)
        stack.extend(
            [*order, vertex]
            for vertex in range(count)
            if vertex not in placed and before[vertex] <= placed
        )
