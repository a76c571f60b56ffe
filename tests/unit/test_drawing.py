"""Architectures as text, Mermaid and SVG."""

import re
import runpy
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from hypernets.adapters.keras.layers import Activation, Add, Dense, Input
from hypernets.domain.architecture.drawing.caption import (
    kind_of,
    long_arguments,
    short_arguments,
    shortened,
)
from hypernets.domain.architecture.drawing.grouping import groups_of
from hypernets.domain.architecture.graph import LayerSpec
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Bool, Choice
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.operation import Optional, Repeat, Sequential
from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def enas():
    return enas_micro_search_space("NR", classes=3).sample(5)


def small():
    """Return an architecture of a residual block between two dense layers."""
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,), name="in")
        first = Dense(8, activation="relu", name="first")(x)
        second = Dense(8, name="second")(first)
        Add(name="sum")([first, second, first])
    return space.sample(0)


def parse(svg):
    return ElementTree.fromstring(svg)  # noqa: S314 - our own


def texts_of(svg):
    return [element.text for element in parse(svg).iter(f"{SVG}text")]


def test_text_tells_name_layer_shape_and_sources_of_every_layer():
    assert [re.split("  +", line) for line in small().to_text().splitlines()] == [
        ["name", "layer", "shape", "fed by"],
        ["in", "Input(shape=(4,))", "4"],
        ["first", "Dense(units=8, activation='relu')", "8", "in"],
        ["second", "Dense(units=8)", "8", "first"],
        ["sum", "Add()", "8", "first, second, first"],
        ["4 layers, from in to sum"],
    ]


def test_text_tells_whose_weights_a_shared_layer_uses():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,), name="in")
        dense = Dense(4, name="dense")(x)
        dense.share("again")(dense)
    assert "Dense(units=4) with the weights of dense" in space.sample(0).to_text()


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_is_xml_with_a_box_for_every_layer_and_an_end_for_every_edge(seed):
    for space in (dnn_search_space(10, 3, "softmax"), cnn_search_space((28, 28, 1), 10)):
        architecture = space.sample(seed)
        graph = architecture.graph
        root = parse(architecture.to_svg())
        boxes = root.findall(f"{SVG}g")
        assert [box.find(f"{SVG}title").text.split(":")[0] for box in boxes] == [
            node.name for node in graph
        ]
        heads = root.findall(f"{SVG}path")[-1].get("d")
        assert heads.count("M") == sum(len(node.inputs) for node in graph)


def test_a_box_tells_layer_arguments_and_shape():
    assert texts_of(small().to_svg())[:6] == ["Input", "4", "Dense", "8, relu", "8", "Dense"]


def test_an_edge_is_drawn_as_often_as_its_source_is_used():
    heads = parse(small().to_svg()).findall(f"{SVG}path")[-1].get("d")
    ends = re.findall(r"M([\d.]+) ([\d.]+)", heads)
    assert len(ends) == len(set(ends)) == 5


def test_a_picture_brings_nothing_along_and_reaches_for_nothing(enas):
    svg = enas.to_svg()
    assert not re.search(r"<(style|script|image|use|link|foreignObject)|\bid=|href|url\(", svg)
    assert svg.count("http") == 1  # the namespace


def test_a_picture_is_the_same_every_time(enas):
    assert enas.to_svg() == enas.without_graph().to_svg()


def test_an_edge_that_passes_a_frame_does_not_stretch_it():
    for seed in range(6):
        svg = enas_micro_search_space("NR").sample(seed).to_svg()
        assert float(parse(svg).get("width")) < 1600


def test_cells_have_frames_with_their_names(enas):
    groups = {group.title: group.members for group in groups_of(enas)}
    assert list(groups) == ["1_normal_C1", "reduction_C1", "2_reduction_C1"]
    for title, members in groups.items():
        names = [enas.graph.nodes[i].name for i in members]
        assert all(name.startswith(f"{title}_") for name in names)
        assert len(names) == sum(node.name.startswith(f"{title}_") for node in enas.graph)
    assert set(groups) <= set(texts_of(enas.to_svg()))


def test_steps_of_a_repeat_have_frames():
    space = dnn_search_space(10, 3, "softmax", layer_num_choices=[3])
    architecture = space.sample(1)
    groups = groups_of(architecture)
    assert [group.title for group in groups] == ["step 1", "step 2", "step 3"]
    grouped = [i for group in groups for i in group.members]
    assert grouped == list(range(1, len(architecture.graph) - 1))


def test_a_repeat_with_a_name_gives_it_to_its_steps():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,))
        Repeat(lambda step: Sequential([Dense(4), Activation("relu")]), [2], name="tower")(x)
    titles = [group.title for group in groups_of(space.sample(0))]
    assert titles == ["tower step 1", "tower step 2"]


def test_layers_whose_names_begin_alike_are_no_group_with_another_between_them():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,), name="in")
        x = Dense(4, name="part_a")(x)
        x = Activation("relu", name="part_b")(x)
        x = Dense(4, name="between")(x)
        Dense(4, name="part_c")(x)
    assert groups_of(space.sample(0)) == ()


def test_names_and_arguments_cannot_break_out_of_a_picture():
    space = HyperSpace()
    name, activation = "<b a='\"&'>\x00", "</text><script>'\"&</script>\x1b"
    with space.as_default():
        x = Input(shape=(4,), name="in")
        Dense(4, activation=activation, name=name)(x)
    svg = space.sample(0).to_svg()
    assert "<script" not in svg
    assert "<b" not in svg
    assert "4, </text><script>'\"&</script>\ufffd" in texts_of(svg)
    title = list(parse(svg).iter(f"{SVG}title"))[-1].text
    assert title.startswith("<b a='\"&'>\ufffd: Dense(units=4, ")


def test_names_and_arguments_cannot_break_out_of_a_flowchart():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,))
        Dense(4, activation='"]; click <b>')(x)
    label = next(line for line in space.sample(0).to_mermaid().splitlines() if "Dense" in line)
    assert label == '    n1["Dense 4, #34;#93;#59; click #60;b#62;<br/>4"]:::dense'


def test_a_flowchart_has_every_layer_edge_and_group(enas):
    text = enas.to_mermaid()
    assert text.startswith("flowchart TD\n")
    assert len(re.findall(r"^ +n\d+\[", text, re.MULTILINE)) == len(enas.graph)
    assert text.count(" --> ") == sum(len(node.inputs) for node in enas.graph)
    assert text.count("subgraph ") == text.count("    end\n") == 3
    assert set(re.findall(r":::(\w+)", text)) == set(re.findall(r"classDef (\w+)", text))


def test_a_notebook_shows_the_picture():
    architecture = small()
    assert architecture._repr_svg_() == architecture.to_svg()


def test_a_notebook_shows_the_text_of_an_architecture_that_makes_no_network():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,))
        Dense(4)(Optional(Dense(3), keep_link=False, hp_opt=Bool(name="kept"))(x))
    assert space.architecture({"kept": False})._repr_svg_() is None
    assert space.architecture({"kept": True})._repr_svg_() is not None


def test_a_network_whose_shapes_are_not_known_is_drawn_without_them():
    class Mystery(LayerModule):
        """A layer that no rule describes."""

    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,), name="in")
        Dense(2, name="out")(Mystery({}, name="mystery")(x))
    architecture = space.sample(0)
    assert texts_of(architecture.to_svg()) == ["Input", "4", "Mystery", "Dense", "2"]
    assert "mystery  Mystery()" in architecture.to_text()


def test_a_space_of_training_alone_has_an_empty_picture():
    space = HyperSpace()
    with space.as_default():
        space.set_training(batch_size=Choice([16, 32]))
    architecture = space.sample(0)
    assert parse(architecture.to_svg()).findall(f"{SVG}g") == []
    assert architecture.to_text().endswith("0 layers, from nothing to nothing\n")
    assert architecture.to_mermaid() == "flowchart TD\n"


@pytest.mark.parametrize(
    ("layer", "arguments", "short"),
    [
        ("Conv2D", {"filters": 32, "kernel_size": (3, 3), "padding": "same"}, "32, 3\u00d73"),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 3, "strides": (2, 2)},
            "8, 3\u00d73, stride 2\u00d72",
        ),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 3, "strides": 1, "use_bias": False},
            "8, 3\u00d73, no bias",
        ),
        ("Dense", {"units": 3, "activation": "linear", "use_bias": True}, "3"),
        ("Dense", {"activation": "relu", "units": 3}, "3, relu"),
        ("Conv1D", {"filters": 8, "kernel_size": 3}, "8, 3"),
        ("BatchNormalization", {"momentum": 0.9, "epsilon": 1e-5}, ""),
        ("Dropout", {"rate": 0.30000000000000004, "seed": 3}, "0.3"),
        ("Input", {"shape": (3, 4)}, ""),
        ("Mine", {"depth": 3, "mode": "fast", "none": None}, "depth=3, mode=fast"),
        ("Lambda", {"function": len}, "len"),
        ("Mine", {"table": np.zeros((2, 3))}, "table=array of 2\u00d73"),
        ("TimeDistributed", {"layer": LayerSpec("Dense", {"units": 3})}, "Dense(units=3)"),
    ],
)
def test_short_arguments_leave_out_what_makes_no_difference(layer, arguments, short):
    assert short_arguments(LayerSpec(layer, arguments)) == short


def test_long_arguments_are_written_as_in_a_program():
    arguments = {"units": 3, "activation": "relu", "axes": [1, (2,)], "function": len}
    assert long_arguments(arguments) == "units=3, activation='relu', axes=[1, (2,)], function=len"


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        ("Input", "input"),
        ("SeparableConv2D", "convolution"),
        ("ConvLSTM2D", "recurrent"),
        ("SpatialDropout2D", "regularization"),
        ("GlobalAveragePooling2D", "pooling"),
        ("Average", "merge"),
        ("BatchNormalization", "normalization"),
        ("MultiHeadAttention", "attention"),
        ("ReLU", "activation"),
        ("Flatten", "reshaping"),
        ("Lambda", "other"),
    ],
)
def test_layers_have_kinds(layer, kind):
    assert kind_of(layer) == kind


def test_the_pictures_of_the_documentation_are_those_that_are_drawn():
    folder = Path(__file__).parents[2] / "docs" / "pictures"
    pictures = runpy.run_path(str(folder / "draw.py"))["pictures"]()
    assert sorted(pictures) == sorted(path.name for path in folder.glob("*.svg"))
    for name, picture in pictures.items():
        assert (folder / name).read_text(encoding="utf-8") == picture


def test_long_texts_are_cut_off_with_an_ellipsis():
    assert shortened("a  b\nc", 5) == "a b c"
    assert shortened("one, two, three", 10) == "one, two…"
