"""Trials in the order of their rewards, kept as they come in."""

import bisect

__all__ = ["Ranking"]

Entry = tuple[float, int]

_LARGEST_CHUNK = 1_000


class Ranking:
    """Positions in the order of a cost, the smallest first; of equal ones, the older first.

    Entries stand in chunks of bounded size, so that adding moves few of them, however many there
    are: it costs two searches by bisection, and now and then the division of a chunk. One thread
    may add while others read: what is read is as it was at some moment of the reading.
    """

    def __init__(self) -> None:
        self._chunks: list[list[Entry]] = [[]]  # never empty ones, but for the first
        self._firsts: list[Entry] = []  # of the chunks after the first
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def add(self, cost: float, position: int) -> bool:
        """Take a finite cost in; return whether it is the smallest now."""
        entry = (cost, position)
        at = bisect.bisect_right(self._firsts, entry)
        chunk = self._chunks[at]
        bisect.insort(chunk, entry)
        self._n += 1
        if len(chunk) > _LARGEST_CHUNK:
            self._divide(at)
        return at == 0 and self._chunks[0][0] == entry

    def first(self) -> int | None:
        """Return the position of the smallest cost, or `None` when there is none."""
        chunk = self._chunks[0]
        return chunk[0][1] if chunk else None

    def top(self, k: int) -> list[int]:
        """Return the positions of the `k` smallest costs, fewer if there are not as many."""
        found: list[int] = []
        for chunk in self._chunks:
            if len(found) >= k:
                break
            found += [position for _, position in chunk[: k - len(found)]]
        return found

    def _divide(self, at: int) -> None:
        # lists of their own: whoever reads the former ones meanwhile misses and repeats nothing
        chunk = self._chunks[at]
        half = len(chunk) // 2
        halves = [chunk[:half], chunk[half:]]
        self._firsts = [*self._firsts[:at], chunk[half], *self._firsts[at:]]
        self._chunks = [*self._chunks[:at], *halves, *self._chunks[at + 1 :]]
