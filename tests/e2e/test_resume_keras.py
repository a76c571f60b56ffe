"""A half-trained model is gone on with, to the last bit, or not at all."""

import json
import subprocess
import sys

import attrs
import keras
import numpy as np
import pytest
import structlog

from hypernets.adapters.checkpoint import CheckpointFile
from hypernets.adapters.keras.data import prepare
from hypernets.adapters.keras.estimator import KerasEstimator
from hypernets.adapters.keras.training import TrainingPlan
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.history import Direction
from hypernets.frameworks.keras.layers import Dense, Dropout, Function, Input

pytestmark = pytest.mark.keras

SCRIPT = '''
import hashlib, json, os, pathlib, signal, sys

import keras
import numpy as np

from hypernets.adapters.checkpoint import CheckpointFolder
from hypernets.adapters.keras.data import prepare
from hypernets.adapters.keras.estimator import KerasEstimator
from hypernets.adapters.keras.model_keeper import ModelKeeper
from hypernets.adapters.keras.training import TrainingPlan
from hypernets.adapters.process import ProcessExecutor
from hypernets.adapters.store import Hdf5Store
from hypernets.application import InlineExecutor, Search
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.history import Direction
from hypernets.frameworks.keras.layers import (
    BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input,
)
from hypernets.searchers.random_searcher import RandomSearcher


def make_space():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(8, 8, 1))
        x = Conv2D(filters=Choice([4, 6], name="filters"), kernel_size=3, activation="relu")(x)
        x = BatchNormalization()(x)
        x = Flatten()(Dropout(0.3)(x))
        Dense(units=3, activation="softmax")(x)
    return space


class Killer:
    """Kills this process when an epoch of a trial has been reported."""

    def on_trial_report(self, number, report):
        if (number, report.step) == (2, 4):
            os.kill(os.getpid(), signal.SIGKILL)


def run(folder, executor, callbacks=()):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 8, 8, 1)).astype("float32")
    y = x[:, :6].reshape(100, 3, 16).sum(axis=2).argmax(axis=1)
    data = prepare(x, y, validation_split=0.25)
    plan = TrainingPlan(
        {
            "optimizer": keras.optimizers.Adam(0.02),
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            "epochs": 6,
            "batch_size": 16,
            "verbose": 0,
        },
        (
            keras.callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.5),
        ),
    )
    estimator = KerasEstimator(
        data, plan, reward_epoch="best", deterministic=True, checkpoint_every_s=0.0
    )
    folder = pathlib.Path(folder)
    keeper = ModelKeeper(9, Direction.MAX, folder / "models")
    with Hdf5Store(folder / "history") as store:
        search = Search(
            RandomSearcher(make_space, seed=0), estimator, store=store, executor=executor,
            callbacks=callbacks, keeper=keeper, seed=0,
            checkpoints=CheckpointFolder(folder / "checkpoints"),
        )
        history = search.run(max_trials=2)
    return {
        "trials": [
            [t.number, t.decisions, t.seed, t.objectives, [[r.step, r.values] for r in t.curve]]
            for t in history
        ],
        "best_epochs": [t.details["best_epoch"] for t in history],
        "weights": [
            hashlib.sha256(b"".join(w.tobytes() for w in keeper.weights(t.number))).hexdigest()
            for t in history
        ],
        "resumed": [t.details.get("resumed_after_epoch") for t in history],
        "left": [path.name for path in (folder / "checkpoints").iterdir()],
    }


does, folder = sys.argv[1:]
if does == "killed":
    run(folder, ProcessExecutor(), [Killer()])
whole = run(folder + "-whole", InlineExecutor())
print(json.dumps([run(folder, ProcessExecutor()), whole], default=dict))
'''


def test_a_search_that_is_killed_within_a_trial_ends_as_one_that_is_not(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    def run(does):
        command = [sys.executable, str(script), does, str(tmp_path / "run")]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    assert run("killed").returncode == -9
    left = [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert [name for name in left if not name.endswith(".tmp")] == ["trial-2.checkpoint"]
    done = run("resumed")
    assert done.returncode == 0, done.stderr
    resumed, whole = json.loads(done.stdout.splitlines()[-1])
    # the report that killed it came before the state of its epoch
    assert (resumed.pop("resumed"), whole.pop("resumed")) == ([None, 3], [None, None])
    assert resumed == whole
    assert whole["best_epochs"][1] > 3  # so these weights were trained by the second process
    assert resumed["left"] == []
    assert len(resumed["trials"][1][-1]) == 6


# --- one trial, in this process -------------------------------------------------------


def make_space(layer=None):
    space = HyperSpace()
    with space.as_default():
        x = Dense(units=Choice([4, 8], name="units"), activation="relu")(Input(shape=6))
        x = Dropout(0.25)(x)
        if layer is not None:
            x = layer(x)
        Dense(units=1)(x)
    return space


def make_estimator(callbacks=(), **arguments):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 6)).astype("float32")
    data = prepare(x, x.sum(axis=1, keepdims=True), validation_split=0.25)
    arguments = {"epochs": 4, "batch_size": 16, **arguments}
    plan = TrainingPlan({"loss": "mse", "verbose": 0, **arguments}, tuple(callbacks))
    return KerasEstimator(data, plan, direction=Direction.MIN, checkpoint_every_s=0.0)


class CutShort(BaseException):
    """Ends a trial as a kill does."""


@attrs.define
class Context:
    checkpoint: object
    cut_at: int = 0
    number: int = 1
    seed: int = 7
    fidelity: dict = attrs.field(factory=dict)
    steps: list = attrs.field(factory=list)

    def report(self, step, values):
        self.steps.append(step)
        if step == self.cut_at:
            raise CutShort
        return False


def cut_and_resume(path, estimator, after=None, space=None):
    architecture = (space or make_space()).sample(seed=1)
    cut = Context(CheckpointFile(path), cut_at=3)
    with pytest.raises(CutShort):
        estimator.estimate(architecture, cut)
    saved = path.exists()
    context = Context(CheckpointFile(path))
    measured = (after or estimator).estimate(architecture, context)
    assert context.steps == list(range(1, len(context.steps) + 1))
    return saved, measured.details.get("resumed_after_epoch"), measured


def test_a_trial_goes_on_after_its_last_whole_epoch_and_reports_all_of_them(tmp_path):
    _, resumed_after, measured = cut_and_resume(tmp_path / "one", make_estimator())
    assert resumed_after == 2
    whole = make_estimator().estimate(make_space().sample(seed=1), Context(None))
    assert measured.objectives == pytest.approx(whole.objectives, rel=1e-5)


def test_a_trial_begins_anew_where_a_callback_of_its_own_may_have_a_state(tmp_path):
    class Own(keras.callbacks.EarlyStopping):
        pass

    for callback in (Own("loss", patience=9), keras.callbacks.LambdaCallback()):
        estimator = make_estimator([callback])
        assert cut_and_resume(tmp_path / "one", estimator)[:2] == (False, None)


def test_a_trial_begins_anew_where_a_function_of_the_user_is_a_layer(tmp_path):
    space = make_space(lambda x: Function(lambda tensor: 2 * tensor)(x))
    assert cut_and_resume(tmp_path / "one", make_estimator(), space=space)[:2] == (False, None)


def test_a_trial_begins_anew_where_the_order_of_the_data_cannot_be_had_again(tmp_path):
    estimator = make_estimator(steps_per_epoch=1, epochs=3)
    assert cut_and_resume(tmp_path / "one", estimator)[:2] == (False, None)
    import tensorflow as tf

    x = np.zeros((16, 6), "float32")
    dataset = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(8)
    estimator.plan = make_estimator(batch_size=None).plan
    estimator.data = prepare(dataset, validation_data=dataset)
    assert cut_and_resume(tmp_path / "two", estimator)[:2] == (False, None)


@pytest.mark.parametrize(
    "after",
    [
        lambda: make_estimator(batch_size=8),
        lambda: make_estimator(optimizer=keras.optimizers.Adam(0.5)),
        lambda: make_estimator([keras.callbacks.EarlyStopping("loss")]),
    ],
)
def test_a_checkpoint_of_another_training_is_ignored_with_a_warning(tmp_path, after):
    with structlog.testing.capture_logs() as events:
        saved, resumed_after, _ = cut_and_resume(tmp_path / "one", make_estimator(), after())
    assert (saved, resumed_after) == (True, None)
    assert [event["event"] for event in events] == ["checkpoint of another training ignored"]


def test_a_damaged_checkpoint_is_ignored_with_a_warning_and_the_trial_begins_anew(tmp_path):
    path = tmp_path / "one"
    architecture, estimator = make_space().sample(seed=1), make_estimator()
    with pytest.raises(CutShort):
        estimator.estimate(architecture, Context(CheckpointFile(path), cut_at=3))
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with structlog.testing.capture_logs() as events:
        measured = estimator.estimate(architecture, Context(CheckpointFile(path)))
    assert "resumed_after_epoch" not in measured.details
    assert [event["event"] for event in events] == ["checkpoint ignored"]


def test_a_folder_without_room_costs_the_checkpoint_and_not_the_trial(tmp_path):
    (tmp_path / "file").write_text("")
    context = Context(CheckpointFile(tmp_path / "file" / "one"))
    with structlog.testing.capture_logs() as events:
        measured = make_estimator().estimate(make_space().sample(seed=1), context)
    assert np.isfinite(measured.objectives["loss"])
    written = [event["event"] for event in events if "written" in event["event"]]
    assert written == ["checkpoint not written"]  # once, although there are four epochs


def test_a_trial_saves_no_more_often_than_it_is_told_to(tmp_path):
    estimator = make_estimator()
    estimator.checkpoint_every_s = 3600.0
    assert cut_and_resume(tmp_path / "one", estimator)[:2] == (False, None)
