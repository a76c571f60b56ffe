"""From left to right: the order of each row of a drawing, with few crossings of edges.

An edge over several rows passes through a *bend* in each of them; the edges of one vertex share
their bends. The order follows barycentres, down and up in turns, and the best one seen is kept.
Source: Sugiyama, Tagawa & Toda (1981), "Methods for Visual Understanding of Hierarchical System
Structures", the barycentre method.
"""

from collections.abc import Sequence
from itertools import pairwise

import attrs

from hypernets.domain.architecture.drawing.layering import Layering

__all__ = ["Ordering", "ordering_of"]

_SWEEPS = 12


@attrs.frozen(slots=True)
class Ordering:
    """Rows of items: the vertices, and after them the bends.

    Attributes:
        rows: the items of each row, from left to right.
        row_of: by item, its row.
        links: pairs of items of neighbouring rows, the upper one first.
        bends: `(vertex, row)` → the bend of its edges in that row.
        sides: by bend that passes a frame, -1 if to the left of it and 1 if to the right.
    """

    rows: tuple[tuple[int, ...], ...]
    row_of: tuple[int, ...]
    links: tuple[tuple[int, int], ...]
    bends: dict[tuple[int, int], int]
    sides: dict[int, int]

    def route(self, source: int, target: int) -> list[int]:
        """Return the items that an edge goes through, its ends included."""
        first, last = self.row_of[source], self.row_of[target]
        return [source, *(self.bends[source, row] for row in range(first + 1, last)), target]


def ordering_of(
    layering: Layering, edges: Sequence[tuple[int, int]], groups: Sequence[Sequence[int]]
) -> Ordering:
    """Return the order of each row."""
    row_of = list(layering.rows)
    bends: dict[tuple[int, int], int] = {}
    links: dict[tuple[int, int], None] = {}
    sides: dict[int, int] = {}
    group_of = {i: g for g, members in enumerate(groups) for i in members}
    side_of: dict[int, int] = {}
    for a, b in edges:
        above = a
        for row in range(layering.rows[a] + 1, layering.rows[b]):
            bend = bends.get((a, row))
            if bend is None:
                bend = bends[a, row] = len(row_of)
                row_of.append(row)
                band = layering.band_at(row)
                if band is not None and band != group_of.get(a):
                    sides[bend] = side_of.setdefault(a, -1 if len(side_of) % 2 else 1)
            links[above, bend] = None
            above = bend
        links[above, b] = None
    rows: list[list[int]] = [[] for _ in range(layering.height)]
    for item, row in enumerate(row_of):
        rows[row].append(item)
    ordered = _sweep(rows, list(links), row_of, sides)
    return Ordering(tuple(map(tuple, ordered)), tuple(row_of), tuple(links), bends, sides)


def _sweep(
    rows: list[list[int]],
    links: Sequence[tuple[int, int]],
    row_of: Sequence[int],
    sides: dict[int, int],
) -> list[list[int]]:
    above: list[list[int]] = [[] for _ in row_of]
    below: list[list[int]] = [[] for _ in row_of]
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    place = [0.0] * len(row_of)

    def number(row: list[int]) -> None:
        for position, item in enumerate(row):
            place[item] = position / max(len(row) - 1, 1) if len(row) > 1 else 0.5

    def arrange(row: list[int], neighbours: list[list[int]]) -> None:
        wish = {
            i: sum(place[j] for j in neighbours[i]) / len(neighbours[i])
            if neighbours[i]
            else place[i]
            for i in row
        }
        row.sort(key=lambda i: (sides.get(i, 0), wish[i]))
        number(row)

    for row in rows:
        row.sort(key=lambda i: sides.get(i, 0))
        number(row)
    best, fewest = [row[:] for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            arrange(row, above if downwards else below)
        found = _crossings(rows, below)
        if found < fewest:
            best, fewest = [row[:] for row in rows], found
    return best


def _crossings(rows: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """Return how many pairs of links cross."""
    found = 0
    for upper, lower in pairwise(rows):
        position = {item: k for k, item in enumerate(lower)}
        ends = [k for item in upper for k in sorted(position[j] for j in below[item])]
        found += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return found
