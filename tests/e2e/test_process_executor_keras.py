"""Real Keras trials in processes of their own."""

import json
import os
import subprocess
import sys

import attrs
import keras
import numpy as np
import pytest

from hypernets.adapters.keras.data import prepare
from hypernets.adapters.keras.estimator import KerasEstimator
from hypernets.adapters.keras.model_keeper import ModelKeeper
from hypernets.adapters.keras.training import TrainingPlan
from hypernets.adapters.process import ProcessExecutor
from hypernets.application import InlineExecutor, search
from hypernets.application.port import Job
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import SearchError
from hypernets.domain.history import Direction, TrialState
from hypernets.frameworks.keras.layers import Dense, Dropout, Input, custom

pytestmark = pytest.mark.keras


class Doubling(keras.layers.Layer):
    """A layer of this module, which no path leads to."""

    def call(self, x):
        return 2 * x


class Absolute(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


class Largest(keras.metrics.Metric):
    def __init__(self, name="largest", **arguments):
        super().__init__(name=name, **arguments)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(keras.ops.maximum(self.value, keras.ops.max(y_pred)))

    def result(self):
        return self.value


class Falling(keras.optimizers.schedules.LearningRateSchedule):
    def get_config(self):
        return {}

    def __call__(self, step):
        return 0.01 / (1.0 + keras.ops.cast(step, "float32"))


def make_space(widths=(4, 8)):
    space = HyperSpace()
    with space.as_default():
        x = Dense(units=Choice(list(widths), name="units"), activation="relu")(Input(shape=6))
        x = Dropout(0.25)(x)
        x = custom(Doubling)()(x)
        Dense(units=1)(x)
    return space


def make_data(n=64):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 6)).astype("float32")
    return prepare(x, x.sum(axis=1, keepdims=True), validation_split=0.25)


def make_estimator(**options):
    plan = TrainingPlan(
        {
            "optimizer": keras.optimizers.Adam(Falling()),
            "loss": Absolute(),
            "metrics": [Largest(), "mse", lambda y, p: keras.ops.mean(p)],
            "epochs": 2,
            "batch_size": 16,
            "verbose": 0,
        }
    )
    options = {"direction": Direction.MIN, "reward_metric": "mse", **options}
    return KerasEstimator(make_data(), plan, **options)


def run(executor, *jobs, report=lambda report: False):
    tickets = [executor.submit(each, report) for each in jobs]
    outcomes = {}
    while len(outcomes) < len(jobs):
        outcomes.update({outcome.ticket: outcome for outcome in executor.completed()})
    return [outcomes[ticket] for ticket in tickets]


@pytest.fixture(scope="module")
def executor():
    with ProcessExecutor() as executor:
        yield executor


def test_a_trial_gives_bit_for_bit_what_it_gives_inline_and_tensorflow_is_forked(executor):
    architecture, estimator = make_space().sample(seed=1), make_estimator()
    one = Job(1, architecture, estimator, seed=5)
    two = attrs.evolve(one, number=2)
    (inline,) = run(InlineExecutor(), one)
    apart, again = run(executor, one, two)
    assert inline.state is TrialState.COMPLETED, inline.failure
    for outcome in (apart, again):
        assert outcome.failure is None
        assert outcome.measurement.objectives == inline.measurement.objectives
        assert outcome.measurement.details == inline.measurement.details
        assert outcome.curve == inline.curve
        arrays = zip(
            inline.measurement.artifact, outcome.measurement.artifact.arrays(), strict=True
        )
        assert all(a.tobytes() == b.tobytes() for a, b in arrays)
    assert executor._house.forks  # importing had left the zygote with one thread


def test_a_keras_trial_is_told_to_stop_after_the_very_epoch(executor):
    estimator = make_estimator()
    estimator.plan = attrs.evolve(
        estimator.plan, arguments={**estimator.plan.arguments, "epochs": 9}
    )
    job = Job(1, make_space().sample(seed=1), estimator, seed=5)
    (outcome,) = run(executor, job, report=lambda report: report.step == 3)
    assert outcome.state is TrialState.PRUNED
    assert [report.step for report in outcome.curve] == [1, 2, 3]


def test_weights_that_nobody_wants_are_not_handed_over(executor):
    keeper = ModelKeeper(1, Direction.MIN)
    estimator = make_estimator(wants_weights=keeper.would_keep)
    job = Job(1, make_space().sample(seed=1), estimator, seed=5)
    (first,) = run(executor, job)
    assert first.failure is None
    trial = FakeTrial(1, first.measurement.objectives["mse"])
    keeper(trial, first.measurement.artifact, True)
    assert len(keeper.weights(1)) == 4
    (second,) = run(executor, attrs.evolve(job, number=2))
    assert second.measurement.artifact is None


@attrs.frozen
class FakeTrial:
    number: int
    reward: float
    succeeded: bool = True

    @property
    def objectives(self):
        return {"mse": self.reward}


def test_a_dataset_is_made_anew_and_a_live_one_refused(executor):
    def make_dataset():
        import tensorflow as tf

        x = np.arange(96, dtype="float32").reshape(16, 6) / 96
        return tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(8)

    job = Job(1, make_space().sample(seed=1), make_estimator(), seed=5)
    data = prepare(make_dataset, validation_data=make_dataset)
    job.estimator.data = data
    (outcome,) = run(executor, job)
    assert outcome.state is TrialState.COMPLETED, outcome.failure
    job.estimator.data = prepare(make_dataset(), validation_data=make_dataset)
    with pytest.raises(SearchError, match="pass a function of no arguments"):
        executor.submit(job, lambda report: False)


def test_one_worker_and_two_give_the_same_table_in_processes_of_other_hash_seeds(monkeypatch):
    def table(n_workers, hash_seed):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)  # of the processes that train
        with ProcessExecutor(n_workers, threads=1) as executor:
            history = search(
                make_space(range(2, 40)),
                "random",
                make_estimator(deterministic=True),
                max_trials=5,
                lag=3,
                seed=7,
                direction="min",
                n_workers=n_workers,
                executor=executor,
            )
        assert not history.n_failed, history[0].failure
        return [
            (t.number, t.asked_after, t.seed, t.signature, t.decisions, t.objectives, t.curve)
            for t in history
        ]

    assert table(1, "1") == table(2, "2")


PROGRAM = """
import json, os, sys
import keras
import numpy as np
from hypernets.adapters.keras.data import prepare
from hypernets.adapters.keras.estimator import KerasEstimator
from hypernets.adapters.keras.training import TrainingPlan
from hypernets.adapters.process import ProcessExecutor
from hypernets.application import search
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.frameworks.keras.layers import Dense, Function, Input, custom

print("this program runs once")

@keras.saving.register_keras_serializable("mine")
class Scaling(keras.layers.Layer):
    def __init__(self, by, **arguments):
        super().__init__(**arguments)
        self.by = by
    def call(self, x):
        return self.by * x
    def get_config(self):
        return {**super().get_config(), "by": self.by}

def my_loss(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

keras.config.set_floatx("float64")
space = HyperSpace()
with space.as_default():
    x = custom("mine>Scaling")(by=Choice([1.0, 2.0]))(Input(shape=3))
    x = Function(lambda x: x + 1)(x)
    Dense(1, activation=lambda x: x)(x)

x = np.ones((8, 3))
data = prepare(x, x[:, :1], validation_split=0.5)
plan = TrainingPlan({"optimizer": "sgd", "loss": my_loss, "epochs": 1})
with ProcessExecutor(2, echo=True) as executor:
    history = search(space, estimate=KerasEstimator(data, plan), direction="min", seed=1,
                     executor=executor, n_workers=2)
print(json.dumps([[t.state.value, t.failure and t.failure.message] for t in history]))
"""


def test_an_unguarded_program_with_its_own_layers_losses_and_lambdas_works(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert json.loads(lines[-1]) == [["completed", None]] * 2, done.stdout + done.stderr
    assert done.stdout.count("this program runs once") == 1
    assert sum("loss" in line for line in lines) >= 2  # what Keras prints while it trains
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]
