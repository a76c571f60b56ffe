"""What a network costs, against the models that Keras builds."""

import numpy as np
import pytest

from hypernets.adapters.keras.model_builder import build_model
from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space
from hypernets.frameworks.keras.nas_bench_101 import nas_bench_101_search_space
from hypernets.frameworks.keras.nas_bench_201 import nas_bench_201_search_space
from hypernets.frameworks.keras.nasnet import nasnet_search_space

pytestmark = pytest.mark.keras

SPACES = {
    "dnn": lambda: dnn_search_space(10, 2, "sigmoid"),
    "cnn": lambda: cnn_search_space((16, 16, 3), 10, block_num_choices=[2, 3]),
    "nas_bench_101": lambda: nas_bench_101_search_space(
        (16, 16, 3), filters=16, stacks=2, cells_per_stack=1
    ),
    "nas_bench_201": lambda: nas_bench_201_search_space((16, 16, 3), filters=4, cells_per_stage=1),
    "nasnet": lambda: nasnet_search_space((16, 16, 3), filters=4, cells=1, blocks=3, stages=2),
    "enas": lambda: enas_micro_search_space(
        "NR", input_shape=(16, 16, 3), init_filters=8, node_num=3
    ),
}


def compare(space, count):
    import keras

    for seed in range(count):
        architecture = space.sample(seed)
        cost = architecture.cost()
        with keras.StatelessScope(initialize_variables=False):
            model = build_model(architecture)
        trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
        assert cost.parameters == model.count_params()
        assert cost.trainable_parameters == trainable
        assert cost.weight_bytes == 4 * cost.parameters
        for layer in model.layers:
            assert tuple(layer.output.shape) == architecture.graph[layer.name].shape
    keras.backend.clear_session()


@pytest.mark.parametrize("name", SPACES)
def test_parameters_and_shapes_are_those_of_keras(name):
    compare(SPACES[name](), 50)


@pytest.mark.soak
@pytest.mark.parametrize("name", SPACES)
def test_parameters_and_shapes_are_those_of_keras_for_a_thousand(name):
    compare(SPACES[name](), 1_000)


def test_a_layer_without_a_rule_and_a_layer_of_ones_own_are_counted_by_keras():
    import keras

    from hypernets.core.search_space import HyperSpace
    from hypernets.frameworks.keras.layers import ConvLSTM2D, Dense, Flatten, Input, custom

    class Doubling(keras.layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], 2))

        def call(self, x):
            return x @ self.kernel

    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(3, 8, 8, 2))
        x = ConvLSTM2D(filters=3, kernel_size=3)(x)
        x = Flatten()(x)
        x = custom(Doubling)()(x)
        Dense(units=1)(x)
    architecture = space.sample(0)
    cost, model = architecture.cost(), build_model(architecture)
    assert cost.parameters == model.count_params()
    assert [name.split("_")[1] for name in cost.uncounted] == ["ConvLSTM2D", "Doubling"]
