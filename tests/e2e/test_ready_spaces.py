"""The ready-made spaces, resolved exhaustively or sampled and built with real Keras."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hypernets.adapters.keras.model_builder import build_model
from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space

pytestmark = pytest.mark.keras

GOLDEN = json.loads(
    (Path(__file__).parent.parent / "golden" / "enas_nr.json").read_text(encoding="utf-8")
)


def published_cnn_space():
    return cnn_search_space(
        input_shape=(28, 28, 1),
        output_units=10,
        output_activation="softmax",
        block_num_choices=[2, 3, 4, 5],
        filters_choices=[32, 64, 128],
        kernel_size_choices=[(1, 1), (3, 3)],
    )


def test_the_published_decisions_build_the_published_network():
    space = enas_micro_search_space(arch="NR", hp_dict={})
    architecture = space.architecture(GOLDEN["decisions"])

    model = build_model(architecture)

    def cut(name):
        return name[:31]

    rows = Counter(
        (
            cut(layer.name),
            tuple(layer.output.shape),
            layer.count_params(),
        )
        for layer in model.layers
    )
    expected = Counter(
        (cut(row["name"]), tuple(row["shape"]), row["params"]) for row in GOLDEN["rows"]
    )
    assert len(model.layers) == 96
    assert rows == expected
    assert model.count_params() == 271_818
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trainable == 267_466
    assert model.count_params() - trainable == 4_352


def test_the_published_network_is_connected_as_published():
    space = enas_micro_search_space(arch="NR", hp_dict={})
    graph = space.architecture(GOLDEN["decisions"]).graph

    connections = Counter(
        (node.name[:31], f"{node.inputs[0]}[0][0]"[:33] if node.inputs else "") for node in graph
    )
    expected = Counter((row["name"][:31], row["first_input"]) for row in GOLDEN["rows"])
    assert connections == expected


def test_every_assignment_of_the_dnn_space_resolves():
    space = dnn_search_space(input_shape=10, output_units=2, output_activation="sigmoid")
    architectures = list(space.every_architecture())
    assert len({architecture.key for architecture in architectures}) == 3_888
    for architecture in architectures:
        graph = architecture.graph
        assert graph[graph.outputs[0]].shape == (None, 2)


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda: dnn_search_space(10, 2, "sigmoid"), 3_888),
        (published_cnn_space, 5_760),
        (lambda: cnn_search_space((32, 32, 3), 10), 11_616),
    ],
    ids=["dnn", "cnn program", "cnn defaults"],
)
def test_a_ready_space_has_the_published_number_of_assignments(make, count):
    assert sum(1 for _ in make().every_architecture()) == count


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: dnn_search_space(10, 2, "sigmoid"),
        published_cnn_space,
        lambda: enas_micro_search_space(arch="NR", init_filters=8),
    ],
    ids=["dnn", "cnn", "enas"],
)
def test_random_architectures_of_a_ready_space_build(make):
    import keras

    space = make()
    for seed in range(200):
        architecture = space.sample(seed)
        # no weights are allocated: the point is that every layer accepts what feeds it
        with keras.StatelessScope(initialize_variables=False):
            model = build_model(architecture)
        shape = architecture.graph[architecture.graph.outputs[0]].shape
        assert tuple(model.output.shape) == shape
    keras.backend.clear_session()


def test_data_format_is_honoured_all_through_an_enas_network():
    last = enas_micro_search_space(arch="NR", input_shape=(8, 8, 1), init_filters=4)
    first = enas_micro_search_space(
        arch="NR", input_shape=(1, 8, 8), init_filters=4, data_format="channels_first"
    )
    decisions = last.sample(7).decisions
    a, b = last.architecture(decisions).graph, first.architecture(decisions).graph
    assert [node.name for node in a] == [node.name for node in b]
    for node in a:
        if len(node.shape) == 4:
            batch, height, width, channels = node.shape
            assert b[node.name].shape == (batch, channels, height, width)


def test_a_normal_first_cell_calibrates_its_only_input_once():
    space = enas_micro_search_space(arch="N", init_filters=4)
    graph = space.sample(0).graph
    aligned = [node.name for node in graph if "filters_aligning_conv2d" in node.name]
    assert aligned == ["1_normal_C1_input0_filters_aligning_conv2d_"]


def test_a_second_space_with_the_choices_of_the_first_says_what_is_wrong():
    from hypernets.domain.error import SpaceError

    choices = {}
    enas_micro_search_space(arch="NR", hp_dict=choices)
    with pytest.raises(SpaceError, match=r"hp_dict"):
        enas_micro_search_space(arch="NR", hp_dict=choices)
