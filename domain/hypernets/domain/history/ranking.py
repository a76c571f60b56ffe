"""Trials in the order of their rewards, kept as they come in."""

import bisect
from itertools import islice

__all__ = ["Ranking"]


class Ranking:
    """Positions in the order of a cost, the smallest first; of equal ones, the older first.

    Adding finds its place in O(log n) comparisons.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, cost: float, position: int) -> bool:
        """Take a finite cost in; return whether it is the smallest now."""
        entry = (cost, position)
        bisect.insort(self._entries, entry)
        return self._entries[0] == entry

    def first(self) -> int | None:
        """Return the position of the smallest cost, or `None` when there is none."""
        return self._entries[0][1] if self._entries else None

    def top(self, k: int) -> list[int]:
        """Return the positions of the `k` smallest costs, fewer if there are not as many."""
        return [position for _, position in islice(self._entries, k)]
