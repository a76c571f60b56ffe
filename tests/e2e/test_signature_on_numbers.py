"""Networks with one signature compute the same from the same weights, on real Keras."""

import random

import keras
import numpy as np
import pytest

from hypernets.adapters.keras.model_builder import build_model
from hypernets.adapters.keras.spaces.dnn import dnn_search_space
from hypernets.domain.architecture.graph import LayerGraph, LayerNode, Origin
from hypernets.domain.architecture.signature import signature_of

pytestmark = pytest.mark.keras

CHANNELS = 3
COMMUTATIVE = ("Add", "Multiply", "Average", "Maximum", "Minimum")
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
            fed = [rng.choice(made) for _ in range(rng.randint(2, 3))]
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
