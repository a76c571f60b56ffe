"""Published names of the ops; a star import also yields `np`, as published programs expect."""

import numpy as np

from hypernets.domain.space import (
    ConnectLooseEnd,
    HyperInput,
    Identity,
    InputChoice,
    Optional,
    Or,
    Permutation,
    Repeat,
    Sequential,
)

__all__ = [
    "ConnectLooseEnd",
    "HyperInput",
    "Identity",
    "InputChoice",
    "Optional",
    "Or",
    "Permutation",
    "Repeat",
    "Sequential",
    "np",
]
