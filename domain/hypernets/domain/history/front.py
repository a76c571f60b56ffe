"""The Pareto front of a stream of points, kept as they come in."""

import bisect

__all__ = ["ParetoFront"]

Costs = tuple[float, ...]


class ParetoFront:
    """Positions of the points that no other point dominates.

    One point dominates another if it is nowhere worse and somewhere better, so equal points stand
    side by side. Costs are minimised and finite. Adding to a front of one or two objectives takes
    O(log f) comparisons, to one of more O(f), `f` being the size of the front: neither depends on
    how many points have been seen.
    """

    def __init__(self, n_objectives: int) -> None:
        self._flat = n_objectives <= 2
        # distinct points in lexicographic order, and who has them
        self._points: list[Costs] = []
        self._positions: dict[Costs, list[int]] = {}

    def add(self, costs: Costs, position: int) -> bool:
        """Take a point in; return whether it is on the front."""
        if costs in self._positions:
            self._positions[costs].append(position)
            return True
        joined = self._add_flat(costs) if self._flat else self._add_deep(costs)
        if joined:
            self._positions[costs] = [position]
        return joined

    def positions(self) -> list[int]:
        """Return the positions on the front, the oldest first."""
        return sorted(at for positions in self._positions.values() for at in positions)

    def _add_flat(self, costs: Costs) -> bool:
        # A staircase: along the points the first cost rises and the last one falls, so only the
        # neighbour before can dominate, and those dominated follow in one run.
        points, last = self._points, costs[-1]
        at = bisect.bisect_left(points, costs)
        if at and points[at - 1][-1] <= last:
            return False
        end = at
        while end < len(points) and points[end][-1] >= last:
            del self._positions[points[end]]
            end += 1
        points[at:end] = [costs]
        return True

    def _add_deep(self, costs: Costs) -> bool:
        # distinct points: nowhere worse means somewhere better
        if any(_nowhere_worse(point, costs) for point in self._points):
            return False
        dominated = [point for point in self._points if _nowhere_worse(costs, point)]
        for point in dominated:
            del self._positions[point]
        if dominated:
            self._points = [point for point in self._points if point in self._positions]
        self._points.append(costs)
        return True


def _nowhere_worse(point: Costs, other: Costs) -> bool:
    return all(a <= b for a, b in zip(point, other, strict=True))
