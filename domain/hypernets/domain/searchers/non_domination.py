"""Which of several points are better when there is more than one objective. Smaller is better."""

import numpy as np
import numpy.typing as npt

__all__ = ["crowding_distances", "non_domination_ranks"]

Array = npt.NDArray[np.float64]


def non_domination_ranks(points: Array) -> npt.NDArray[np.int64]:
    """Return the rank of each point, `(n,)`: 0 for those that none dominates, and so on.

    A point dominates another one where it is nowhere larger and somewhere smaller. Those of rank 1
    are dominated by points of rank 0 alone, and so on.

    Args:
        points: `(n, n_objectives)`.

    References:
        Deb, Pratap, Agarwal & Meyarivan (2002), "A fast and elitist multiobjective genetic
        algorithm: NSGA-II", section III.A.
    """
    no_larger = np.all(points[:, None, :] <= points[None, :, :], axis=2)
    smaller = np.any(points[:, None, :] < points[None, :, :], axis=2)
    dominates: npt.NDArray[np.bool_] = np.logical_and(no_larger, smaller)
    ranks = np.full(len(points), -1, dtype=np.int64)
    left = np.ones(len(points), dtype=bool)
    rank = 0
    while left.any():
        front = left & ~dominates[left].any(axis=0)
        ranks[front] = rank
        left &= ~front
        rank += 1
    return ranks


def crowding_distances(points: Array) -> Array:
    """Return how far each point of a front is from its neighbours, `(n,)`; ends are infinite.

    The sum over objectives of the gap between the neighbours on either side, as a share of the
    front's extent.

    Args:
        points: `(n, n_objectives)`, those of one rank.

    References:
        Deb et al. (2002), section III.B.
    """
    distances = np.zeros(len(points))
    for values in points.T:
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        extent = float(ordered[-1] - ordered[0])
        distances[order[[0, -1]]] = np.inf
        if extent > 0.0:
            distances[order[1:-1]] += (ordered[2:] - ordered[:-2]) / extent
    return distances
