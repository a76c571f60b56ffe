"""Which of several points are better when there is more than one objective. Smaller is better."""

import numpy as np
import numpy.typing as npt

__all__ = ["crowding_distances", "hypervolume", "non_domination_ranks"]

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


def hypervolume(points: Array, reference: Array) -> float:
    """Return the volume that points dominate, up to a reference point.

    Exact, by slices along one objective after another; fast for two objectives, and for a few
    hundred points with three or four. Points beyond the reference add nothing.

    Args:
        points: `(n, n_objectives)`.
        reference: `(n_objectives,)`, the worst point.

    References:
        Zitzler & Thiele (1999), "Multiobjective evolutionary algorithms: a comparative case study
        and the strength Pareto approach", section III.
    """
    points = np.asarray(points, dtype=float).reshape(-1, len(reference))
    points = points[(points < reference).all(axis=1)]
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    ends = [*points[1:, -1].tolist(), float(reference[-1])]
    if points.shape[1] == 2:
        lowest = np.minimum.accumulate(points[:, 0])
        return float(((reference[0] - lowest) * (np.array(ends) - points[:, 1])).sum())
    total = 0.0
    for n, end in enumerate(ends, 1):
        thickness = end - float(points[n - 1, -1])
        if thickness > 0.0:
            total += thickness * hypervolume(points[:n, :-1], reference[:-1])
    return total
