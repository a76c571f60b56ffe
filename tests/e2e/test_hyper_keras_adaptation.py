"""Layers that learn from data before the training, with real Keras."""

import keras
import numpy as np
import pytest

from hypernets.adapters.keras.adaptation import Adaptation
from hypernets.adapters.keras.data import as_examples
from hypernets.adapters.keras.model_builder import build_model
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import BuildError
from hypernets.frameworks.keras import layers as hl
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = [
    pytest.mark.keras,
    # Keras's own, of its variables under numpy 2, when it saves or reads a variable
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
NUMBERS = (RNG.normal(size=(32, 3)) * [1.0, 10.0, 100.0] + [0.0, 5.0, -50.0]).astype("float32")
CODES = RNG.integers(3, 7, size=(32, 1))
WORDS = np.array(["red fox", "blue fox", "red bird", "green fish"] * 8)
COLOURS = np.array([text.split()[0] for text in WORDS])
Y = (NUMBERS[:, 1] > 5).astype("int64")

LAYERS = {
    "Normalization": (lambda: hl.Normalization(), NUMBERS, {}),
    "Normalization of axes": (lambda: hl.Normalization(axis=None), NUMBERS, {}),
    "Discretization": (
        lambda: hl.Discretization(num_bins=4, output_mode="one_hot"),
        NUMBERS[:, :1],
        {},
    ),
    "IntegerLookup": (lambda: hl.IntegerLookup(output_mode="one_hot"), CODES, {"dtype": "int64"}),
    "StringLookup": (
        lambda: hl.StringLookup(output_mode="one_hot"),
        COLOURS,
        {"dtype": "string"},
    ),
    "TextVectorization": (
        lambda: hl.TextVectorization(output_mode="multi_hot"),
        WORDS,
        {"dtype": "string"},
    ),
    "TextVectorization by frequency": (
        lambda: hl.TextVectorization(output_mode="tf_idf"),
        WORDS,
        {"dtype": "string"},
    ),
}


def width_of(data):
    return (1,) if data.ndim == 1 else data.shape[1:]


def space_of(make, data, input_arguments, *, dense=True):
    space = HyperSpace()
    with space.as_default():
        adapted = make()(hl.Input(width_of(data), **input_arguments))
        if dense:
            hl.Dense(2, "softmax")(hl.Dense(Choice([3, 5]))(adapted))
    return space


def adaptation_on(data):
    examples = as_examples(data)
    return Adaptation(lambda: examples)


def searcher_of(name):
    make, data, arguments = LAYERS[name]
    return RandomSearcher(space_of(make, data, arguments), seed=0)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_with_its_statistics_filled_in_is_the_adapted_layer(name):
    make, data, arguments = LAYERS[name]
    architecture = space_of(make, data, arguments, dense=False).sample(0)
    adapted = adaptation_on(data).adapted(architecture.graph)
    ours = build_model(adapted)
    (node,) = [node for node in architecture.graph if node.layer != "Input"]
    reference = getattr(keras.layers, node.layer)(**node.arguments)
    prepared = as_examples(data).x
    reference.adapt(prepared)
    feed = prepared if data.ndim > 1 else keras.ops.convert_to_tensor(prepared[:, None])
    assert np.allclose(np.asarray(ours(feed)), np.asarray(reference(feed)), atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_a_search_adapts_its_layers_and_saves_them_with_the_model(name, tmp_path):
    data = LAYERS[name][1]
    found = HyperKeras(
        searcher_of(name),
        "adam",
        "sparse_categorical_crossentropy",
        ["accuracy"],
        isolation="inline",
    )
    found.search(data, Y, data, Y, max_trials=1, verbose=0, run_eagerly=True)
    found.save_best_model(tmp_path / "best.keras")
    loaded = keras.models.load_model(tmp_path / "best.keras")
    # text is predicted as Keras itself takes it
    feed = as_examples(data).x
    assert np.allclose(loaded.predict(feed, verbose=0), found.predict(data, verbose=0), atol=1e-6)


def test_a_layer_is_adapted_once_for_all_trials(monkeypatch):
    calls = []
    adapt = keras.layers.Normalization.adapt

    def spy(self, data):
        calls.append(data)
        return adapt(self, data)

    monkeypatch.setattr(keras.layers.Normalization, "adapt", spy)
    searcher = searcher_of("Normalization")
    found = HyperKeras(searcher, "adam", "sparse_categorical_crossentropy", isolation="inline")
    with pytest.warns(UserWarning, match="optimize_direction"):
        found.search(NUMBERS, Y, validation_split=0.25, max_trials=2, verbose=0, run_eagerly=True)
    (data,) = calls
    assert np.shares_memory(data, NUMBERS)
    assert len(data) == 24  # the validation data are not looked at


def test_only_the_input_that_feeds_the_layer_is_looked_at():
    space = HyperSpace()
    with space.as_default():
        left, right = hl.Input((3,), name="left"), hl.Input((1,), name="right")
        hl.Concatenate()([left, hl.Normalization(name="scaled")(right)])
        space.set_inputs([left, right])
    graph = space.sample(0).graph
    column = NUMBERS[:, 2:]
    for x in ([NUMBERS, column], {"right": column, "left": NUMBERS}):
        scaled = adaptation_on(x).adapted(graph)["scaled"]
        assert scaled.arguments["mean"] == pytest.approx([column.mean()], rel=1e-5)


def test_datasets_are_adapted_on_too():
    import tensorflow as tf

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            part = slice(16 * index, 16 * index + 16)
            return NUMBERS[part], Y[part]

    make, data, arguments = LAYERS["Normalization"]
    graph = space_of(make, data, arguments, dense=False).sample(0).graph
    batches = tf.data.Dataset.from_tensor_slices((NUMBERS, Y)).batch(16)
    for dataset in (batches, Batches()):
        (_, node) = adaptation_on(dataset).adapted(graph)
        assert node.arguments["mean"] == pytest.approx(NUMBERS.mean(0), rel=1e-4)


def test_a_layer_that_was_given_its_statistics_is_left_alone():
    make, data = (lambda: hl.Normalization(mean=1.0, variance=2.0)), NUMBERS
    graph = space_of(make, data, {}).sample(0).graph
    assert adaptation_on(data).adapted(graph) is graph


def test_a_layer_that_no_input_feeds_cannot_be_adapted():
    space = HyperSpace()
    with space.as_default():
        hl.Normalization(name="late")(hl.Dense(2)(hl.Input((3,))))
    with pytest.raises(BuildError) as caught:
        adaptation_on(NUMBERS).adapted(space.sample(0).graph)
    for part in ("'late'", "must be fed by an Input", "received Module_Dense_1", "give it mean="):
        assert part in str(caught.value)


def test_data_that_do_not_suit_the_layer_are_its_failure():
    make, data = (lambda: hl.Normalization(name="scale")), NUMBERS
    graph = space_of(make, data, {}).sample(0).graph
    with pytest.raises(BuildError, match=r"'scale'.*data that suit it.*Keras's reason says"):
        adaptation_on(WORDS).adapted(graph)
