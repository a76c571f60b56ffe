"""The spaces of NAS-Bench-101 and NAS-Bench-201, against published counts and real Keras."""

import json
from pathlib import Path

import numpy as np
import pytest

from hypernets.adapters.keras.model_builder import build_model
from hypernets.frameworks.keras.nas_bench_101 import (
    nas_bench_101_cell_space,
    nas_bench_101_decisions,
    nas_bench_101_search_space,
)
from hypernets.frameworks.keras.nas_bench_201 import (
    nas_bench_201_cell_space,
    nas_bench_201_decisions,
    nas_bench_201_search_space,
)

pytestmark = pytest.mark.keras

PUBLISHED = json.loads(
    (Path(__file__).parent.parent / "golden" / "cell_parameters.json").read_text(encoding="utf-8")
)
CELLS_101 = [
    (nas_bench_101_decisions(cell["edges"], cell["ops"]), cell["parameters"])
    for cell in PUBLISHED["nas_bench_101"]
]
CELLS_201 = [
    (nas_bench_201_decisions(cell["ops"]), cell["parameters"])
    for cell in PUBLISHED["nas_bench_201"]
]


@pytest.fixture(scope="module")
def space_101():
    return nas_bench_101_search_space()


@pytest.fixture(scope="module")
def space_201():
    return nas_bench_201_search_space()


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def unweighted(architecture):
    """Return the Keras model without memory for its weights."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        return build_model(architecture)


def images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_cells_of_nas_bench_101_have_as_many_parameters_as_published(space_101):
    assert len(CELLS_101) == 14
    for decisions, parameters in CELLS_101:
        assert space_101.architecture(decisions).cost().trainable_parameters == parameters


def test_cells_of_nas_bench_201_have_as_many_parameters_as_published(space_201):
    assert len(CELLS_201) == 14
    for decisions, parameters in CELLS_201:
        assert space_201.architecture(decisions).cost().trainable_parameters == parameters


@pytest.mark.parametrize("index", [5, 8])  # with channels that do not divide evenly
def test_keras_counts_the_published_parameters_of_nas_bench_101(space_101, index):
    decisions, parameters = CELLS_101[index]
    architecture = space_101.architecture(decisions)
    model = unweighted(architecture)
    assert trainable(model) == parameters
    assert model.count_params() == architecture.cost().parameters
    assert model.output_shape == (None, 10)


@pytest.mark.parametrize("index", [2, 11])
def test_keras_counts_the_published_parameters_of_nas_bench_201(space_201, index):
    decisions, parameters = CELLS_201[index]
    architecture = space_201.architecture(decisions)
    model = unweighted(architecture)
    assert trainable(model) == parameters
    assert model.count_params() == architecture.cost().parameters
    for layer in model.layers:
        assert tuple(layer.output.shape) == architecture.graph[layer.name].shape


def test_random_cells_of_nas_bench_101_build_and_run_where_channels_are_uneven():
    space = nas_bench_101_search_space((8, 8, 3), classes=4, filters=7, stacks=2, cells_per_stack=1)
    for seed in range(4):
        architecture = space.sample(seed)
        model = build_model(architecture)
        assert model.count_params() == architecture.cost().parameters
        found = model(images(2, 8, 8, 3))
        np.testing.assert_allclose(np.sum(found, axis=-1), 1, rtol=1e-5)


def test_a_wider_vertex_loses_its_last_channel():
    # 1 and 2 share 5 channels, 3 and 2; 1 feeds 2 too
    cell = nas_bench_101_decisions(
        [(0, 1), (1, 2), (1, 3), (2, 3)], ["input", "conv1x1-bn-relu", "maxpool3x3", "output"]
    )
    architecture = nas_bench_101_cell_space((4, 4, 2), filters=5).architecture(cell)
    model = build_model(architecture)
    cut = next(node for node in architecture.graph if node.layer == "Cropping2D")
    assert cut.shape == (None, 4, 4, 2)

    import keras

    value = images(2, 4, 4, 2)
    both = keras.Model(
        model.input, [model.get_layer(cut.name).input, model.get_layer(cut.name).output]
    )
    before, after = both(value)
    np.testing.assert_array_equal(np.asarray(before)[..., :2], after)
    assert model(value).shape == (2, 4, 4, 5)


def test_a_cell_of_one_edge_is_its_projection():
    space = nas_bench_101_cell_space((4, 4, 2), filters=5)
    architecture = space.architecture(nas_bench_101_decisions([(0, 1)], ["input", "output"]))
    assert [node.layer for node in architecture.graph][:4] == [
        *("Input", "Conv2D", "BatchNormalization", "Activation")
    ]
    assert build_model(architecture)(images(1, 4, 4, 2)).shape == (1, 4, 4, 5)


def test_a_cell_whose_output_gets_nothing_puts_out_zeros():
    space = nas_bench_201_cell_space((6, 6, 4))
    model = build_model(space.architecture(nas_bench_201_decisions(["none"] * 6)))
    np.testing.assert_array_equal(model(images(2, 6, 6, 4)), np.zeros((2, 6, 6, 4)))


def test_nodes_of_nas_bench_201_add_what_their_edges_carry():
    space = nas_bench_201_cell_space((6, 6, 4))
    ops = ["skip_connect", "skip_connect", "skip_connect", "none", "skip_connect", "skip_connect"]
    model = build_model(space.architecture(nas_bench_201_decisions(ops)))
    value = images(2, 6, 6, 4)
    # node 1 is x, node 2 is 2 x, and node 3 their sum
    np.testing.assert_allclose(model(value), 3 * value, rtol=1e-6)


def test_a_small_network_of_nas_bench_201_builds_and_runs():
    space = nas_bench_201_search_space((9, 9, 3), classes=4, filters=4, stages=3, cells_per_stage=1)
    for seed in range(3):
        architecture = space.sample(seed)
        model = build_model(architecture)
        assert model.count_params() == architecture.cost().parameters
        found = model(images(2, 9, 9, 3))
        np.testing.assert_allclose(np.sum(found, axis=-1), 1, rtol=1e-5)
