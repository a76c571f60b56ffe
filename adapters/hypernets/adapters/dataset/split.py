"""Splitting by class."""

import numpy as np
import numpy.typing as npt

from hypernets.adapters.dataset.error import DatasetError

__all__ = ["stratified_split"]

Indices = npt.NDArray[np.intp]


def stratified_split(
    labels: npt.NDArray[np.int64], fraction: float, seed: int
) -> tuple[Indices, Indices]:
    """Return the indices of two parts in which every class has its share.

    Args:
        labels: `(n,)`, class of each example.
        fraction: share of each class in the second part, rounded, and at least one example.
        seed: of the choice; the same one splits alike everywhere.

    Returns:
        `(n_first,)` and `(n_second,)`, disjoint, together all, each in random order.

    Raises:
        DatasetError: a class has a single example, which cannot be in both parts.

    Example:
        >>> first, second = stratified_split(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 0.25, seed=0)
        >>> len(first), len(second)
        (6, 2)
    """
    rng = np.random.default_rng(seed)
    first: list[Indices] = []
    second: list[Indices] = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        if len(members) < 2:
            raise DatasetError(
                "every class must have two examples or more to be split; "
                f"received {len(members)} of class {label}; leave the class out or add examples"
            )
        count = min(max(1, round(fraction * len(members))), len(members) - 1)
        first.append(members[count:])
        second.append(members[:count])
    if not first:
        raise DatasetError("there must be examples to split; received none; give some")
    return rng.permutation(np.concatenate(first)), rng.permutation(np.concatenate(second))
