"""Layers that put out zeros: what a signature makes of them."""

import numpy as np
import pytest

from hypernets.adapters.keras.layers import (
    LSTM,
    Activation,
    ActivityRegularization,
    Add,
    Conv2D,
    Dense,
    Embedding,
    Input,
    ReLU,
    Rescaling,
    Reshape,
)
from hypernets.domain.architecture.graph import LayerGraph, LayerNode, Origin
from hypernets.domain.architecture.signature import signature_of
from hypernets.domain.layers import rule_for, ruled_layers
from hypernets.domain.space import HyperSpace

ZERO = {"scale": 0.0}


def signature(author, shape=(8, 8, 2)):
    space = HyperSpace()
    with space.as_default():
        author(Input(shape=shape))
    return space.sample(0).signature


def conv(x, kernel_size=3, filters=2):
    return Conv2D(filters, kernel_size, padding="same")(x)


def test_zeros_in_a_sum_make_no_difference():
    plain = signature(lambda x: conv(conv(x, 1)))
    assert signature(lambda x: conv(Add()([conv(x, 1), Rescaling(0.0)(x)]))) == plain
    assert signature(lambda x: conv(Add()([Rescaling(0)(x), conv(x, 1)]))) == plain
    both = signature(lambda x: Add()([conv(x, 1), conv(x, 3), Rescaling(0.0)(x)]))
    assert both == signature(lambda x: Add()([conv(x, 1), conv(x, 3)]))


def test_zeros_are_the_same_zeros_wherever_they_come_from():
    def author(source):
        def write(x):
            a = conv(x, 1)
            conv(Add()([Rescaling(0.0)(x if source == "image" else a), Rescaling(0.0)(x)]), 5)
            conv(a, 3)

        return signature(write)

    assert author("image") == author("branch")


def test_a_sum_of_zeros_is_zeros():
    one = signature(lambda x: conv(Rescaling(0.0)(x)))
    assert signature(lambda x: conv(Add()([Rescaling(0.0)(x), Rescaling(0.0)(x)]))) == one
    assert one != signature(conv)


def test_the_shape_of_zeros_matters_where_it_stretches_a_sum():
    def author(stretch):
        def write(x):
            small = Dense(1)(x)
            Add()([small, Rescaling(0.0)(x)] if stretch else [small])

        return signature(write)

    assert author(stretch=True) != author(stretch=False)


def test_zeros_of_what_has_weights_are_kept_with_it():
    def author(*layers):
        def write(x):
            zeros = x
            for layer in layers:
                zeros = layer(zeros)
            Add()([conv(x, 1), Rescaling(0.0)(zeros)])

        return signature(write)

    weightless = author(lambda x: ReLU()(x))
    assert weightless == author() == signature(lambda x: conv(x, 1))
    assert author(conv) != weightless
    assert author(conv) != author(lambda x: conv(x, 5))


def test_zeros_of_what_adds_to_the_loss_are_kept_with_it():
    def author(layer=None):
        def write(x):
            zeros = layer(x) if layer else x
            Add()([conv(x, 1), Rescaling(0.0)(zeros)])

        return signature(write)

    assert author(lambda x: Activation("relu")(x)) == author()
    assert author(lambda x: Activation("relu", activity_regularizer="l2")(x)) != author()
    assert author(lambda x: ActivityRegularization(l2=0.1)(x)) != author()


def test_zeros_are_kept_where_a_mask_may_be_passed_on():
    def author(*, masked, zeros):
        def write(x):
            words = Embedding(9, 2, mask_zero=masked)(x)
            others = [Rescaling(0.0)(Reshape((5, 1))(x))] if zeros else []
            LSTM(3)(Add()([words, Embedding(9, 2)(x), *others]))

        space = HyperSpace()
        with space.as_default():
            write(Input(shape=(5,), dtype="int32"))
        return space.sample(0).signature

    assert author(masked=False, zeros=True) == author(masked=False, zeros=False)
    assert author(masked=True, zeros=True) != author(masked=True, zeros=False)


def test_what_only_nearly_puts_out_zeros_is_a_layer_like_any_other():
    plain = signature(lambda x: conv(x, 1))
    near = [
        {"scale": 0.0, "offset": 1.0}, {"scale": 1e-9}, {"scale": 0.0, "dtype": "float16"},
        {"scale": 0.0, "activity_regularizer": "l2"},
    ]  # fmt: skip
    found = {
        signature(lambda x, given=given: Add()([conv(x, 1), Rescaling(**given)(x)]))
        for given in near
    }
    assert plain not in found
    assert len(found) == len(near)


def node(name, layer, arguments=None, inputs=()):
    return LayerNode(name, layer, arguments or {}, tuple(inputs), name, Origin(0))


def test_without_shapes_zeros_are_kept():
    def of(*inputs):
        nodes = (
            node("in", "Input", {"shape": (2,)}),
            node("a", "Dense", {"units": 2}, ["in"]),
            node("z", "Rescaling", ZERO, ["in"]),
            node("m", "Add", {}, inputs),
        )
        return signature_of(LayerGraph(nodes, ("in",), ("m",)))

    assert of("a", "z") != of("a")


@pytest.mark.parametrize("scale", [np.zeros(2), [0.0, 0.0], "0", None])
def test_a_scale_that_is_no_number_is_not_taken_for_zero(scale):
    assert not rule_for("Rescaling").is_zero({"scale": scale})


def test_just_these_layers_put_out_or_drop_zeros():
    assert [name for name in ruled_layers() if rule_for(name).is_zero(ZERO)] == ["Rescaling"]
    assert [name for name in ruled_layers() if rule_for(name).drops_zeros] == ["Add"]
