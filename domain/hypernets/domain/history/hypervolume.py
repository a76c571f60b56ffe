"""How much of what is possible a front attains, as one number."""

import numpy as np
import numpy.typing as npt

__all__ = ["hypervolume"]

Array = npt.NDArray[np.float64]


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
