"""The ready spaces are proved to fit, and Keras builds them; planted faults are Keras's too."""

import numpy as np
import pytest

from hypernets.adapters.keras.model_builder import build_model
from hypernets.core.search_space import Choice, Dynamic, HyperSpace, Int
from hypernets.domain.error import BuildError
from hypernets.domain.layers import rule_for
from hypernets.domain.space import Bool, Identity, Optional, Or, Repeat, Sequential
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
    Reshape,
    Resizing,
    custom,
)
from hypernets.frameworks.keras.nas_bench_101 import (
    nas_bench_101_cell_space,
    nas_bench_101_search_space,
)
from hypernets.frameworks.keras.nas_bench_201 import nas_bench_201_search_space
from hypernets.frameworks.keras.nasnet import nasnet_search_space

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
    "enas, one cell": lambda: enas_micro_search_space(arch="N", hp_dict={}),
    "enas": lambda: enas_micro_search_space(arch="NR", hp_dict={}),
    "enas, eight cells": lambda: enas_micro_search_space(arch="NNRNNRNN", hp_dict={}),
    "nas-bench-101": nas_bench_101_search_space,
    "nas-bench-201": nas_bench_201_search_space,
    "nasnet": nasnet_search_space,
}
BUILT = READY | {  # of two cells each, where the published network has nine or fifteen
    "nas-bench-101": lambda: nas_bench_101_search_space((8, 8, 3), 4, 7, 2, 1),
    "nas-bench-201": lambda: nas_bench_201_search_space((9, 9, 3), 4, 4, 2, 1),
    "nasnet": lambda: nasnet_search_space((9, 9, 3), 4, 4, cells=1, blocks=2, stages=2),
}
del BUILT["enas, eight cells"]


@pytest.mark.parametrize("name", READY)
def test_every_architecture_of_a_ready_space_is_proved_to_fit(name):
    report = READY[name]().verify()
    assert report.passed
    assert report.is_proof
    assert report.checked == 0
    assert report.never_chosen == ()
    assert report.dead_options == ()
    assert report.notes == ()
    assert {coverage.method for coverage in report.layers.values()} == {"exact"}


@pytest.mark.parametrize("merge", ["concatenate", "add"])
@pytest.mark.parametrize(
    ("filters", "vertices", "edges"), [(7, 7, 9), (128, 5, 9), (8, 7, 4), (6, 3, 1), (6, 2, 9)]
)
def test_a_cell_of_any_size_holds_nothing_that_no_architecture_has(filters, vertices, edges, merge):
    report = nas_bench_101_cell_space((4, 4, 3), filters, vertices, edges, merge).verify()
    assert report.passed
    assert report.is_proof
    assert report.never_chosen == ()
    assert report.dead_options == ()


@pytest.mark.parametrize("name", BUILT)
def test_keras_builds_what_has_been_proved_to_fit(name):
    import keras

    space = BUILT[name]()
    assert space.verify().is_proof
    for seed in range(20):
        architecture = space.sample(seed)
        with keras.StatelessScope(initialize_variables=False):  # no memory for weights
            model = build_model(architecture)
        outputs = [architecture.graph[end].shape for end in architecture.graph.outputs]
        assert [tuple(output.shape) for output in model.outputs] == outputs
    keras.backend.clear_session()


# --- planted faults, with Keras as the judge --------------------------------


def even_dense():
    """Return a layer of the user's own that wants an even number of features."""
    import keras

    class Halving(keras.layers.Layer):
        def build(self, input_shape):
            if input_shape[-1] % 2:
                raise ValueError(f"an odd number of features: {input_shape[-1]}")
            self.kernel = self.add_weight(shape=(input_shape[-1], input_shape[-1] // 2))

        def call(self, inputs):
            return keras.ops.matmul(inputs, self.kernel)

    return custom(Halving)


def a_pooling_too_many():
    x = Input(shape=(12, 12, 1))
    x = Repeat(
        lambda step: Sequential([Conv2D(Choice([2, 4]), 3), MaxPooling2D(2)]),
        repeat_num_choices=[1, 2, 3],
    )(x)
    Dense(2)(Flatten()(x))


def one_combination_in_a_million():
    x = Input(shape=(4,))
    y = Dense(7)(x)
    for _ in range(6):
        y = Or([Dense(8) for _ in range(9)] + [Identity()])(y)
    Add()([y, Dense(8)(x)])


def a_computed_shape():
    rows, columns = Choice([2, 3, 4]), Choice([2, 3])
    x = Dense(12)(Input(shape=(4,)))
    whole = Dynamic(lambda rows, columns: 12 // rows // columns, rows=rows, columns=columns)
    Reshape((rows, columns, whole))(x)  # 4 · 2 leaves a remainder


def a_cut_before_a_layer():
    Dense(2)(Optional(Dense(3), hp_opt=Bool())(Input(shape=(3,))))


def a_layer_at_two_places():
    x = Input(shape=(3,))
    dense = Dense(4)
    first = dense(x)
    Add()([first, dense.share()(Or([Dense(3), Dense(5)])(x))])


def a_layer_of_ones_own():
    even_dense()()(Dense(Choice([6, 7], name="width"))(Input(shape=(3,))))


def a_layer_of_ones_own_in_a_sum():
    x = Input(shape=(8,))
    Add()([even_dense()()(x), Dense(Choice([4, 8]))(x)])


def a_function_of_too_many_decisions():
    x = Input(shape=(4,))
    ks = {f"k{i}": Int(0, 3) for i in range(9)}
    width = Dynamic(lambda **ks: 8 + (ks["k2"] == 3 and ks["k5"] == 1), **ks)
    Add()([Dense(width)(x), Dense(8)(x)])


PLANTED = {
    a_pooling_too_many: 1,
    one_combination_in_a_million: 6,
    a_computed_shape: 2,
    a_cut_before_a_layer: 1,
    a_layer_at_two_places: 1,
    a_layer_of_ones_own: 1,
    a_layer_of_ones_own_in_a_sum: 1,
    a_function_of_too_many_decisions: 2,
}
"""What is planted, and the number of decisions that bring it about."""


@pytest.mark.parametrize("plant", PLANTED)
def test_keras_refuses_the_counterexample_and_builds_it_cured_of_any_one_decision(plant):
    space = HyperSpace()
    with space.as_default():
        plant()
    report = space.verify()
    found = report.counterexample
    assert report.is_proof
    assert len(found.decisions) == PLANTED[plant]
    with pytest.raises(BuildError):
        build_model(found.architecture)
    for cured in found.decisions:
        assert any(builds(variant) for variant in variants(space, found.architecture, cured))


def variants(space, architecture, name):
    """Return the architecture with other values of one decision."""
    (decision,) = [decision for decision in space.decisions if decision.name == name]
    for number in range(int(decision.size)):
        other = decision.value_at(number)

        def choose(asked, other=other):
            if asked.name == name:
                return other
            return architecture.decisions.get(asked.name, asked.value_at(0))

        if other != architecture.decisions[name]:
            yield space.decide(choose)


def builds(architecture):
    try:
        build_model(architecture)
    except BuildError:
        return False
    return True


def sized(kernel):
    space = HyperSpace()
    with space.as_default():
        Conv2D(2, kernel)(Input(shape=(8, 8, 1)))
    return space


def test_data_that_the_verifier_refuses_are_refused_by_keras():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(None, None, 1), name="image")
        Conv2D(2, Choice([3, 9], name="kernel"))(x)
    report = space.verify({"image": (8, 8, 1)})
    assert report.counterexample.decisions == {"kernel": 9}
    build_model(report.counterexample.architecture)  # alone, it may get larger images
    with pytest.raises(BuildError, match="output size would be zero or negative"):
        build_model(sized(9).sample(0))
    build_model(sized(3).sample(0))

    report = space.verify({"image": (9, 9, 3)})
    assert report.counterexample.decisions == {}
    assert report.counterexample.layer == "image"
    model = build_model(space.sample(0))
    with pytest.raises(ValueError, match="incompatible"):
        model(np.zeros((1, 9, 9, 3), "float32"))


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


def test_keras_gives_the_reason_why_a_layer_of_ones_own_does_not_fit():
    space = HyperSpace()
    with space.as_default():
        a_layer_of_ones_own()
    assert "an odd number of features: 7" in str(space.verify())
