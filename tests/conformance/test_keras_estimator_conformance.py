"""The laws of the `Estimator` port, held against the one that trains with Keras."""

import numpy as np
import pytest

from hypernets.adapters.keras.data import prepare
from hypernets.adapters.keras.estimator import KerasEstimator
from hypernets.adapters.keras.training import TrainingPlan
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.frameworks.keras.layers import Conv2D, Dense, Dropout, Input
from hypernets.testing import EstimatorSuite

pytestmark = pytest.mark.keras


def architecture_of(*layers):
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(3,))
        for layer in layers:
            x = layer()(x)
    return space.sample(0)


class TestKerasEstimator(EstimatorSuite):
    def make(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(32, 3)).astype("float32")
        data = prepare(x, x.sum(axis=1, keepdims=True), validation_split=0.25)
        return KerasEstimator(data, TrainingPlan({"loss": "mse", "epochs": 2, "verbose": 0}))

    def architecture(self):
        return architecture_of(
            lambda: Dense(units=Choice([2, 4])), lambda: Dropout(0.5), lambda: Dense(1)
        )

    def wrong_architecture(self):
        return architecture_of(lambda: Conv2D(2, 3))
