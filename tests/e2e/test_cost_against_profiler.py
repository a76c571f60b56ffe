"""Floating-point operations against TensorFlow's profiler, operation by operation.

The profiler reads the traced function of a model and counts what it has a formula for. Compared are
the operations that `Cost.flops` is about, products that are summed: convolutions and products of
matrices. Where Keras computes them by an operation without a formula (the einsum of the scores of
`MultiHeadAttention`, a loop in a recurrent layer that is not unrolled, a compiled convolution of
groups), there is nothing to compare. What is element-wise, `Cost` counts as none.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from hypernets.adapters.keras import layers
from hypernets.adapters.keras.model_builder import build_model
from hypernets.domain.space import HyperSpace
from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space
from hypernets.frameworks.keras.nas_bench_101 import nas_bench_101_search_space
from hypernets.frameworks.keras.nas_bench_201 import nas_bench_201_search_space

pytestmark = pytest.mark.keras

PRODUCTS = {
    *("Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput"),
    *("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"),
}
SPACES = {
    "dnn": (lambda: dnn_search_space(10, 2, "sigmoid"), 5),
    "cnn": (lambda: cnn_search_space((16, 16, 3), 10, block_num_choices=[2, 3]), 5),
    "nas_bench_101": (
        lambda: nas_bench_101_search_space((16, 16, 3), filters=16, stacks=2, cells_per_stack=1),
        4,
    ),
    "nas_bench_201": (
        lambda: nas_bench_201_search_space((16, 16, 3), filters=4, cells_per_stage=1),
        4,
    ),
    "enas": (
        lambda: enas_micro_search_space("NR", input_shape=(16, 16, 3), init_filters=8, node_num=3),
        3,
    ),
}


def profiled(model) -> dict[str, int]:
    """Return the floating-point operations for one example, by kind of operation."""
    specs = [tf.TensorSpec((1, *value.shape[1:]), value.dtype) for value in model.inputs]
    call = tf.function(
        lambda *inputs: model(inputs if len(inputs) > 1 else inputs[0], training=False)
    )
    graph = call.get_concrete_function(*specs).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder(
        tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    )
    report = tf.compat.v1.profiler.profile(
        graph, cmd="op", options=options.with_empty_output().build()
    )
    found: dict[str, int] = {}
    waiting = list(report.children)
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.children)
        found[kind.name] = found.get(kind.name, 0) + kind.float_ops
    return found


def products(model) -> int:
    return sum(count for kind, count in profiled(model).items() if kind in PRODUCTS)


@pytest.mark.parametrize("name", SPACES)
def test_the_networks_of_a_space_take_as_many_operations_as_the_profiler_counts(name):
    make, count = SPACES[name]
    space = make()
    for seed in range(count):
        architecture = space.sample(seed)
        cost = architecture.cost()
        assert cost.uncounted == ()
        assert cost.flops == pytest.approx(products(build_model(architecture)), rel=0.01)
    keras.backend.clear_session()


IMAGE, SERIES, VOLUME, VECTOR = (9, 8, 4), (10, 4), (5, 6, 7, 2), (6,)
COUNTED = {
    "dense": (VECTOR, lambda x: layers.Dense(5)(x)),
    "dense on a series": (SERIES, lambda x: layers.Dense(5)(x)),
    "convolution of a series": (SERIES, lambda x: layers.Conv1D(3, 3)(x)),
    "causal convolution": (SERIES, lambda x: layers.Conv1D(3, 3, padding="causal")(x)),
    "convolution": (IMAGE, lambda x: layers.Conv2D(3, 3)(x)),
    "convolution of strides": (IMAGE, lambda x: layers.Conv2D(3, (3, 2), strides=2)(x)),
    "padded convolution": (IMAGE, lambda x: layers.Conv2D(3, 5, padding="same", strides=2)(x)),
    # of sizes that the dilation divides: TensorFlow pads others, and the profiler counts that in
    "dilated convolution": ((10, 8, 4), lambda x: layers.Conv2D(3, 3, dilation_rate=2)(x)),
    "convolution of a volume": (VOLUME, lambda x: layers.Conv3D(3, 2)(x)),
    "depthwise convolution": (
        IMAGE,
        lambda x: layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x),
    ),
    "depthwise convolution of strides": (IMAGE, lambda x: layers.DepthwiseConv2D(3, strides=2)(x)),
    "separable convolution": (IMAGE, lambda x: layers.SeparableConv2D(5, 3, strides=2)(x)),
    "separable convolution of a series": (SERIES, lambda x: layers.SeparableConv1D(5, 3)(x)),
    "transposed convolution": (IMAGE, lambda x: layers.Conv2DTranspose(3, 3, padding="same")(x)),
    "transposed convolution of strides": (
        IMAGE,
        lambda x: layers.Conv2DTranspose(3, 4, strides=2, padding="same")(x),
    ),
    "simple recurrence": (SERIES, lambda x: layers.SimpleRNN(5, unroll=True)(x)),
    "gated recurrence": (SERIES, lambda x: layers.GRU(5, unroll=True)(x)),
    "long memory": (SERIES, lambda x: layers.LSTM(5, unroll=True)(x)),
    "both directions": (
        SERIES,
        lambda x: layers.Bidirectional(layer=layers.LSTM(5, unroll=True))(x),
    ),
    "attention": (SERIES, lambda x: layers.Attention()([x, x])),
    "dot": (SERIES, lambda x: layers.Dot(axes=2)([x, x])),
    "dense at every step": (SERIES, lambda x: layers.TimeDistributed(layer=layers.Dense(3))(x)),
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_layer_takes_as_many_operations_as_the_profiler_counts(name):
    shape, author = COUNTED[name]
    space = HyperSpace()
    with space.as_default():
        author(layers.Input(shape=shape))
    architecture = space.sample(0)
    found = products(build_model(architecture))
    assert found > 0
    assert architecture.cost().flops == pytest.approx(found, rel=0.01)


def test_the_projections_of_attention_with_heads_are_counted_and_its_scores_are_added():
    space = HyperSpace()
    with space.as_default():
        x = layers.Input(shape=SERIES)
        layers.MultiHeadAttention(num_heads=2, key_dim=3)([x, x])
    architecture = space.sample(0)
    steps, features, width = *SERIES, 2 * 3
    projections, scores = 4 * steps * features * width, 2 * steps * steps * width
    assert products(build_model(architecture)) == 2 * projections  # not the einsums of the scores
    assert architecture.cost().multiply_adds == projections + scores


def test_what_the_profiler_counts_besides_is_element_wise():
    space = HyperSpace()
    with space.as_default():
        x = layers.Conv2D(4, 3)(layers.Input(shape=IMAGE))
        layers.Dense(2, activation="softmax")(layers.MaxPooling2D()(layers.BatchNormalization()(x)))
    architecture = space.sample(0)
    found = profiled(build_model(architecture))
    assert {"BiasAdd", "MaxPool"} <= found.keys() - PRODUCTS
    assert architecture.cost().flops < sum(found.values())
    assert np.isclose(architecture.cost().flops, sum(found[kind] for kind in ("Conv2D", "MatMul")))
