"""Items of a drawing that stand on one vertical line, and how blocks of them push each other.

Chains and long edges are blocks, so that they are drawn straight. Two items become parts of one
block only where the orders of the rows allow it.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from hypernets.domain.architecture.drawing.ordering import Ordering

__all__ = ["Blocks"]


class Blocks:
    """The blocks of an ordering, known by numbers.

    Attributes:
        of: by item, its block.
        right: by block, the blocks right of it and how far away they must stand.
        left: by block, likewise to the left.
        linked: by block, the blocks that it is linked with, and how strongly.
        free: the blocks that stand in rows; the others pass beside a frame.
    """

    def __init__(
        self,
        ordering: Ordering,
        count: int,
        rows: Sequence[Sequence[int]],
        gaps: Sequence[Sequence[float]],
        band_of: Sequence[int | None],
    ) -> None:
        self._parent = list(range(len(ordering.row_of)))
        self._after: list[set[int]] = [set() for _ in ordering.row_of]
        for row in rows:
            for a, b in pairwise(row):
                self._after[a].add(b)
        for a, b in _straight(ordering, count):
            if band_of[ordering.row_of[a]] == band_of[ordering.row_of[b]]:  # a frame moves as one
                self._join(a, b)
        items = range(len(ordering.row_of))
        self.of = [self._root(i) for i in items]
        self.free = [b for b in items if self.of[b] == b and b not in ordering.sides]
        self.right: list[dict[int, float]] = [{} for _ in items]
        self.left: list[dict[int, float]] = [{} for _ in items]
        for row, gap in zip(rows, gaps, strict=True):
            for a, b, distance in zip(row, row[1:], gap, strict=False):
                first, second = self.of[a], self.of[b]
                distance = max(distance, self.right[first].get(second, 0.0))
                self.right[first][second] = self.left[second][first] = distance
        self.linked: list[list[tuple[int, float]]] = [[] for _ in items]
        # what passes a frame follows it: if it drew what is within, the frame would grow and grow
        within = [link for link in ordering.links if not ordering.sides.keys() & link]
        pairs = Counter((self.of[a], self.of[b]) for a, b in within)
        for (first, second), weight in pairs.items():
            if first != second:
                self.linked[first].append((second, float(weight)))
                self.linked[second].append((first, float(weight)))

    def start(self) -> list[float]:
        """Return places of all blocks that keep the distances: between far left and right."""
        order = self._order()
        low = [0.0] * len(self.of)
        for block in order:
            for other, distance in self.right[block].items():
                low[other] = max(low[other], low[block] + distance)
        width = max(low, default=0.0)
        high = [width] * len(self.of)
        for block in reversed(order):
            for other, distance in self.left[block].items():
                high[other] = min(high[other], high[block] - distance)
        return [(a + b) / 2 for a, b in zip(low, high, strict=True)]

    def pushed(self, x: Sequence[float], block: int, by: float) -> dict[int, float]:
        """Return the new places of a block that moves and of all that it pushes ahead."""
        found = {block: x[block] + by}
        ahead, sign = (self.right, 1) if by > 0 else (self.left, -1)
        pending = [block]
        while pending:
            current = pending.pop()
            for other, distance in ahead[current].items():
                limit = found[current] + sign * distance
                if sign * (limit - found.get(other, x[other])) > 1e-9:
                    found[other] = limit
                    pending.append(other)
        return found

    def _root(self, item: int) -> int:
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def _join(self, a: int, b: int) -> None:
        """Make one block of two, unless one must stand left of the other."""
        first, second = sorted((self._root(a), self._root(b)))
        if not self._reaches(first, second) and not self._reaches(second, first):
            self._parent[second] = first
            self._after[first] |= self._after[second]

    def _reaches(self, start: int, goal: int) -> bool:
        seen = {start}
        pending = [start]
        while pending:
            for item in self._after[pending.pop()]:
                block = self._root(item)
                if block == goal:
                    return True
                if block not in seen:
                    seen.add(block)
                    pending.append(block)
        return False

    def _order(self) -> list[int]:
        """Return the free blocks, each after those left of it."""
        waits = {block: len(self.left[block]) for block in self.free}
        ready = [block for block, number in waits.items() if not number]
        order = []
        while ready:
            block = ready.pop()
            order.append(block)
            for other in self.right[block]:
                waits[other] -= 1
                if not waits[other]:
                    ready.append(other)
        return order


def _straight(ordering: Ordering, count: int) -> list[tuple[int, int]]:
    """Return the links that are better straight: within long edges first, then within chains."""
    above = Counter(b for _, b in ordering.links)
    below = Counter(a for a, _ in ordering.links)
    within = [
        (a, b) for a, b in ordering.links if a not in ordering.sides and b not in ordering.sides
    ]
    bends = [(a, b) for a, b in within if a >= count and b >= count]
    chains = [(a, b) for a, b in within if below[a] == 1 and above[b] == 1]
    return bends + [link for link in chains if link not in bends]
