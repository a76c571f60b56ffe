"""Measurements from several seeds as arrays."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["mean_over_seeds"]

Array = npt.NDArray[np.float64]


def mean_over_seeds(rows: Sequence[Sequence[float]]) -> tuple[Array, Array]:
    """Return the mean of each row, `(n,)`, and the rows, `(n, most)`, filled up with NaN."""
    most = max(map(len, rows))
    each = np.full((len(rows), most), np.nan)
    for place, row in enumerate(rows):
        each[place, : len(row)] = row
    return np.nanmean(each, axis=1), each
