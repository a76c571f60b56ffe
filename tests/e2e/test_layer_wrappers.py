"""Every layer of the vocabulary, built from a space, equals the layer of Keras made directly."""

import random
import re
from pathlib import Path

import attrs
import keras
import numpy as np
import pytest

from hypernets.adapters.keras import generation
from hypernets.adapters.keras import layers as vocabulary
from hypernets.adapters.keras.model_builder import build_model, make_layer
from hypernets.domain.architecture.graph import LayerSpec
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice

pytestmark = pytest.mark.keras

DRAWS = 3  # argument sets a layer


# --- inputs -----------------------------------------------------------------


def numbers(*shapes):
    """Arrays of floats; each shape is that of one input, without the batch."""
    return lambda rng: [rng.normal(size=(2, *shape)).astype("float32") for shape in shapes]


def images(rng):
    return [rng.uniform(0, 255, size=(2, 8, 8, 3)).astype("float32")]


def integers(*shape, high=5):
    return lambda rng: [rng.integers(0, high, size=(2, *shape)).astype("int32")]


def pairs_of_integers(rng):
    return [rng.integers(0, 5, size=(2, 1)).astype("int32") for _ in range(2)]


def strings(*shape):
    return lambda rng: [rng.choice(["a", "b", "zebra"], size=(2, *shape)).astype(object)]


VECTOR, SEQUENCE, IMAGE, VOLUME = (
    numbers((6,)),
    numbers((5, 4)),
    numbers((6, 6, 4)),
    numbers((4, 4, 4, 4)),
)
FRAMES = {
    1: numbers((3, 6, 2)),
    2: numbers((3, 5, 5, 2)),
    3: numbers((2, 3, 3, 3, 2)),
}
BY_RANK = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}


# --- arguments --------------------------------------------------------------


@attrs.frozen
class Nested:
    """A layer used as an argument, made by whichever side asks."""

    layer: str
    arguments: dict

    def made_by(self, library):
        return getattr(library, self.layer)(**made_by(library, self.arguments))


def nested(layer, name, **arguments):
    return Nested(layer, {**arguments, "name": name})


def made_by(library, value):
    if isinstance(value, Nested):
        return value.made_by(library)
    if isinstance(value, list):
        return [made_by(library, item) for item in value]
    if isinstance(value, dict):
        return {key: made_by(library, item) for key, item in value.items()}
    return value


def holds_layers(value):
    return isinstance(value, Nested) or (isinstance(value, list) and any(map(holds_layers, value)))


@attrs.frozen
class Case:
    """How to feed a layer, and the values that its arguments are drawn from."""

    inputs: object
    options: dict

    def draw(self, seed):
        rng = random.Random(seed)  # noqa: S311 - not a secret
        return {keyword: rng.choice(values) for keyword, values in self.options.items()}


def case(inputs, **options):
    return Case(inputs, options)


def double(x):
    return x * 2.0


YES_NO = [True, False]
KERNEL = {
    "kernel_initializer": ["he_normal", "zeros"],
    "bias_initializer": ["ones", "zeros"],
    "kernel_regularizer": [None, "l2"],
    "kernel_constraint": [None, "max_norm"],
    "use_bias": YES_NO,
}
CONVOLUTION = {
    **KERNEL,
    "filters": [2, 4],
    "kernel_size": [2, 3],
    "strides": [1, 2],
    "activation": [None, "relu"],
}
DEPTHWISE = {
    "kernel_size": [2, 3],
    "strides": [1, 2],
    "depth_multiplier": [1, 2],
    "depthwise_initializer": ["he_normal", "glorot_uniform"],
    "use_bias": YES_NO,
}
RECURRENT = {
    "units": [2, 3],
    "activation": ["tanh", "relu"],
    "use_bias": YES_NO,
    "recurrent_initializer": ["orthogonal", "glorot_uniform"],
    "recurrent_dropout": [0.0, 0.25],
}
UNROLLED = {
    **RECURRENT,
    "return_sequences": YES_NO,
    "return_state": YES_NO,
    "go_backwards": YES_NO,
}
SCALED = {"center": YES_NO, "scale": YES_NO, "epsilon": [1e-3, 1e-2]}
ATTENTION = {"dropout": [0.0, 0.25], "use_scale": YES_NO, "score_mode": ["dot", "concat"]}
RANGE = {"value_range": [(0, 255), (0.0, 1.0)]}
SEEDED = {"seed": [1, 7]}
FILLED = {**SEEDED, "fill_mode": ["reflect", "constant"], "fill_value": [0.0, 1.0]}
LOOKUP = {"num_oov_indices": [1, 2], "output_mode": ["int", "multi_hot"]}

CASES = {
    "Activation": case(VECTOR, activation=["relu", "tanh", "softmax"]),
    "ActivityRegularization": case(VECTOR, l1=[0.0, 0.1], l2=[0.0, 0.2]),
    "Add": case(numbers((3,), (3,), (3,)), dtype=["float32", "float64"]),
    "AdditiveAttention": case(
        numbers((4, 3), (5, 3)), use_scale=YES_NO, dropout=[0.0, 0.25], seed=[1, 7]
    ),
    "AlphaDropout": case(VECTOR, rate=[0.1, 0.5], seed=[1, 7]),
    "Attention": case(numbers((4, 3), (5, 3), (5, 3)), **ATTENTION),
    "AugMix": case(images, num_chains=[1, 2], factor=[0.1, 0.3], **SEEDED),
    "AutoContrast": case(images, **RANGE),
    "Average": case(numbers((3,), (3,)), trainable=YES_NO),
    "BatchNormalization": case(IMAGE, axis=[-1, 1], momentum=[0.9, 0.99], **SCALED),
    "Bidirectional": case(
        SEQUENCE,
        layer=[
            nested("LSTM", "inner", units=3, return_sequences=True),
            nested("GRU", "inner", units=2, return_sequences=True),
        ],
        merge_mode=["concat", "sum", None],
    ),
    "CategoryEncoding": case(
        integers(3), num_tokens=[5, 6], output_mode=["multi_hot", "count", "one_hot"]
    ),
    "CenterCrop": case(images, height=[4, 5], width=[4, 6]),
    "Concatenate": case(numbers((3, 2), (3, 2)), axis=[-1, 1]),
    "ContrastLimitedAdaptiveHistogramEqualization": case(
        images, clip_limit=[2.0, 4.0], tile_grid_size=[(2, 2), (4, 4)]
    ),
    "CutMix": case(images, factor=[0.5, 1.0], **SEEDED),
    "Dense": case(VECTOR, units=[1, 3], activation=[None, "relu"], **KERNEL),
    "Discretization": case(
        VECTOR, bin_boundaries=[[0.0, 1.0], [-0.5, 0.5, 1.5]], output_mode=["int", "one_hot"]
    ),
    "Dot": case(numbers((3, 4), (3, 4)), axes=[1, 2], normalize=YES_NO),
    "Dropout": case(VECTOR, rate=[0.0, 0.5], **SEEDED),
    "ELU": case(VECTOR, alpha=[0.5, 1.0]),
    "EinsumDense": case(
        SEQUENCE,
        equation=["abc,cd->abd"],
        output_shape=[(5, 3), (None, 2)],
        bias_axes=[None, "d"],
        activation=[None, "relu"],
    ),
    "Embedding": case(integers(4), input_dim=[5, 8], output_dim=[2, 3], mask_zero=YES_NO),
    "Equalization": case(images, bins=[64, 256]),
    "Flatten": case(IMAGE, data_format=["channels_first", "channels_last"]),
    "GRU": case(SEQUENCE, reset_after=YES_NO, **UNROLLED),
    "GRUCell": case(lambda rng: cell_inputs(rng, 1), reset_after=YES_NO, **RECURRENT),
    "GaussianDropout": case(VECTOR, rate=[0.1, 0.5], **SEEDED),
    "GaussianNoise": case(VECTOR, stddev=[0.1, 0.5], **SEEDED),
    "GroupNormalization": case(IMAGE, groups=[1, 2, -1], **SCALED),
    "GroupQueryAttention": case(
        numbers((4, 3), (5, 3)),
        head_dim=[2, 3],
        num_query_heads=[2, 4],
        num_key_value_heads=[1, 2],
        use_bias=YES_NO,
    ),
    "HashedCrossing": case(pairs_of_integers, num_bins=[4, 7], output_mode=["int", "one_hot"]),
    "Hashing": case(integers(3), num_bins=[4, 7], salt=[None, 3], mask_value=[None, 0]),
    "Identity": case(VECTOR, dtype=["float32"]),
    "IntegerLookup": case(integers(1), vocabulary=[[1, 2, 3], [4, 5]], **LOOKUP),
    "LSTM": case(SEQUENCE, unit_forget_bias=YES_NO, **UNROLLED),
    "LSTMCell": case(lambda rng: cell_inputs(rng, 2), unit_forget_bias=YES_NO, **RECURRENT),
    "Lambda": case(VECTOR, function=[double, keras.ops.square]),
    "LayerNormalization": case(SEQUENCE, axis=[-1, 1, (1, 2)], **SCALED),
    "LeakyReLU": case(VECTOR, negative_slope=[0.1, 0.3]),
    "Masking": case(SEQUENCE, mask_value=[0.0, 1.0]),
    "MaxNumBoundingBoxes": case(images, max_number=[2, 3], fill_value=[-1, 0]),
    "Maximum": case(numbers((3,), (3,)), trainable=YES_NO),
    "MelSpectrogram": case(
        numbers((64,)), fft_length=[32], sequence_stride=[8, 16], num_mel_bins=[4, 8]
    ),
    "Minimum": case(numbers((3,), (3,)), trainable=YES_NO),
    "MixUp": case(images, alpha=[0.2, 0.4], **SEEDED),
    "MultiHeadAttention": case(
        numbers((4, 3), (5, 3)),
        num_heads=[1, 2],
        key_dim=[2, 3],
        value_dim=[None, 2],
        use_bias=YES_NO,
        output_shape=[None, 4],
    ),
    "Multiply": case(numbers((3,), (3,)), trainable=YES_NO),
    "Normalization": case(VECTOR, axis=[-1], mean=[0.5, 1.5], variance=[2.0, 3.0], invert=YES_NO),
    "PReLU": case(SEQUENCE, alpha_initializer=["ones", "he_normal"], shared_axes=[None, [1]]),
    "Permute": case(SEQUENCE, dims=[(2, 1), (1, 2)]),
    "Pipeline": case(
        images,
        layers=[
            [nested("Rescaling", "first", scale=0.5), nested("CenterCrop", "b", height=4, width=4)],
            [nested("Rescaling", "first", scale=2.0, offset=1.0)],
        ],
    ),
    "RMSNormalization": case(SEQUENCE, axis=[-1], epsilon=[1e-6, 1e-3]),
    "RNN": case(
        SEQUENCE,
        cell=[
            [nested("LSTMCell", "a", units=3), nested("GRUCell", "b", units=2)],
            nested("SimpleRNNCell", "a", units=3),
        ],
        return_sequences=YES_NO,
        return_state=YES_NO,
    ),
    "RandAugment": case(images, num_ops=[1, 2], factor=[0.1, 0.5], **SEEDED),
    "RandomBrightness": case(images, factor=[0.1, (-0.5, 0.5)], **RANGE, **SEEDED),
    "RandomColorDegeneration": case(images, factor=[0.1, 0.5], **RANGE, **SEEDED),
    "RandomColorJitter": case(images, brightness_factor=[0.1, 0.5], **RANGE, **SEEDED),
    "RandomContrast": case(images, factor=[0.1, (0.2, 0.5)], **RANGE, **SEEDED),
    "RandomCrop": case(images, height=[4, 5], width=[4, 6], **SEEDED),
    "RandomElasticTransform": case(images, factor=[0.5, 1.0], scale=[0.5, 1.0], **FILLED),
    "RandomErasing": case(images, factor=[0.5, 1.0], scale=[(0.1, 0.3), 0.2], **SEEDED),
    "RandomFlip": case(images, mode=["horizontal", "vertical"], **SEEDED),
    "RandomGaussianBlur": case(images, kernel_size=[3, (3, 5)], sigma=[0.5, 1.0], **SEEDED),
    "RandomGrayscale": case(images, factor=[0.5, 1.0], **SEEDED),
    "RandomHue": case(images, factor=[0.1, 0.5], **RANGE, **SEEDED),
    "RandomInvert": case(images, factor=[0.5, 1.0], **RANGE, **SEEDED),
    "RandomPerspective": case(images, factor=[0.5, 1.0], scale=[0.5, 1.0], **SEEDED),
    "RandomPosterization": case(images, factor=[2, 4], **SEEDED),
    "RandomRotation": case(images, factor=[0.1, (-0.2, 0.3)], **FILLED),
    "RandomSaturation": case(images, factor=[0.1, 0.5], **RANGE, **SEEDED),
    "RandomSharpness": case(images, factor=[0.1, 0.5], **RANGE, **SEEDED),
    "RandomShear": case(images, x_factor=[0.1, 0.5], y_factor=[0.0, 0.2], **FILLED),
    "RandomTranslation": case(images, height_factor=[0.1], width_factor=[0.2, 0.3], **FILLED),
    "RandomZoom": case(images, height_factor=[0.1], width_factor=[None, 0.3], **FILLED),
    "ReLU": case(VECTOR, max_value=[None, 1.0], negative_slope=[0.0, 0.2], threshold=[0.0, 0.5]),
    "RepeatVector": case(VECTOR, n=[2, 3]),
    "Rescaling": case(images, scale=[0.5, 1 / 255], offset=[0.0, -1.0]),
    "Reshape": case(IMAGE, target_shape=[(36, 4), (-1,), (6, 24)]),
    "Resizing": case(images, height=[4, 10], width=[5, 8], interpolation=["bilinear", "nearest"]),
    "ReversibleEmbedding": case(
        integers(4), input_dim=[5, 8], output_dim=[2, 3], tie_weights=YES_NO
    ),
    "STFTSpectrogram": case(
        numbers((64, 2)), mode=["log", "magnitude"], frame_length=[16, 32], frame_step=[8]
    ),
    "SimpleRNN": case(SEQUENCE, **UNROLLED),
    "SimpleRNNCell": case(lambda rng: cell_inputs(rng, 1), **RECURRENT),
    "Softmax": case(SEQUENCE, axis=[-1, 1]),
    "Solarization": case(images, addition_factor=[0.0, 0.2], threshold_factor=[0.1], **SEEDED),
    "SpectralNormalization": case(
        VECTOR,
        layer=[nested("Dense", "inner", units=3), nested("Dense", "inner", units=2)],
        power_iterations=[1, 2],
    ),
    "StackedRNNCells": case(
        numbers((4,), (3,), (3,), (2,)),
        cells=[[nested("LSTMCell", "a", units=3), nested("GRUCell", "b", units=2)]],
    ),
    "StringLookup": case(strings(1), vocabulary=[["a", "b"], ["zebra"]], **LOOKUP),
    "Subtract": case(numbers((3,), (3,)), trainable=YES_NO),
    "TextVectorization": case(
        strings(), vocabulary=[["a", "b"], ["zebra"]], output_sequence_length=[2, 3]
    ),
    "TimeDistributed": case(
        SEQUENCE,
        layer=[nested("Dense", "inner", units=3), nested("Activation", "i", activation="relu")],
    ),
    "UnitNormalization": case(SEQUENCE, axis=[-1, 1]),
}

for rank, shaped in BY_RANK.items():
    filled = {1: [1, 2], 2: [1, ((1, 0), (0, 1))], 3: [1, ((1, 0), (0, 1), (1, 1))]}[rank]
    pool = {"pool_size": [2, 3], "strides": [None, 1], "padding": ["valid", "same"]}
    CASES |= {
        f"AdaptiveAveragePooling{rank}D": case(shaped, output_size=[2, 3]),
        f"AdaptiveMaxPooling{rank}D": case(shaped, output_size=[2, 3]),
        f"AveragePooling{rank}D": case(shaped, **pool),
        f"Conv{rank}D": case(shaped, padding=["valid", "same"], groups=[1, 2], **CONVOLUTION),
        f"Conv{rank}DTranspose": case(shaped, padding=["valid", "same"], **CONVOLUTION),
        f"ConvLSTM{rank}D": case(
            FRAMES[rank],
            filters=[1, 2],
            kernel_size=[1, 2],
            return_sequences=YES_NO,
            return_state=YES_NO,
        ),
        f"Cropping{rank}D": case(shaped, cropping=filled),
        f"GlobalAveragePooling{rank}D": case(shaped, keepdims=YES_NO),
        f"GlobalMaxPooling{rank}D": case(shaped, keepdims=YES_NO),
        f"MaxPooling{rank}D": case(shaped, **pool),
        f"SpatialDropout{rank}D": case(shaped, rate=[0.1, 0.5], **SEEDED),
        f"UpSampling{rank}D": case(shaped, size=[1, 2] if rank < 3 else [1, (1, 2, 1)]),
        f"ZeroPadding{rank}D": case(shaped, padding=filled),
    }
for rank in (1, 2):
    CASES |= {
        f"DepthwiseConv{rank}D": case(BY_RANK[rank], padding=["valid", "same"], **DEPTHWISE),
        f"SeparableConv{rank}D": case(
            BY_RANK[rank], filters=[2, 3], pointwise_initializer=["he_normal"], **DEPTHWISE
        ),
    }


def cell_inputs(rng, states):
    # the state has as many units as the cell, so the test replaces the width
    return [rng.normal(size=(2, 4)).astype("float32")] + [
        rng.normal(size=(2, 3)).astype("float32") for _ in range(states)
    ]


# --- the two sides ----------------------------------------------------------


def canonical_layers():
    return sorted({getattr(vocabulary, name).__name__ for name in vocabulary.__all__} - {"Input"})


def draws():
    return [(layer, draw) for layer in canonical_layers() for draw in range(DRAWS)]


def built_from_a_space(layer, arguments, arrays):
    """Return the model of a space of that one layer, each plain argument a hyperparameter."""
    space = HyperSpace()
    with space.as_default():
        ends = [
            vocabulary.Input(shape=array.shape[1:], dtype=dtype_of(array), name=f"input_{i}")
            for i, array in enumerate(arrays)
        ]
        searched = {
            keyword: made_by(vocabulary, value) if holds_layers(value) else searchable(value)
            for keyword, value in arguments.items()
        }
        getattr(vocabulary, layer)(**searched, name="layer")(ends)
    return build_model(space.sample(0))


def searchable(value):
    return Choice([value])


def dtype_of(array):
    return "string" if array.dtype == object else str(array.dtype)


def tensors_of(arrays):
    return [
        keras.tree.map_structure(keras.ops.convert_to_tensor, array)
        if array.dtype != object
        else string_tensor(array)
        for array in arrays
    ]


def string_tensor(array):
    import tensorflow as tf

    return tf.constant(array.tolist())


def called_directly(layer, tensors):
    """Call a layer of Keras as its own documentation does."""
    kind = type(layer).__name__
    if kind == "StackedRNNCells":
        return layer(tensors[0], [tensors[1:3], tensors[3:]])
    if kind.endswith("Cell"):
        return layer(tensors[0], tensors[1:])
    if isinstance(layer, (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)):
        return layer(*tensors)
    return layer(tensors if len(tensors) > 1 else tensors[0], **inference(layer))


def inference(layer):
    return {"training": False} if "training" in layer.call_signature_parameters else {}


def configuration(layer):
    # Keras wraps a list of cells in a layer whose name it counts
    return re.sub(r"stacked_rnn_cells(_\d+)?", "stacked_rnn_cells", repr(layer.get_config()))


def as_arrays(outputs):
    return [keras.ops.convert_to_numpy(tensor) for tensor in keras.tree.flatten(outputs)]


@pytest.mark.parametrize(("layer", "draw"), draws())
def test_a_layer_built_from_a_space_equals_the_one_made_directly(layer, draw):
    case = CASES[layer]
    arguments = case.draw(f"{layer}/{draw}")
    arrays = case.inputs(np.random.default_rng(draw))
    if layer.endswith("Cell"):
        arguments["units"] = 3
    model = built_from_a_space(layer, arguments, arrays)
    ours = model.get_layer("layer")
    theirs = getattr(keras.layers, layer)(**made_by(keras.layers, arguments), name="layer")
    tensors = tensors_of(arrays)

    called_directly(theirs, model.inputs)  # built for a batch of any size, like ours
    theirs.set_weights(ours.get_weights())

    assert isinstance(ours, type(theirs))
    assert configuration(ours) == configuration(theirs)
    expected = as_arrays(called_directly(theirs, tensors))
    received = as_arrays(model(tensors if len(tensors) > 1 else tensors[0], training=False))
    assert len(received) == len(expected)
    for one, other in zip(received, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_table_covers_the_whole_vocabulary():
    assert sorted(CASES) == canonical_layers()


@pytest.mark.parametrize("layer", canonical_layers())
def test_keras_accepts_every_argument_that_a_layer_offers(layer):
    keywords = getattr(vocabulary, layer).defaults
    offered = {
        keyword: keywords[keyword] for keyword in keywords if keyword not in ("name", "space")
    }
    arguments = {**offered, **made_by(keras.layers, CASES[layer].draw(0))}
    assert make_layer(LayerSpec(layer, arguments, "layer")).name == "layer"


def test_everything_that_keras_exports_is_offered_or_left_out_by_name():
    offered = set(vocabulary.__all__)
    assert offered | generation.LEFT_OUT.keys() == set(generation.exported_names())
    assert not offered & generation.LEFT_OUT.keys()
    assert all(generation.LEFT_OUT.values())


def test_the_generated_vocabulary_is_what_the_installed_keras_gives():
    text = Path(vocabulary.__file__).read_text(encoding="utf-8")
    assert text.startswith("# Generated by hypernets.adapters.keras.generation")
    assert text == generation.generate(), "run `make generate`"


def test_an_input_equals_the_input_of_keras():
    space = HyperSpace()
    with space.as_default():
        end = vocabulary.Input(shape=Choice([10]), batch_size=2, dtype="float64", name="end")
        vocabulary.Dense(1)(end)
    model = build_model(space.sample(0))
    theirs = keras.Input(shape=(10,), batch_size=2, dtype="float64", name="end")
    (ours,) = model.inputs
    assert (ours.shape, ours.dtype, ours.name) == (theirs.shape, theirs.dtype, theirs.name)
