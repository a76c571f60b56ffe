"""From resolved graphs to real Keras models."""

import gc
import pickle
import weakref
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from hypernets.adapters.keras import build_model, release
from hypernets.adapters.keras.model_builder import call_layer, make_layer
from hypernets.domain.architecture.graph import LayerGraph, LayerNode, LayerSpec, Origin
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice
from hypernets.frameworks.keras import layers as offered
from hypernets.frameworks.keras.layers import Function, custom

pytestmark = pytest.mark.keras


def node(name, layer, inputs=(), *, weights=None, factory=None, **arguments):
    inputs = (inputs,) if isinstance(inputs, str) else tuple(inputs)
    return LayerNode(name, layer, arguments, inputs, weights or name, Origin(0), factory)


def graph(*nodes, outputs, inputs=None):
    ends = inputs or [each.name for each in nodes if each.layer == "Input"]
    outputs = (outputs,) if isinstance(outputs, str) else outputs
    return LayerGraph(tuple(nodes), tuple(ends), tuple(outputs))


def layer_names(model):
    return [layer.name for layer in model.layers]


def zeros(*shape):
    return np.zeros((2, *shape), "float32")


def ones(*shape):
    return np.ones((2, *shape), "float32")


@pytest.fixture
def space():
    space = HyperSpace()
    with space.as_default():
        yield space


# --- ends -------------------------------------------------------------------


def test_a_chain_becomes_a_functional_model_with_the_names_of_the_graph():
    model = build_model(
        graph(
            node("in", "Input", shape=(4,)),
            node("hidden", "Dense", "in", units=3),
            node("out", "Dense", "hidden", units=2),
            outputs="out",
        ),
        name="chain",
    )
    assert model.name == "chain"
    assert layer_names(model) == ["in", "hidden", "out"]
    assert model.count_params() == 4 * 3 + 3 + 3 * 2 + 2
    assert model.output.shape == (None, 2)


def test_whatever_has_a_graph_can_be_built():
    chain = graph(node("in", "Input", shape=4), node("out", "Dense", "in", units=2), outputs="out")
    assert build_model(SimpleNamespace(graph=chain)).output.shape == (None, 2)


def test_several_inputs_and_outputs_keep_the_order_of_the_graph():
    model = build_model(
        graph(
            node("b", "Input", shape=(3,)),
            node("a", "Input", shape=(2,)),
            node("joined", "Concatenate", ("a", "b")),
            node("two", "Dense", "joined", units=2),
            node("one", "Dense", "joined", units=1),
            inputs=("a", "b"),
            outputs=("one", "two"),
        )
    )
    assert [tensor.name for tensor in model.inputs] == ["a", "b"]
    assert [tensor.shape for tensor in model.outputs] == [(None, 1), (None, 2)]
    one, two = model([zeros(2), zeros(3)])
    assert (one.shape, two.shape) == ((2, 1), (2, 2))


def test_an_input_that_nothing_reads_is_still_an_input_of_the_model():
    model = build_model(
        graph(
            node("unread", "Input", shape=(3,)),
            node("in", "Input", shape=(2,)),
            node("out", "Dense", "in", units=1),
            outputs="out",
        )
    )
    assert [tensor.name for tensor in model.inputs] == ["unread", "in"]
    model.compile("sgd", "mse")
    model.fit([ones(3), ones(2)], np.zeros((2, 1)), verbose=0)


def test_an_input_may_be_an_output():
    model = build_model(graph(node("in", "Input", shape=(2,)), outputs="in"))
    np.testing.assert_array_equal(model(ones(2)), ones(2))


@pytest.mark.parametrize(("inputs", "outputs"), [(("in",), ()), ((), ("in",)), (("in",), ("x",))])
def test_a_graph_without_proper_ends_is_no_model(inputs, outputs):
    ends = LayerGraph((node("in", "Input", shape=(2,)),), inputs, outputs)
    with pytest.raises(BuildError, match="'model': a model must have inputs and outputs"):
        build_model(ends)


# --- sharing ----------------------------------------------------------------


def test_a_shared_layer_has_one_set_of_weights():
    model = build_model(
        graph(
            node("a", "Input", shape=(2,)),
            node("b", "Input", shape=(2,)),
            node("first", "Dense", "a", units=3),
            node("second", "Dense", "b", weights="first", units=3),
            outputs=("first", "second"),
        )
    )
    assert model.count_params() == 2 * 3 + 3
    one, two = model([ones(2), ones(2)])
    np.testing.assert_array_equal(one, two)


def test_a_shared_layer_whose_first_place_is_not_in_the_graph_has_its_name():
    model = build_model(
        graph(
            node("in", "Input", shape=(2,)),
            node("second", "Dense", "in", weights="first", units=3),
            outputs="second",
        )
    )
    assert layer_names(model) == ["in", "first"]


def test_a_layer_shared_in_a_space_is_shared_in_the_model(space):
    end = offered.Input(shape=(2,))
    dense = offered.Dense(2, name="dense")(end)
    dense.share()(dense)
    assert build_model(space.sample(0)).count_params() == 2 * 2 + 2


def test_one_layer_wrapped_twice_is_one_layer():
    cell = LayerSpec("LSTMCell", {"units": 3}, "cell")
    model = build_model(
        graph(
            node("in", "Input", shape=(4, 2)),
            node("one", "RNN", "in", cell=cell),
            node("two", "RNN", "in", cell=cell),
            outputs=("one", "two"),
        )
    )
    one, two = model(ones(4, 2))
    np.testing.assert_array_equal(one, two)


# --- calling conventions ----------------------------------------------------


@pytest.mark.parametrize("merge", ["Add", "Average", "Concatenate", "Maximum", "Multiply"])
def test_a_merge_of_one_input_passes_it_on(merge):
    model = build_model(
        graph(node("in", "Input", shape=(2,)), node("out", merge, "in"), outputs="out")
    )
    np.testing.assert_array_equal(model(ones(2)), ones(2))


def test_a_merge_may_be_fed_one_tensor_twice():
    model = build_model(
        graph(node("in", "Input", shape=(2,)), node("out", "Add", ("in", "in")), outputs="out")
    )
    np.testing.assert_array_equal(model(ones(2)), 2 * ones(2))


def test_the_order_of_inputs_is_kept():
    model = build_model(
        graph(
            node("a", "Input", shape=(2,)),
            node("b", "Input", shape=(2,)),
            node("out", "Subtract", ("b", "a")),
            outputs="out",
        )
    )
    np.testing.assert_array_equal(model([ones(2), zeros(2)]), -ones(2))


def test_a_layer_with_several_outputs_feeds_all_of_them():
    model = build_model(
        graph(
            node("in", "Input", shape=(4, 2)),
            node("encoder", "LSTM", "in", units=3, return_sequences=True, return_state=True),
            node("decoder", "LSTM", ("encoder",), units=3),
            outputs="decoder",
        )
    )
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    sequence, *state = encoder(ones(4, 2))
    np.testing.assert_allclose(model(ones(4, 2)), decoder(sequence, initial_state=state), rtol=1e-6)


def test_the_outputs_of_a_layer_with_several_are_those_of_the_model():
    model = build_model(
        graph(
            node("in", "Input", shape=(4, 2)),
            node("out", "GRU", "in", units=3, return_state=True),
            outputs="out",
        )
    )
    assert [tensor.shape for tensor in model.outputs] == [(None, 3), (None, 3)]


def test_multi_head_attention_takes_query_value_and_key_by_position():
    model = build_model(
        graph(
            node("query", "Input", shape=(3, 2)),
            node("value", "Input", shape=(5, 2)),
            node("out", "MultiHeadAttention", ("query", "value", "value"), num_heads=1, key_dim=2),
            outputs="out",
        )
    )
    assert model.output.shape == (None, 3, 2)


def test_a_layer_that_takes_one_input_refuses_two():
    with pytest.raises(BuildError, match=r"'out': the layer Activation .*takes one input; rece"):
        build_model(
            graph(
                node("a", "Input", shape=(2,)),
                node("out", "Activation", ("a", "a"), activation="relu"),
                outputs="out",
            )
        )


# --- nested layers ----------------------------------------------------------


def test_wrappers_of_wrappers_are_built(space):
    end = offered.Input(shape=(6, 4, 2))
    inner = offered.Bidirectional(offered.LSTM(Choice([3]), name="lstm"), name="both_ways")
    offered.TimeDistributed(inner, name="each")(end)
    model = build_model(space.sample(0))
    assert model.output.shape == (None, 6, 6)
    assert isinstance(model.get_layer("each").layer, keras.layers.Bidirectional)
    assert inner.name not in layer_names(model)


def test_a_live_keras_layer_as_an_argument_does_not_share_weights_between_models():
    dense = keras.layers.Dense(3)
    spec = LayerSpec("TimeDistributed", {"layer": dense}, "each")
    first, second = make_layer(spec), make_layer(spec)
    assert first.layer is not second.layer
    assert not dense.built


# --- the user's own ---------------------------------------------------------


class Scale(keras.layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


class Nameless(keras.layers.Layer):
    def __init__(self, factor=2.0):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


class WeightedSum(keras.layers.Layer):
    def call(self, first, second):
        return first + 2 * second


class ListSum(keras.layers.Layer):
    def call(self, inputs):
        return sum(inputs)


@keras.saving.register_keras_serializable(package="test_model_builder")
class Registered(Scale):
    pass


def test_a_class_of_the_users_own_is_a_layer(space):
    end = offered.Input(shape=(2,))
    module = custom(Scale)(Choice([3.0]), name="scale")(end)
    assert module.arguments.keys() == {"factor"}
    model = build_model(space.sample(0))
    assert layer_names(model)[-1] == "scale"
    np.testing.assert_array_equal(model(ones(2)), 3 * ones(2))


def test_a_class_that_takes_no_name_still_gets_it(space):
    custom(Nameless)(name="given")(offered.Input(shape=(2,)))
    model = build_model(space.sample(0))
    assert model.get_layer("given").factor == 2.0


def test_a_registered_class_is_found_by_its_name(space):
    custom("test_model_builder>Registered")(factor=4.0)(offered.Input(shape=(2,)))
    np.testing.assert_array_equal(build_model(space.sample(0))(ones(2)), 4 * ones(2))


@pytest.mark.parametrize("layer", [Scale, "test_model_builder>Registered"])
def test_the_arguments_of_a_custom_layer_are_checked_when_it_is_authored(space, layer):
    with pytest.raises(SpaceError, match="has no argument 'facto'; did you mean 'factor'"):
        custom(layer)(facto=3.0)
    with pytest.raises(SpaceError, match="must get the argument 'factor'"):
        custom(layer)()
    with pytest.raises(SpaceError, match="Nameless has no argument 'zzz'"):
        custom(Nameless)(zzz=1)


def test_several_inputs_reach_a_custom_layer_as_its_call_says(space):
    ends = [offered.Input(shape=(2,)), offered.Input(shape=(2,))]
    space.set_outputs([custom(WeightedSum)()(ends), custom(ListSum)()(ends)])
    weighted, summed = build_model(space.sample(0))([ones(2), ones(2)])
    np.testing.assert_array_equal(weighted, 3 * ones(2))
    np.testing.assert_array_equal(summed, 2 * ones(2))


def test_an_unknown_layer_is_an_error_that_says_how_to_name_one():
    with pytest.raises(BuildError, match=r"'x': a layer must be one of keras\.layers or registe"):
        make_layer(LayerSpec("nowhere>Layer", {}, "x"))


def test_a_function_over_tensors_is_a_layer(space):
    end = offered.Input(shape=(2,))
    twice = Function(lambda x, by: x * by, arguments={"by": Choice([2.0])})(end)
    Function(lambda a, b: a - b, name="difference")([twice, end])
    model = build_model(space.sample(0))
    np.testing.assert_array_equal(model(3 * ones(2)), 3 * ones(2))
    assert isinstance(model.get_layer("difference"), keras.layers.Lambda)


def half(x):
    return x / 2


@pytest.mark.filterwarnings("ignore:.*'ndim'.*:DeprecationWarning")
def test_a_model_with_a_function_can_be_saved_and_loaded(space, tmp_path):
    Function(half)(offered.Input(shape=(2,)))
    build_model(space.sample(0)).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects={"half": half})
    np.testing.assert_array_equal(loaded(ones(2)), ones(2) / 2)


def test_the_maker_of_a_function_travels_by_its_name():
    factory = Function.factory
    assert pickle.loads(pickle.dumps(factory)) is factory  # noqa: S301 - made here


# --- errors -----------------------------------------------------------------


def test_a_refused_argument_is_an_error_with_the_layer_its_arguments_and_kerass_reason():
    bad = graph(
        node("in", "Input", shape=(2,)), node("out", "Dense", "in", units=-1), outputs="out"
    )
    with pytest.raises(BuildError) as caught:
        build_model(bad)
    message = str(caught.value)
    for part in (
        "'out'",
        "the layer Dense must",
        "received units=-1",
        "change",
        "positive integer",
    ):
        assert part in message
    assert isinstance(caught.value.__cause__, ValueError)


def test_shapes_that_do_not_fit_are_an_error_with_the_shapes_and_kerass_reason():
    bad = graph(
        node("in", "Input", shape=(2, 2, 1)),
        node("out", "Conv2D", "in", filters=1, kernel_size=3),
        outputs="out",
    )
    with pytest.raises(BuildError) as caught:
        build_model(bad)
    message = str(caught.value)
    for part in ("'out'", "Conv2D", "(None, 2, 2, 1) from 'in'", "filters=1, kernel_size=3"):
        assert part in message
    assert "negative dimension" in message.lower() or "negative" in message
    assert "\x1b" not in message


def test_a_nested_layer_that_is_refused_is_named():
    inner = LayerSpec("LSTM", {"units": 0}, "inner")
    with pytest.raises(BuildError, match=r"'inner': the layer LSTM must .* received units=0"):
        make_layer(LayerSpec("Bidirectional", {"layer": inner}, "outer"))


@pytest.mark.parametrize("layer", ["Input", "Dense"])
def test_a_name_that_keras_refuses_is_an_error_that_says_so(layer):
    arguments = {"shape": (2,)} if layer == "Input" else {"units": 2}
    named = graph(
        node("in", "Input", shape=(2,)),
        node("a/b", layer, () if layer == "Input" else "in", **arguments),
        outputs="a/b",
    )
    with pytest.raises(BuildError, match=r"'a/b'.*cannot contain character `/`"):
        build_model(named)


def test_a_layer_that_nothing_feeds_is_an_error():
    with pytest.raises(
        BuildError, match=r"'out': the layer Dense must be fed .* received no input"
    ):
        build_model(graph(node("out", "Dense", units=2), outputs="out", inputs=("out",)))


def test_a_layer_before_what_feeds_it_is_an_error():
    with pytest.raises(BuildError, match=r"'out': every input .* must stand before it.*'in'"):
        build_model(
            graph(node("out", "Dense", "in", units=2), node("in", "Input", shape=2), outputs="out")
        )


# --- the rest ---------------------------------------------------------------


def test_building_does_not_depend_on_what_was_built_before():
    def built():
        return build_model(
            graph(
                node("in", "Input", shape=(2,)),
                node("out", "Dense", "in", units=2),
                outputs="out",
            )
        )

    assert built().get_config() == built().get_config()


def test_call_layer_flattens_what_a_layer_puts_out():
    layer = make_layer(LayerSpec("LSTM", {"units": 3, "return_state": True}))
    outputs = call_layer(layer, [keras.KerasTensor((None, 4, 2))])
    assert [tensor.shape for tensor in outputs] == [(None, 3)] * 3


def trained(units=2):
    model = build_model(
        graph(
            node("in", "Input", shape=(2,)),
            node("hidden", "Dense", "in", units=units),
            node("out", "Dense", "hidden", units=2),
            outputs="out",
        )
    )
    model.compile("sgd", "mse")
    model.fit(ones(2), ones(2), verbose=0)
    return model


def test_a_released_model_lets_its_compiled_steps_go_and_can_be_used_on():
    model = trained()
    before = model.predict(ones(2), verbose=0)
    step = weakref.ref(model.train_function)
    release(model)
    gc.collect()
    assert step() is None
    np.testing.assert_array_equal(model.predict(ones(2), verbose=0), before)
    model.fit(ones(2), ones(2), verbose=0)


def test_nothing_else_holds_a_released_model():
    model = trained()
    released = weakref.ref(model)
    release(model)
    del model
    gc.collect()
    assert released() is None


def test_releasing_a_large_model_collects_those_released_before(monkeypatch):
    collected = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(True))
    release(trained())
    assert not collected
    release(trained(units=1_000_000))
    assert collected
