"""The ready spaces are proved to fit; planted faults are faults for Keras too."""

import pytest

from hypernets.adapters.keras.model_builder import build_model
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import BuildError
from hypernets.domain.layers import rule_for
from hypernets.domain.space import Repeat, Sequential
from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space
from hypernets.frameworks.keras.layers import (
    Add,
    Conv2D,
    Dense,
    Flatten,
    GaussianNoise,
    Input,
    MaxPooling2D,
    RandomFlip,
    Resizing,
)

pytestmark = pytest.mark.keras

READY = {
    "dnn": lambda: dnn_search_space(10, 3, "softmax"),
    "cnn": lambda: cnn_search_space(
        input_shape=(28, 28, 1),
        output_units=10,
        output_activation="softmax",
        block_num_choices=[2, 3, 4, 5],
        filters_choices=[32, 64, 128],
        kernel_size_choices=[(1, 1), (3, 3)],
    ),
    "enas": lambda: enas_micro_search_space(arch="NR", hp_dict={}),
    "enas, eight cells": lambda: enas_micro_search_space(arch="NNRNNRNN", hp_dict={}),
}


@pytest.mark.parametrize("name", READY)
def test_every_architecture_of_a_ready_space_is_proved_to_fit(name):
    report = READY[name]().verify()
    assert report.passed
    assert report.is_proof
    assert report.checked == 0
    assert report.never_chosen == ()
    assert {coverage.method for coverage in report.layers.values()} == {"exact"}


def test_the_smallest_counterexample_is_refused_by_keras():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(12, 12, 1))
        x = Repeat(
            lambda step: Sequential([Conv2D(Choice([2, 4]), 3), MaxPooling2D(2)]),
            repeat_num_choices=[1, 2, 3],
        )(x)
        Dense(2)(Flatten()(x))
    report = space.verify()
    assert report.is_proof
    assert list(report.counterexample.decisions.values()) == [3]
    with pytest.raises(BuildError):
        build_model(report.counterexample.architecture)
    build_model(space.decide(lambda d: 2 if "repeat" in d.label else d.value_at(0)))


def test_keras_itself_is_asked_for_layers_without_a_rule():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(8, 8, 3), name="image")
        size = Choice([8, 9], name="size")
        y = RandomFlip()(Resizing(size, 8)(GaussianNoise(0.1)(x)))
        Add(name="sum")([x, y])
    assert rule_for("Resizing") is None
    report = space.verify()
    assert report.is_proof
    assert report.counterexample.decisions == {"size": 9}
    assert report.counterexample.layer == "sum"
    with pytest.raises(BuildError):
        build_model(report.counterexample.architecture)
