"""Mistakes in data that can be seen without a model."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hypernets.domain.error import SearchError

__all__ = ["require_examples", "require_finite", "require_same_length"]


def require_same_length(arrays: Mapping[str, Any]) -> None:
    """Refuse arrays of different numbers of examples.

    Args:
        arrays: what a message calls an array → the array.

    Raises:
        SearchError: the lengths differ; the message gives them all.
    """
    lengths = {name: int(array.shape[0]) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        received = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise SearchError(
            f"{', '.join(lengths)} must have the same number of examples; received {received}; "
            "each row of one belongs to the same row of the others"
        )


def require_examples(arrays: Mapping[str, Any]) -> None:
    """Refuse arrays without examples.

    Raises:
        SearchError: one is empty.
    """
    for name, array in arrays.items():
        if 0 in array.shape:
            raise SearchError(
                f"{name} must hold at least one example; received an array of shape "
                f"{tuple(array.shape)}; look at where it was cut"
            )


def require_finite(arrays: Mapping[str, Any]) -> None:
    """Refuse NaN and infinite values.

    Raises:
        SearchError: there are some; the message says where, how many, and the first place.
    """
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fc":
            continue
        # minimum and maximum pass NaN on, so that no mask of the size of the data is made
        if np.isfinite(array.min()) and np.isfinite(array.max()):
            continue
        bad = ~np.isfinite(array)
        first = tuple(int(index) for index in np.argwhere(bad)[0])
        raise SearchError(
            f"{name} must hold finite numbers; received {int(bad.sum())} that are not, the first "
            f"({array[first]}) at index {first}; drop or impute these examples"
        )
