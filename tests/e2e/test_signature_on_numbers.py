"""Networks with one signature compute the same from the same weights, on real Keras."""

import random

import keras
import numpy as np
import pytest

from hypernets.adapters.keras import layers
from hypernets.adapters.keras.model_builder import build_model
from hypernets.adapters.keras.spaces.dnn import dnn_search_space
from hypernets.domain.architecture.graph import LayerGraph, LayerNode, Origin
from hypernets.domain.architecture.signature import signature_of
from hypernets.domain.space import HyperSpace

pytestmark = pytest.mark.keras

CHANNELS = 3
COMMUTATIVE = ("Add", "Multiply", "Average", "Maximum", "Minimum")
ASSOCIATIVE = ("Add", "Multiply", "Maximum", "Minimum", "Concatenate")
RESPELLED = {
    "kernel_size": lambda value: [value, value],
    "padding": str.upper,
}
TOLD = {
    "Conv2D": {"strides": (1, 1), "activation": "linear", "groups": 1, "data_format": None},
    "Dense": {"use_bias": True, "kernel_initializer": "glorot_uniform"},
    "BatchNormalization": {"axis": -1, "momentum": 0.99, "epsilon": 0.001},
    "Concatenate": {"axis": -1},
    "ReLU": {"max_value": None, "negative_slope": 0.0},
}
IDENTITIES = [
    ("Dropout", {"rate": 0.0}),
    ("Identity", {}),
    ("Activation", {"activation": "linear"}),
    ("Average", {}),
]


def node(name, layer, arguments=None, inputs=(), weights=None):
    return LayerNode(name, layer, arguments or {}, tuple(inputs), weights or name, Origin(0))


def random_network(rng: random.Random) -> LayerGraph:
    """Return a small image network with merges, twins and layers used twice."""
    nodes = [node("in", "Input", {"shape": (5, 5, CHANNELS)})]
    convolution = {"filters": CHANNELS, "padding": "same"}
    for i in range(rng.randint(5, 9)):
        name, made = f"x{i}", [item.name for item in nodes if item.layer != "Concatenate"]
        source = rng.choice(made)
        kind = rng.randrange(6)
        if kind == 0:
            arguments = convolution | {"kernel_size": rng.choice([1, 3])}
            nodes.append(node(name, "Conv2D", arguments, [source]))
        elif kind == 1:
            same = [n.weights for n in nodes if n.layer == "Dense" and n.inputs[0] in made]
            weights = rng.choice([name, *same])
            nodes.append(node(name, "Dense", {"units": CHANNELS}, [source], weights))
        elif kind == 2:
            layer = rng.choice(["BatchNormalization", "ReLU"])
            nodes.append(node(name, layer, {}, [source]))
        elif kind == 3:
            nodes.append(node(f"{name} both", "Concatenate", {}, [source, rng.choice(made)]))
            nodes.append(node(name, "Dense", {"units": CHANNELS}, [f"{name} both"]))
        else:
            fed = [rng.choice(made) for _ in range(rng.randint(2, 4))]
            nodes.append(node(name, rng.choice(COMMUTATIVE), {}, fed))
    loose = [n.name for n in nodes if not any(n.name in other.inputs for other in nodes)]
    nodes.append(node("end", "Concatenate", {}, [*loose, "in"]))
    return LayerGraph(tuple(nodes), ("in",), ("end", nodes[-2].name))


def disguised(graph: LayerGraph, rng: random.Random) -> tuple[LayerGraph, dict[str, str]]:
    """Return the same network told otherwise, and the new names of its layers."""
    names = [item.name for item in graph]
    others = rng.sample([f"y{i}" for i in range(len(names))], len(names))
    new = dict(zip(names, others, strict=True))
    end_of = {}  # name of a node → of the last layer that gives its value back
    waiting, nodes, first = list(graph), [], {}
    while waiting:
        item = rng.choice([item for item in waiting if all(name in end_of for name in item.inputs)])
        waiting.remove(item)
        arguments = {
            key: RESPELLED[key](value) if key in RESPELLED and rng.random() < 0.5 else value
            for key, value in item.arguments.items()
        }
        if rng.random() < 0.5:
            arguments |= TOLD.get(item.layer, {})
        fed = [end_of[name] for name in item.inputs]
        if item.layer in COMMUTATIVE:
            rng.shuffle(fed)
        name = new[item.name]
        if item.layer in ASSOCIATIVE and len(fed) > 2:
            start = rng.randrange(len(fed) - 1)
            stop = rng.randint(start + 2, len(fed))
            if stop - start < len(fed):  # a part of them is merged before the rest
                nodes.append(node(f"{name} part", item.layer, arguments, fed[start:stop]))
                fed[start:stop] = [f"{name} part"]
        nodes.append(node(name, item.layer, arguments, fed, first.setdefault(item.weights, name)))
        end_of[item.name] = name
        if rng.random() < 0.4:
            layer, given = rng.choice(IDENTITIES)
            nodes.append(node(f"{name} again", layer, given, [name]))
            end_of[item.name] = f"{name} again"
        if rng.random() < 0.2:
            nodes.append(node(f"{name} unused", "Conv2D", {"filters": 1, "kernel_size": 1}, [name]))
    carried = {item.weights: first[item.weights] for item in graph}
    ends = tuple(end_of[name] for name in graph.outputs)
    return LayerGraph(tuple(nodes), (new["in"],), ends), carried


def outputs_of(model, seed):
    inputs = np.random.default_rng(seed).normal(size=(2, *model.input_shape[1:]))
    return [np.asarray(value) for value in keras.tree.flatten(model(inputs))]


def scrambled(model, seed):
    """Give every weight a random value, so that no two layers have the same."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.1, 1.0, size=value.shape) for value in model.get_weights()])


@pytest.mark.parametrize("seed", range(12))
def test_a_network_told_otherwise_has_its_signature_and_computes_the_same(seed):
    rng = random.Random(seed)  # noqa: S311 - no secret
    graph = random_network(rng)
    other, carried = disguised(graph, rng)
    assert signature_of(graph) == signature_of(other)
    one, two = build_model(graph), build_model(other)
    scrambled(one, seed)
    of_one, of_two = ({layer.name: layer for layer in model.layers} for model in (one, two))
    for name, counterpart in carried.items():
        if name in of_one and of_one[name].weights:
            of_two[counterpart].set_weights(of_one[name].get_weights())
    for a, b in zip(outputs_of(one, seed), outputs_of(two, seed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


def branches():
    """Return four branches of different kernels, of one shape."""
    convolution = {"filters": CHANNELS, "padding": "same"}
    return [
        node("in", "Input", {"shape": (5, 5, CHANNELS)}),
        *(node(f"b{i}", "Conv2D", convolution | {"kernel_size": i}, ["in"]) for i in range(1, 5)),
    ]


@pytest.mark.parametrize("layer", ASSOCIATIVE)
def test_a_merge_nested_in_three_ways_has_one_signature_and_computes_the_same(layer):
    ways = [
        [("out", "b1 b2 b3 b4")],
        [("m", "b1 b2"), ("n", "m b3"), ("out", "n b4")],
        [("m", "b1 b2"), ("n", "b3 b4"), ("out", "m n")],
    ]
    graphs = [
        LayerGraph(
            (*branches(), *(node(name, layer, {}, fed.split()) for name, fed in way)),
            ("in",),
            ("out",),
        )
        for way in ways
    ]
    assert len({signature_of(graph) for graph in graphs}) == 1
    models = [build_model(graph) for graph in graphs]
    scrambled(models[0], 0)
    for model in models[1:]:
        model.set_weights(models[0].get_weights())
    first, *others = (outputs_of(model, 1)[0] for model in models)
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-4)


def test_zeros_that_are_added_change_neither_the_signature_nor_the_numbers():
    spaces = []
    for zeros in (0, 2):
        space = HyperSpace()
        with space.as_default():
            image = layers.Input(shape=(5, 5, CHANNELS))
            ends = [layers.Conv2D(4, kernel, padding="same")(image) for kernel in (1, 3)]
            ends += [layers.Rescaling(0.0)(ends[place]) for place in range(zeros)]
            layers.Dense(2)(layers.Add()(ends))
        spaces.append(space)
    one, other = (space.sample(0) for space in spaces)
    assert one.signature == other.signature
    models = [build_model(one), build_model(other)]
    scrambled(models[0], 0)
    models[1].set_weights(models[0].get_weights())
    (a,), (b,) = (outputs_of(model, 1) for model in models)
    np.testing.assert_allclose(a, b, rtol=1e-5)


def edited_network(
    merge="Concatenate",
    order=("a", "b"),
    pool="MaxPooling2D",
    source="p",
    shared=False,
    **stem,
):
    """Return an image network in which one thing can be another."""
    stem = {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"} | stem
    nodes = (
        node("in", "Input", {"shape": (7, 7, CHANNELS)}),
        node("s", "Conv2D", stem, ["in"]),
        node("p", pool, {"pool_size": 3, "strides": 1, "padding": "same"}, ["s"]),
        node("a", "Dense", {"units": 4}, ["s"]),
        node("b", "Dense", {"units": 4}, [source], "a" if shared else None),
        node("m", merge, {}, order),
        node("out", "Dense", {"units": 2}, ["m"]),
    )
    return LayerGraph(nodes, ("in",), ("out",))


SINGLE_EDITS = {
    "kernel": {"kernel_size": 5},
    "kernel on one axis": {"kernel_size": (3, 1)},
    "kernel on the other axis": {"kernel_size": (1, 3)},
    "units": {"filters": 5},
    "stride": {"strides": 2},
    "padding": {"padding": "valid"},
    "dilation": {"dilation_rate": 2},
    "activation": {"activation": "tanh"},
    "no activation": {"activation": None},
    "bias": {"use_bias": False},
    "operation": {"pool": "AveragePooling2D"},
    "merge": {"merge": "Maximum"},
    "another merge": {"merge": "Subtract"},
    "edge": {"source": "s"},
    "order of a merge": {"order": ("b", "a")},
    "sharing": {"shared": True},
}


def differ(one, other):
    """Say whether two networks are different functions of their weights in order."""
    shapes = [[value.shape for value in model.get_weights()] for model in (one, other)]
    if shapes[0] != shapes[1] or one.output_shape != other.output_shape:
        return True
    scrambled(one, 0)
    other.set_weights(one.get_weights())
    (a,), (b,) = (outputs_of(model, 1) for model in (one, other))
    return not np.allclose(a, b, rtol=1e-3)


def test_each_single_edit_that_matters_changes_the_signature_and_what_is_computed():
    graphs = {edit: edited_network(**change) for edit, change in SINGLE_EDITS.items()}
    plain = edited_network()
    signatures = {signature_of(graph) for graph in (plain, *graphs.values())}
    assert len(signatures) == 1 + len(SINGLE_EDITS)
    base = build_model(plain)
    assert not differ(base, build_model(edited_network()))
    assert [edit for edit, graph in graphs.items() if not differ(base, build_model(graph))] == []


def test_the_order_of_a_difference_matters_to_the_signature_and_to_the_numbers():
    graphs = [edited_network(merge="Subtract", order=order) for order in (("a", "b"), ("b", "a"))]
    assert signature_of(graphs[0]) != signature_of(graphs[1])
    assert differ(*map(build_model, graphs))


def test_assignments_of_the_dense_space_with_one_signature_compute_the_same():
    space = dnn_search_space(4, 2, "sigmoid", units_choices=(5, 6), layer_num_choices=(2,))
    alike: dict[str, list] = {}
    for seed in range(150):
        found = space.sample(seed)
        known = alike.setdefault(found.signature, [])
        if found not in known:
            known.append(found)
    pairs = [group[:2] for group in alike.values() if len(group) > 1]
    assert len(pairs) > 3
    for one, two in pairs[:6]:
        assert one.decisions != two.decisions
        models = [build_model(found) for found in (one, two)]
        scrambled(models[0], 0)
        models[1].set_weights(models[0].get_weights())  # a chain: the isomorphism keeps the order
        (a,), (b,) = (outputs_of(model, 1) for model in models)
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_twins_and_a_layer_used_twice_differ_in_signature_and_in_what_they_can_compute():
    def network(weights):
        nodes = (
            node("in", "Input", {"shape": (2,)}),
            node("a", "Dense", {"units": 2}, ["in"]),
            node("b", "Dense", {"units": 2}, ["in"], weights),
            node("out", "Add", {}, ["a", "b"]),
        )
        return LayerGraph(nodes, ("in",), ("out",))

    twins, shared = network("b"), network("a")
    assert signature_of(twins) != signature_of(shared)
    assert build_model(twins).count_params() == 2 * build_model(shared).count_params()


def test_the_signature_of_a_network_with_live_keras_objects_does_not_depend_on_the_object():
    def of(**arguments):
        nodes = (
            node("in", "Input", {"shape": (2,)}),
            node("x", "Dense", {"units": 2} | arguments, ["in"]),
        )
        return signature_of(LayerGraph(nodes, ("in",), ("x",)))

    penalties = [keras.regularizers.L2(value) for value in (0.1, 0.1, 0.2)]
    first, same, other = (of(kernel_regularizer=penalty) for penalty in penalties)
    assert first == same != other
    assert of(activation=keras.activations.tanh) != of(activation=keras.activations.relu)
    layers = [keras.layers.Dense(3), keras.layers.Dense(3), keras.layers.Dense(4)]
    first, same, other = (of(activation=layer) for layer in layers)
    assert first == same != other
