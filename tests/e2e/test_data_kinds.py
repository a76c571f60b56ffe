"""Every kind of data, with real Keras: prepared once, not copied, and read by a search."""

import keras
import numpy as np
import pytest

from hypernets.adapters.keras.data import as_examples, prepare
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import SearchError
from hypernets.frameworks.keras.layers import Concatenate, Dense, Input
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")
FAST = {"run_eagerly": True, "verbose": 0, "batch_size": 32}


def dense_space():
    space = HyperSpace()
    with space.as_default():
        hidden = Dense(Choice([3, 5, 7]), "relu")(Input((4,), name="features"))
        Dense(2, "softmax")(hidden)
    return space


def two_input_space():
    space = HyperSpace()
    with space.as_default():
        left, right = Input((3,), name="left"), Input((1,), name="right")
        both = Concatenate()([left, right])
        Dense(2, "softmax", name="kind")(Dense(Choice([3, 5]), "relu")(both))
        Dense(1, name="size")(both)
        space.set_inputs([left, right])
    return space


def search(space, *data, trials=1, loss="sparse_categorical_crossentropy", **arguments):
    metrics = arguments.pop("metrics", ["accuracy"])
    found = HyperKeras(
        RandomSearcher(space, "max", seed=1), "adam", loss, metrics, isolation="inline"
    )
    return found.search(*data, max_trials=trials, seed=3, **{**FAST, **arguments})


def dataset(x, y):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).batch(32)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        part = slice(32 * index, 32 * index + 32)
        return X[part], Y[part]


# --- preparation ------------------------------------------------------------------


def test_arrays_of_the_right_precision_keep_their_memory_through_a_split():
    data = prepare(X, Y, validation_split=0.25)
    assert np.shares_memory(data.train.x, X)
    assert np.shares_memory(data.validation.x, X)
    assert np.shares_memory(data.train.y, Y)
    assert (data.train.n_examples, data.validation.n_examples) == (48, 16)
    assert np.array_equal(data.validation.x, X[48:])


def test_floats_of_another_precision_are_converted_once_for_all_trials():
    data = prepare(X.astype("float64"), Y, validation_split=0.25)
    assert data.train.x.dtype == "float32"
    assert data.train.x.base is data.validation.x.base


def test_every_trial_is_handed_the_same_memory(monkeypatch):
    seen = []
    fit = keras.Model.fit

    def spy(self, x=None, y=None, **arguments):
        seen.append(x)
        return fit(self, x=x, y=y, **arguments)

    monkeypatch.setattr(keras.Model, "fit", spy)
    search(dense_space, X, Y, X, Y, trials=2)
    assert len(seen) == 2  # one for each trial
    assert all(np.shares_memory(x, X) for x in seen)


def test_sample_weights_are_split_with_their_examples():
    weights = np.arange(64, dtype="float32")
    data = prepare(X, Y, validation_split=0.25, sample_weight=weights)
    assert np.array_equal(data.validation.weights, weights[48:])


def test_text_becomes_a_column_of_objects():
    assert as_examples(np.array([["a b"], ["c"]])).x.tolist() == ["a b", "c"]
    assert as_examples(np.array([b"a", b"c"])).x.dtype == object


def test_lists_of_numbers_are_arrays_and_lists_of_arrays_are_inputs():
    assert as_examples([[1.0, 2.0], [3.0, 4.0]]).x.shape == (2, 2)
    assert len(as_examples([X, X]).x) == 2


def test_anything_that_numpy_reads_is_an_array():
    class Frame:
        """Stands for a pandas frame: it has a shape and can be read as an array."""

        shape = (2, 3)

        def __array__(self, dtype=None, copy=None):
            return np.array([[1, 2.5, 3], [4, 5, 6]], dtype=object)

    examples = as_examples(Frame())
    assert examples.x.dtype == "float32"
    assert examples.x.shape == (2, 3)


# --- searches -----------------------------------------------------------------------


def test_a_list_of_arrays_feeds_several_inputs_and_outputs():
    x, y = [X[:, :3], X[:, 3]], [Y, X[:, 0]]
    losses, metrics = ["sparse_categorical_crossentropy", "mse"], [["accuracy"], ["mae"]]
    history = search(two_input_space, x, y, x, y, loss=losses, metrics=metrics)
    assert next(iter(history.best.objectives)) == "kind_accuracy"
    assert {"size_mae", "loss"} < set(history.best.objectives)


def test_a_dict_of_arrays_feeds_inputs_and_outputs_by_name():
    x, y = {"right": X[:, 3:], "left": X[:, :3]}, {"size": X[:, 0], "kind": Y}
    losses = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
    history = search(
        two_input_space,
        x,
        y,
        validation_split=0.5,
        loss=losses,
        metrics={"kind": ["accuracy"]},
        loss_weights={"kind": 1.0, "size": 0.5},
    )
    assert history.best.reward == history.best.objectives["kind_accuracy"]


def test_datasets_are_read_again_in_every_trial():
    history = search(dense_space, dataset(X, Y), None, dataset(X, Y), trials=2)
    assert history.summary().n_succeeded == 2


def test_a_keras_dataset_works_for_both_parts():
    history = search(dense_space, Batches(), validation_data=Batches())
    assert history.best is not None


def test_a_function_that_returns_a_dataset_is_called_once():
    calls = []

    def make():
        calls.append(1)
        return dataset(X, Y)

    search(dense_space, make, None, X, Y, trials=2)
    assert calls == [1]


def test_weights_of_classes_and_examples_reach_the_fit(monkeypatch):
    seen = []
    fit = keras.Model.fit

    def spy(self, **arguments):
        seen.append(arguments)
        return fit(self, **arguments)

    monkeypatch.setattr(keras.Model, "fit", spy)
    search(dense_space, X, Y, X, Y, class_weight={0: 1.0, 1: 3.0})
    assert seen[-1]["class_weight"] == {0: 1.0, 1: 3.0}
    search(dense_space, X, Y, X, Y, sample_weight=np.ones(64, "float32"))
    assert seen[-1]["sample_weight"].shape == (64,)


# --- mistakes -----------------------------------------------------------------------

BAD = X.copy()
BAD[5, 2] = np.nan
BAD[7, 0] = np.inf

MISTAKES = {
    "lengths": ((X, Y[:60]), {"validation_split": 0.2}, ["X: 64", "y: 60", "same number"]),
    "lengths of validation": ((X, Y, X[:9], Y[:8]), {}, ["X_val: 9", "y_val: 8"]),
    "NaN in X": ((BAD, Y), {"validation_split": 0.2}, ["X must", "2 that are not", "(5, 2)"]),
    "NaN in X_val": ((X, Y, BAD, Y), {}, ["X_val must hold finite"]),
    "NaN in y": ((X, np.full(64, np.nan)), {"validation_split": 0.2}, ["y must hold finite"]),
    "nothing": ((X[:0], Y[:0]), {"validation_split": 0.2}, ["X must", "at least one", "(0, 4)"]),
    "no validation": ((X, Y), {}, ["must have validation data", "received none", "split=0.2"]),
    "both validations": (
        (X, Y, X, Y),
        {"validation_data": (X, Y)},
        ["given once", "X_val", "leave one out"],
    ),
    "validation twice": (
        (X, Y),
        {"validation_data": (X, Y), "validation_split": 0.1},
        ["given once", "0.1"],
    ),
    "fraction": ((X, Y), {"validation_split": 20}, ["between 0 and 1", "received 20"]),
    "y_val alone": ((X, Y), {"y_val": Y}, ["X_val must be given", "received y_val"]),
    "a generator": ((iter([X]), Y, X, Y), {}, ["read again", "received <list_iterator"]),
    "ragged": (([[1.0], [2.0, 3.0]], [0, 1], X, Y), {}, ["X must", "same shape", "pad"]),
    "a mixture": (
        (np.array([[1, "a"]] * 4, dtype=object), [0, 1, 0, 1], X, Y),
        {},
        ["numbers, or text only", "encode"],
    ),
    "y beside a dataset": ((Batches(), Y, X, Y), {}, ["y must be left out", "Batches"]),
    "split of a dataset": ((Batches(),), {"validation_split": 0.2}, ["with arrays", "Batches"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_data_is_caught_before_anything_is_built(name, monkeypatch):
    data, arguments, parts = MISTAKES[name]
    monkeypatch.setattr(keras.Model, "__init__", None)  # nothing may be built
    with pytest.raises(SearchError) as caught:
        search(dense_space, *data, **arguments)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == [], message
    assert "received" in message
