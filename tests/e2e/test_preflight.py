"""Mistakes that a user makes are found before the first epoch, with real Keras."""

import warnings

import keras
import numpy as np
import pytest

from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import SearchError
from hypernets.frameworks.keras.layers import Concatenate, Dense, Flatten, Input, Reshape
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4)).astype("float32")
INTEGERS = RNG.integers(0, 3, size=32)
ONE_HOT = np.eye(3, dtype="float32")[INTEGERS]
REAL = X[:, :1]
SPARSE, CROSS, BINARY = (
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
    "binary_crossentropy",
)


def dense_space(units=3, activation="softmax", shape=(4,), **input_arguments):
    space = HyperSpace()
    with space.as_default():
        flat = Flatten()(Dense(Choice([3, 5]))(Input(shape, name="features", **input_arguments)))
        Dense(units, activation, name="answer")(flat)
    return space


def two_ended_space():
    space = HyperSpace()
    with space.as_default():
        left, right = Input((3,), name="left"), Input((1,), name="right")
        both = Concatenate()([left, right])
        Dense(3, "softmax", name="kind")(both)
        Dense(1, name="size")(both)
        space.set_inputs([left, right])
    return space


def search(space, y, loss=SPARSE, *, x=X, metrics=("accuracy",), direction="max", **arguments):
    reward = arguments.pop("reward_metric", None)
    searcher = RandomSearcher(space, direction, seed=0)
    found = HyperKeras(
        searcher, None, loss, list(metrics), reward_metric=reward, isolation="inline"
    )
    return found.search(x, y, x, y, max_trials=1, verbose=0, run_eagerly=True, **arguments)


@pytest.fixture
def _no_trial(monkeypatch):
    def refuse(self, architecture, context):
        raise KeyboardInterrupt

    monkeypatch.setattr("hypernets.adapters.keras.estimator.KerasEstimator.estimate", refuse)


def begins(*positional, **arguments):
    """Say whether a search gets as far as its first trial."""
    try:
        search(*positional, **arguments)
    except KeyboardInterrupt:
        return True
    return False


def two_ended(x, y):
    return lambda: search(two_ended_space, y, [SPARSE, "mse"], x=x, metrics=())


LEFT, RIGHT = X[:, :3], X[:, 3:]
MISTAKES = {
    "sparse labels beyond the units": (
        lambda: search(dense_space, INTEGERS + 1),
        ["y: sparse_categorical_crossentropy", "from 0 to 2", "received labels from 1 to 3"],
    ),
    "negative labels": (
        lambda: search(dense_space, INTEGERS - 1),
        ["from 0 to 2", "received labels from -1 to 1", "number the classes from 0"],
    ),
    "labels that are no integers": (
        lambda: search(dense_space, INTEGERS + 0.5),
        ["must have integers", "received", ".5", "real numbers"],
    ),
    "text labels": (
        lambda: search(dense_space, np.array(["cat", "dog"] * 16)),
        ["y must hold numbers", "received text, the first 'cat'", "numpy.unique"],
    ),
    "one-hot labels for a sparse loss": (
        lambda: search(dense_space, ONE_HOT),
        ["one integer", "shape (32, 3)", "look one-hot", "'categorical_crossentropy'"],
    ),
    "integers for a one-hot loss": (
        lambda: search(dense_space, INTEGERS, CROSS),
        ["one-hot labels", "shape (32,)", "loss='sparse_categorical_crossentropy'"],
    ),
    "one-hot labels of another width": (
        lambda: search(lambda: dense_space(4), ONE_HOT, CROSS),
        ["shape of the output, (None, 4)", "shape (32, 3)", "one column a class"],
    ),
    "labels beyond 0 and 1": (
        lambda: search(lambda: dense_space(1, "sigmoid"), INTEGERS, BINARY),
        ["binary_crossentropy must have labels between 0 and 1", "from 0 to 2", "encode"],
    ),
    "one class an example for a binary loss": (
        lambda: search(dense_space, INTEGERS, BINARY),
        ["binary_crossentropy", "shape (32,)", "loss='sparse_categorical_crossentropy'"],
    ),
    "one number for three outputs": (
        lambda: search(lambda: dense_space(3, None), REAL, "mse", metrics=["mae"]),
        ["mean_squared_error", "(None, 3)", "shape (32, 1)"],
    ),
    "an object as loss": (
        lambda: search(dense_space, INTEGERS + 1, keras.losses.SparseCategoricalCrossentropy()),
        ["from 0 to 2", "received labels from 1 to 3"],
    ),
    "an unknown reward": (
        lambda: search(dense_space, INTEGERS, reward_metric="val_acc"),
        ["reward_metric must", "received 'val_acc'", "'accuracy', 'loss'", "add it to metrics"],
    ),
    "too few inputs": (
        two_ended([LEFT], [INTEGERS, REAL]),
        ["X must hold one array an input", "received 1", "2 inputs 'left', 'right'"],
    ),
    "a wrong name of an input": (
        two_ended({"left": LEFT, "rigth": RIGHT}, [INTEGERS, REAL]),
        ["X must hold an array for each input", "'rigth'", "without 'right'"],
    ),
    "inputs in the wrong order": (
        two_ended([RIGHT, LEFT], [INTEGERS, REAL]),
        ["X for input 'left'", "('n', 3)", "received ('n', 1)", "Input(shape=(1,))"],
    ),
    "too few labels": (
        two_ended([LEFT, RIGHT], INTEGERS),
        ["y must hold one array an output", "received 1", "'kind', 'size'"],
    ),
    "a wrong name of an output": (
        two_ended([LEFT, RIGHT], {"kind": INTEGERS, "height": REAL}),
        ["named by the outputs", "received 'height'", "'kind', 'size'"],
    ),
    "labels of one of two outputs": (
        two_ended([LEFT, RIGHT], [INTEGERS + 1, REAL]),
        ["y of output 'kind'", "from 0 to 2"],
    ),
    "a wrong shape": (
        lambda: search(lambda: dense_space(shape=(5,)), INTEGERS),
        ["X must have the shape of the Input 'features', ('n', 5)", "received ('n', 4)"],
    ),
    "images without a channel": (
        lambda: search(lambda: dense_space(shape=(8, 8, 2)), INTEGERS, x=np.zeros((32, 8, 8))),
        ["('n', 8, 8, 2)", "received ('n', 8, 8)", "reshape the data"],
    ),
    "text for numbers": (
        lambda: search(lambda: dense_space(shape=(1,)), INTEGERS, x=np.array(["a"] * 32)),
        ["X must hold numbers", "dtype float32", "received text", "dtype='string'"],
    ),
    "an unknown configuration": (
        lambda: search(dense_space, INTEGERS, optimizer={"class_name": "Admm", "config": {}}),
        ["received 2 sampled", "Admm", "BuildError"],
    ),
    "no loss": (
        lambda: search(dense_space, INTEGERS, None),
        ["must train on the data", "No loss to compute"],
    ),
    "a class weight that is no mapping": (
        lambda: search(dense_space, INTEGERS, class_weight=3.0),
        ["class_weight must map each class", "received 3.0"],
    ),
}


@pytest.mark.usefixtures("_no_trial")
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_before_the_first_trial(name):
    provoke, parts = MISTAKES[name]
    with pytest.raises(SearchError) as caught:
        provoke()
    message = str(caught.value)
    assert [part for part in parts if part not in message] == [], message
    assert "received" in message


@pytest.mark.usefixtures("_no_trial")
@pytest.mark.parametrize(
    ("units", "activation", "y", "loss"),
    [
        (3, "softmax", INTEGERS, SPARSE),
        (3, "softmax", INTEGERS[:, None], SPARSE),
        (3, "softmax", INTEGERS.astype("float32"), SPARSE),
        (3, "softmax", ONE_HOT, CROSS),
        (3, "softmax", ONE_HOT * 0.9 + 0.1 / 3, "kl_divergence"),
        (1, "sigmoid", INTEGERS > 1, BINARY),
        (3, "sigmoid", ONE_HOT, BINARY),
        (1, None, REAL, "mse"),
        (1, None, REAL[:, 0], "mae"),
        (1, None, np.where(INTEGERS > 1, 1, -1), "hinge"),
        (3, None, INTEGERS, lambda y, p: keras.ops.mean(p, axis=-1)),
    ],
)
def test_labels_that_fit_are_let_through(units, activation, y, loss):
    assert begins(lambda: dense_space(units, activation), y, loss, metrics=(), direction="min")


@pytest.mark.usefixtures("_no_trial")
def test_a_class_that_the_loss_leaves_out_is_no_mistake():
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert begins(dense_space, INTEGERS - (INTEGERS == 2) * 3, loss, metrics=(), direction="min")


@pytest.mark.usefixtures("_no_trial")
@pytest.mark.parametrize(
    ("direction", "metric", "better"), [("min", "accuracy", "larger"), ("max", "loss", "smaller")]
)
def test_a_direction_that_contradicts_the_metric_is_warned_of(direction, metric, better):
    expected = rf"'{metric}' is better when it is {better}; received '{direction}'; write"
    with pytest.warns(UserWarning, match=expected) as warned:
        begins(dense_space, INTEGERS, direction=direction, reward_metric=metric)
    assert warned[0].filename == __file__


@pytest.mark.usefixtures("_no_trial")
def test_a_metric_of_the_users_own_may_go_either_way():
    def peak(y, p):
        return keras.ops.max(p, axis=-1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert begins(dense_space, INTEGERS, metrics=[peak], direction="min")


@pytest.mark.usefixtures("_no_trial")
def test_nan_in_the_first_batch_of_a_dataset_is_found():
    import tensorflow as tf

    bad = np.where(X > 10, X, np.nan).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices((bad, INTEGERS)).batch(8)
    found = HyperKeras(RandomSearcher(dense_space), None, SPARSE, ["accuracy"], isolation="inline")
    with pytest.raises(SearchError, match="X must hold finite numbers"):
        found.search(batches, None, X, INTEGERS)


def some_fit():
    space = HyperSpace()
    with space.as_default():
        wide = Dense(Choice([4, 5, 6, 7, 8]))(Input((4,)))
        Dense(3, "softmax")(Flatten()(Reshape((2, 2))(wide)))
    return space


def none_fits():
    space = HyperSpace()
    with space.as_default():
        wide = Dense(Choice([5, 6, 7, 9]))(Input((4,)))
        Dense(3, "softmax")(Flatten()(Reshape((2, 2))(wide)))
    return space


@pytest.mark.usefixtures("_no_trial")
def test_a_search_begins_where_some_architectures_can_be_built():
    assert begins(some_fit, INTEGERS)


@pytest.mark.usefixtures("_no_trial")
def test_a_search_ends_at_once_where_none_can_be_built():
    with pytest.raises(SearchError) as caught:
        search(none_fits, INTEGERS)
    message = str(caught.value)
    assert "received 4 sampled ones of which none does" in message
    assert "BuildError" in message
    assert "Module_Reshape_1" in message
    assert caught.value.__cause__ is not None


def test_a_search_whose_every_trial_fails_ends_with_the_commonest_reason():
    explosive = {"class_name": "SGD", "config": {"learning_rate": 1e38}}
    searcher = RandomSearcher(lambda: dense_space(1, None), "min", seed=0)
    found = HyperKeras(searcher, explosive, "mse", isolation="inline")
    with pytest.raises(SearchError) as caught:
        found.search(X, REAL, X, REAL, max_trials=2, verbose=0, run_eagerly=True, epochs=3)
    message = str(caught.value)
    assert "at least one trial of a search must succeed" in message
    assert "the loss must be a finite number" in message
    assert len(found.history) == 2
