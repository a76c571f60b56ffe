"""What the benchmarks of the engine search: ten fixed architectures, on digits."""

import numpy as np
from sklearn.datasets import load_digits

from hypernets.adapters.keras.spaces.cnn import cnn_search_space
from hypernets.domain.error import SearchExhausted

__all__ = ["COMPILE", "FixedSearcher", "digits", "fixed_architectures", "space"]

COMPILE = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


class FixedSearcher:
    """Proposes given architectures, in order."""

    def __init__(self, space, architectures):
        self.space, self.direction, self.seed = space, "max", 0
        self._left = list(architectures)

    def ask(self):
        if not self._left:
            raise SearchExhausted
        return self._left.pop(0)

    def tell(self, trial):
        pass


def digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    return x[:1400], y[:1400], x[1400:], y[1400:]


def space():
    return cnn_search_space(
        input_shape=(8, 8, 1),
        output_units=10,
        block_num_choices=[2, 3],
        filters_choices=[8, 16],
        fc_units_choices=[32, 64],
    )


def fixed_architectures(space, count=10):
    """Return that many architectures of different networks."""
    rng = np.random.default_rng(0)
    found = {}
    while len(found) < count:
        architecture = space.sample(rng)
        found.setdefault(architecture.signature, architecture)
    return list(found.values())
