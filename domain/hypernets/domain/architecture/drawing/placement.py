"""How far from the left each item of a drawing stands, its order given.

Each block of items wishes to stand at the mean of what it is linked with. It moves there, pushing
others ahead, as long as that makes the links shorter in the sense of least squares.
"""

from collections.abc import Sequence
from itertools import pairwise

from hypernets.domain.architecture.drawing.block import Blocks
from hypernets.domain.architecture.drawing.ordering import Ordering

__all__ = ["placement_of"]

_SWEEPS = 30
_NODE_GAP = 18.0
_BEND_GAP = 13.0
_FRAME_GAP = 25.0  # from the outermost vertex of a group to an edge that passes its frame
_ENOUGH = 0.5  # pixels
_EFFORT = 200_000  # moves tried at most: a drawing of many hundred layers must not take a minute


def placement_of(
    ordering: Ordering, widths: Sequence[float], groups: Sequence[Sequence[int]]
) -> list[float]:
    """Return the horizontal centre of each item.

    Args:
        ordering: the items in their rows.
        widths: by vertex, its width.
        groups: vertices around which a frame is put.
    """
    # what passes a frame stands beside it: it takes no place in its row
    rows = [[i for i in row if i not in ordering.sides] for row in ordering.rows]
    band_of: list[int | None] = [None] * len(rows)
    for group, members in enumerate(groups):
        for row in range(*_rows_of(ordering, members)):
            band_of[row] = group
    blocks = Blocks(ordering, len(widths), rows, [_gaps(row, widths) for row in rows], band_of)
    x = blocks.start()
    frames = _Frames(ordering, widths, groups, blocks)
    frames.place(x)
    effort = 0
    for sweep in range(_SWEEPS):
        moved = 0.0
        for block in blocks.free if sweep % 2 == 0 else reversed(blocks.free):
            by, tried = _move(x, block, blocks)
            moved = max(moved, by)
            effort += tried
            if effort > _EFFORT:
                break
        frames.place(x)
        if moved < _ENOUGH or effort > _EFFORT:
            break
    return [x[block] for block in blocks.of]


def _rows_of(ordering: Ordering, members: Sequence[int]) -> tuple[int, int]:
    """Return the first row of a group and the one after its last."""
    rows = [ordering.row_of[i] for i in members]
    return min(rows), max(rows) + 1


def _gaps(row: Sequence[int], widths: Sequence[float]) -> list[float]:
    """Return the least distances of neighbours in a row."""
    count = len(widths)
    return [
        sum(widths[i] / 2 for i in pair if i < count)
        + (_NODE_GAP if max(pair) < count else _BEND_GAP)
        for pair in pairwise(row)
    ]


def _move(x: list[float], block: int, blocks: Blocks) -> tuple[float, int]:
    """Move a block towards its wish as far as that helps.

    Returns:
        How far it moved, and how many moves of blocks were tried.
    """
    weight = sum(w for _, w in blocks.linked[block])
    if not weight:
        return 0.0, 1
    by = sum(w * x[other] for other, w in blocks.linked[block]) / weight - x[block]
    tried = 1
    while abs(by) > _ENOUGH / 2:
        places = blocks.pushed(x, block, by)
        tried += len(places)
        if _change(x, places, blocks) < -1e-6:
            for moved, place in places.items():
                x[moved] = place
            return abs(by), tried
        by /= 2
    return 0.0, tried


def _change(x: Sequence[float], places: dict[int, float], blocks: Blocks) -> float:
    """Return by how much the squares of all links grow when blocks move to new places."""
    change = 0.0
    for block, place in places.items():
        for other, weight in blocks.linked[block]:
            share = weight / 2 if other in places else weight
            before, after = x[block] - x[other], place - places.get(other, x[other])
            change += share * (after * after - before * before)
    return change


class _Frames:
    """Keeps the frames above each other, and what passes one beside it, on a straight line."""

    def __init__(
        self,
        ordering: Ordering,
        widths: Sequence[float],
        groups: Sequence[Sequence[int]],
        blocks: Blocks,
    ) -> None:
        self._of = blocks.of
        self._widths = widths
        self._frames: list[tuple[list[int], dict[tuple[int, int], list[int]]]] = []
        for members in groups:
            within = range(*_rows_of(ordering, members))
            bends = {b: a for (a, row), b in ordering.bends.items() if row in within}
            inner = [*members, *(b for b in bends if b not in ordering.sides)]
            passing: dict[tuple[int, int], list[int]] = {}
            for bend, source in bends.items():
                if bend in ordering.sides:
                    passing.setdefault((ordering.sides[bend], source), []).append(bend)
            self._frames.append((inner, passing))

    def place(self, x: list[float]) -> None:
        for inner, passing in self._frames:
            spans = [
                (x[self._of[i]], self._widths[i] / 2 if i < len(self._widths) else 0.0)
                for i in inner
            ]
            left = min(centre - half for centre, half in spans)
            right = max(centre + half for centre, half in spans)
            for block in {self._of[i] for i in inner}:
                x[block] -= (left + right) / 2
            left, right = (left - right) / 2, (right - left) / 2
            places = {-1: left - _FRAME_GAP, 1: right + _FRAME_GAP}
            # a later source turns off first, so it stands nearest
            for side, source in sorted(passing, reverse=True):
                for bend in passing[side, source]:
                    x[bend] = places[side]
                places[side] += side * _BEND_GAP
