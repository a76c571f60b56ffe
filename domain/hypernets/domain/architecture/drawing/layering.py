"""In which row of a drawing each vertex stands.

Rows follow the longest path. The rows of a group hold nothing else, so that a frame can be put
around them; a vertex that could stand earlier stands right before the first that it feeds, so that
edges are short.
"""

from collections.abc import Sequence

import attrs

from hypernets.domain.architecture.drawing.grouping import blocks_in_order

__all__ = ["Band", "Layering", "layering_of"]


@attrs.frozen(slots=True)
class Band:
    """The rows of a group, `first` and `last` included."""

    first: int
    last: int


@attrs.frozen(slots=True)
class Layering:
    """Rows, numbered from 0 at the top.

    Attributes:
        rows: by vertex, its row.
        bands: by group, its rows.
    """

    rows: tuple[int, ...]
    bands: tuple[Band, ...]

    @property
    def height(self) -> int:
        """Number of rows."""
        return max(self.rows, default=-1) + 1

    def band_at(self, row: int) -> int | None:
        """Return the group whose rows include this one."""
        for group, band in enumerate(self.bands):
            if band.first <= row <= band.last:
                return group
        return None


def layering_of(
    count: int, edges: Sequence[tuple[int, int]], groups: Sequence[Sequence[int]]
) -> Layering:
    """Return the rows of vertices that are numbered in topological order.

    Args:
        count: number of vertices.
        edges: who feeds whom.
        groups: vertices that belong together, nothing between two of them.
    """
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        sources[b].append(a)
        targets[a].append(b)
    number = {members[0]: g for g, members in enumerate(groups)}
    bands = [Band(0, 0)] * len(groups)
    rows = [-1] * count
    placed: list[Band] = []

    def free(row: int, step: int) -> int:
        """Return the next row that belongs to no group."""
        while any(band.first <= row <= band.last for band in placed):
            row += step
        return row

    for block in blocks_in_order(count, edges, groups):
        if block[0] not in number:
            i = block[0]
            rows[i] = free(1 + max((rows[a] for a in sources[i]), default=-1), 1)
            continue
        within, length = _late(block, sources, targets)
        first = max(rows) + 1
        for i in block:
            rows[i] = first + within[i]
        band = Band(first, first + length - 1)
        bands[number[block[0]]] = band
        placed.append(band)
    grouped = {i for members in groups for i in members}
    for i in reversed(range(count)):
        if i not in grouped and targets[i]:
            rows[i] = max(rows[i], free(min(rows[b] for b in targets[i]) - 1, -1))
    return Layering(tuple(rows), tuple(bands))


def _late(
    block: Sequence[int], sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
) -> tuple[dict[int, int], int]:
    """Return the rows of a group, each vertex as late as possible, and how many there are."""
    early: dict[int, int] = {}
    for i in block:
        early[i] = 1 + max((early[a] for a in sources[i] if a in early), default=-1)
    length = max(early.values()) + 1
    late: dict[int, int] = {}
    for i in reversed(block):
        late[i] = min((late[b] for b in targets[i] if b in late), default=length) - 1
    return late, length
