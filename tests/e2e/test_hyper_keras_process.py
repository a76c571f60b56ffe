"""Searches of Keras models whose trials have processes of their own, as is the default."""

import json
import os
import shutil
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest

from hypernets.adapters.keras import workplace
from hypernets.adapters.process import ProcessExecutor
from hypernets.core.callbacks import ProgressCallback
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import OtherSearchError, SearchError
from hypernets.domain.history import TrialState
from hypernets.frameworks.keras import layers as hl
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
X = (5 + RNG.normal(size=(64, 4))).astype("float32")
Y = (X[:, 0] > 5).astype("int64")
WORDS = np.array(["red fox", "blue fox", "red bird", "green fish"] * 16)
SPARSE = "sparse_categorical_crossentropy"


class Shared(ProcessExecutor):
    """Serves one search after another, so that they need not start a process each."""

    def close(self):
        """Stay open."""


@pytest.fixture(scope="module")
def processes():
    executor = Shared(echo=True)
    yield executor
    ProcessExecutor.close(executor)


@pytest.fixture
def _shared(processes, monkeypatch):
    monkeypatch.setattr(workplace, "ProcessExecutor", lambda *_, **__: processes)


def dense_space(units=2):
    space = HyperSpace()
    with space.as_default():
        hidden = hl.Dense(Choice([3, 5, 7]), "relu")(hl.Normalization()(hl.Input((4,))))
        hl.Dense(units, "softmax")(hl.Dropout(0.25)(hidden))
    return space


def text_space():
    space = HyperSpace()
    with space.as_default():
        words = hl.TextVectorization(output_mode="multi_hot")(hl.Input((1,), dtype="string"))
        hl.Dense(2, "softmax")(hl.Dense(Choice([3, 5]))(words))
    return space


def wide_space():
    space = HyperSpace()
    with space.as_default():
        left, right = hl.Input((3,), name="left"), hl.Input((1,), name="right")
        both = hl.Concatenate()([left, right])
        hl.Dense(2, "softmax", name="kind")(hl.Dense(Choice([3, 5]), "relu")(both))
        hl.Dense(1, name="size")(both)
        space.set_inputs([left, right])
    return space


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        part = slice(32 * index, 32 * index + 32)
        return X[part], Y[part]


CALLS = []


def make_dataset():
    import tensorflow as tf

    CALLS.append(os.getpid())
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)


def search(space=dense_space, data=(X, Y, X, Y), loss=SPARSE, metrics=("accuracy",), **options):
    own = {"callbacks": options.pop("watching", ()), "isolation": options.pop("isolation", None)}
    given = {name: value for name, value in own.items() if value}
    found = HyperKeras(RandomSearcher(space, "max", seed=1), "adam", loss, list(metrics), **given)
    found.search(*data, **{"max_trials": 2, "seed": 3, "verbose": 0, **options})
    return found


def told(history):
    return [
        (t.number, t.decisions, t.state, t.objectives, [[r.step, r.values] for r in t.curve])
        for t in history
    ]


# --- what works inline works there ------------------------------------------------------

KINDS = {
    "arrays": {
        "class_weight": {0: 1.0, 1: 3.0},
        "epochs": 4,
        "callbacks": lambda: [keras.callbacks.EarlyStopping("loss", min_delta=9.0, patience=1)],
    },
    "lists and dicts": {
        "space": wide_space,
        "data": ({"left": X[:, :3], "right": X[:, 3:]}, [Y, X[:, 0]]),
        "loss": [SPARSE, "mse"],
        "metrics": [["accuracy"], ["mae"]],
        "validation_split": 0.25,
    },
    "text": {"space": text_space, "data": (WORDS, Y), "validation_split": 0.5},
    "a dataset of Keras": {"data": (Batches(),), "validation_data": Batches()},
    "a function that makes a dataset": {
        "data": (make_dataset,),
        "validation_data": make_dataset,
    },
    "a function that makes arrays": {"data": (lambda: (X, Y),), "validation_split": 0.25},
}


@pytest.mark.usefixtures("_shared")
@pytest.mark.parametrize("kind", KINDS)
def test_a_search_finds_in_processes_of_their_own_what_it_finds_inline(kind):
    options = {name: v() if name == "callbacks" else v for name, v in KINDS[kind].items()}
    apart = search(**options)
    inline = search(**options, isolation="inline")
    assert told(apart.history) == told(inline.history)
    assert apart.history.summary().n_succeeded == 2
    arrays = (found.best_model.get_weights() for found in (apart, inline))
    assert all(a.dtype.hasobject or np.array_equal(a, b) for a, b in zip(*arrays, strict=True))


@pytest.mark.usefixtures("_shared")
def test_a_function_that_makes_data_is_called_in_the_processes_of_the_trials_only():
    CALLS.clear()
    search(data=(make_dataset, None, X, Y))
    assert CALLS == []


def mean_in(model):
    return np.ravel(model.layers[1].mean)


def spied_on(path):
    """Return a function that makes data, and has layers note where they adapt."""

    def make():
        adapt = keras.layers.Normalization.adapt

        def noted(self, data):
            with path.open("a") as notes:
                notes.write(f"{os.getpid()}\n")
            adapt(self, data)

        keras.layers.Normalization.adapt = noted
        return X, Y

    return make


@pytest.mark.usefixtures("_shared")
def test_a_layer_learns_from_the_data_once_for_all_processes(tmp_path):
    notes = tmp_path / "notes"
    found = search(data=(spied_on(notes),), validation_split=0.25, max_trials=3)
    assert mean_in(found.best_model) == pytest.approx(X[:48].mean(0), rel=1e-5)
    (where,) = notes.read_text().splitlines()
    assert int(where) != os.getpid()


@pytest.mark.usefixtures("_shared")
def test_a_search_on_other_data_that_is_refused_leaves_nothing_that_was_learned(tmp_path):
    run = {"store": tmp_path / "run", "validation_split": 0.25}
    search(data=(X, Y), **run, max_trials=1)
    shutil.rmtree(tmp_path / "run" / "statistics")
    with pytest.raises(OtherSearchError, match="data"):
        search(data=(X + 100, Y), **run)
    found = search(data=(X, Y), **run)
    assert mean_in(found.best_model) == pytest.approx(X[:48].mean(0), rel=1e-5)


@pytest.mark.usefixtures("_shared")
def test_what_is_found_can_be_used_and_trained_on(tmp_path):
    found = search()
    assert found.evaluate(X, Y, verbose=0)["accuracy"] == pytest.approx(found.history.best.reward)
    assert found.predict(X, verbose=0).shape == (64, 2)
    model = found.final_train(X, Y, epochs=2, verbose=0)
    assert len(model.history.history["loss"]) == 2


# --- callbacks that see models ------------------------------------------------------------


class Watching:
    def __init__(self):
        self.seen, self.reports = [], []

    def on_model_built(self, number, model):
        self.seen.append(number)
        print(f"<model {number}: {model.count_params()}, {len(self.seen)} seen>")

    def on_trial_report(self, number, report):
        self.reports.append((number, report.step))
        print(f"<report {number}>")


class Broken:
    def on_model_built(self, number, model):
        raise RuntimeError("cannot look")


class Holding:
    def __init__(self):
        self.lock = threading.Lock()

    def on_model_built(self, number, model):
        """See nothing."""


class Console(ProgressCallback):
    """Has its own use for models, beside a display that cannot travel."""

    def on_model_built(self, number, model):
        super().on_model_built(number, model)
        print(f"<shown {number}>")


@pytest.mark.usefixtures("_shared")
def test_a_callback_sees_models_in_a_copy_whose_words_come_in_order(capsys):
    watching = Watching()
    search(watching=[Broken(), watching, Console()])
    words = [line for line in capsys.readouterr().out.splitlines() if line.startswith("<")]
    assert [word.partition(":")[0].strip("<>") for word in words] == [
        *("model 1", "shown 1", "report 1"),
        *("model 2", "shown 2", "report 2"),
    ]
    assert all("1 seen" in word for word in words if word.startswith("<model"))
    assert watching.seen == []
    assert watching.reports == [(1, 1), (2, 1)]


@pytest.mark.usefixtures("_shared")
def test_a_callback_that_sees_models_and_cannot_travel_is_refused():
    with pytest.raises(SearchError, match=r"received Holding, part of which is not.*__getstate__"):
        search(watching=[Holding()])
    assert len(search(watching=[Holding()], isolation="inline").history) == 2


# --- mistakes, found in a process of their own ----------------------------------------------


def no_data():
    raise FileNotFoundError("no such file: data.csv")


MISTAKES = {
    "labels": (
        lambda: search(data=(X, Y + 1, X, Y)),
        ["y: sparse_categorical_crossentropy must have labels from 0 to 1", "from 1 to 2"],
    ),
    "an unknown loss": (
        lambda: search(data=(X, Y, X, Y), metrics=[], loss="acuracy"),
        ["loss must be a name that Keras knows", "'acuracy'"],
    ),
    "a live dataset": (
        lambda: search(data=(make_dataset(), None, X, Y)),
        ["X must be fit to travel", "pass a function of no arguments", 'isolation="inline"'],
    ),
    "a live dataset to validate on": (
        lambda: search(data=(X, Y), validation_data=make_dataset()),
        ["X_val must be fit to travel"],
    ),
    "a generator": (
        lambda: search(data=(iter([X]), Y, X, Y)),
        ["read again in every trial"],
    ),
    "a function that fails": (
        lambda: search(data=(no_data, None, X, Y)),
        ["can be read in every trial", "FileNotFoundError: no such file: data.csv"],
    ),
    "a function that makes no data": (
        lambda: search(data=(lambda: "x.csv", None, X, Y)),
        ["X must be arrays, or a dataset", "received 'x.csv'"],
    ),
    "a dataset that yields too much": (
        lambda: search(data=(lambda: (X, Y, Y, Y), None, X, Y)),
        ["X must yield x, (x, y) or (x, y, sample_weight)", "received 4 parts"],
    ),
}


@pytest.mark.usefixtures("_shared")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_before_the_first_trial(mistake):
    provoke, parts = MISTAKES[mistake]
    with pytest.raises(SearchError) as caught:
        provoke()
    message = str(caught.value)
    assert [part for part in parts if part not in message] == [], message


class Deadly(keras.layers.Layer):
    """A layer that ends its process where it is called, if it is told to."""

    def __init__(self, mood, **arguments):
        super().__init__(**arguments)
        self.mood = mood

    def call(self, x):
        if self.mood != "good":
            os._exit(3)
        return x


def deadly_space(*moods):
    space = HyperSpace()
    with space.as_default():
        deadly = hl.custom(Deadly)(mood=Choice(list(moods)), name="deadly")
        hl.Dense(2, "softmax")(deadly(hl.Dense(Choice([3, 5]))(hl.Input((4,)))))
    return space


@pytest.mark.usefixtures("_shared")
def test_an_architecture_that_ends_its_process_costs_its_own_trial():
    found = search(lambda: deadly_space("deadly", "good"), max_trials=4)
    for trial in found.history:
        if trial.decisions["Param_Choice_1"] == "deadly":
            assert trial.state is TrialState.FAILED
            assert trial.failure.kind == "ProcessExitError"
        else:
            assert trial.succeeded
    assert found.history.n_failed == 2


@pytest.mark.usefixtures("_shared")
def test_a_search_of_deadly_architectures_ends_before_the_first_trial():
    with pytest.raises(
        SearchError, match=r"some architecture.*of which none does.*ProcessExitError"
    ):
        search(lambda: deadly_space("deadly", "fatal"))


def test_where_there_is_no_fork_workers_serve(monkeypatch):
    monkeypatch.setattr("hypernets.adapters.process.executor.can_fork", lambda method: False)
    assert told(search().history) == told(search(isolation="inline").history)


# --- the process of the search ----------------------------------------------------------------

PROGRAM = """
import json, sys
import numpy as np
from hypernets.core.callbacks import ProgressCallback, SummaryCallback
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import SearchError
from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space
from hypernets.frameworks.keras.layers import Dense, Function, Input, Normalization
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

def loaded():
    return [name for name in ("keras", "tensorflow") if name in sys.modules]

def make_space():
    space = HyperSpace()
    with space.as_default():
        x = Function(lambda x: x + 1)(Normalization()(Input(shape=4)))
        Dense(2, "softmax")(Dense(Choice([3, 5, 7]), "relu")(x))
    return space

def engine(optimizer):
    return HyperKeras(
        RandomSearcher(make_space, "max", seed=0),
        optimizer,
        "sparse_categorical_crossentropy",
        ["accuracy"],
        callbacks=[SummaryCallback(), ProgressCallback()],
        n_workers=2,
    )

x = np.random.default_rng(0).normal(size=(32, 4))
y = (x[:, 0] > 0).astype(int)
hyper = engine("adam")
hyper.search(x, y, x, y, max_trials=2, epochs=2, verbose=0, store=sys.argv[1])
hyper.results_summary()
hyper.search_space_summary()
try:
    engine("adamm").search(x, y, x, y)
except SearchError as error:
    refused = str(error)
for space in (
    dnn_search_space(10, 2, "softmax"),
    cnn_search_space((8, 8, 1), 10),
    enas_micro_search_space(arch="NNRNNR", input_shape=(28, 28, 1)),
):
    space.sample(0).detached()
before = loaded()
size = hyper.best_model.count_params()
print(json.dumps([before, loaded(), size, len(hyper.history), refused]))
"""


def test_the_process_of_a_search_imports_keras_when_a_model_is_read_and_not_before(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after, size, n_trials, refused = json.loads(done.stdout.splitlines()[-1])
    assert before == []
    assert after == ["keras", "tensorflow"]
    assert size > 0
    assert n_trials == 2
    assert "received 'adamm'; did you mean" in refused
    assert done.stdout.count('Model: "model"') == 2
