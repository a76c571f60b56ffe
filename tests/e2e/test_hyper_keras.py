"""Searches through the published names, with real Keras."""

import gc

import keras
import numpy as np
import pytest

from hypernets.core.search_space import Choice, HyperSpace, Real
from hypernets.domain.error import SearchError
from hypernets.domain.history import TrialState
from hypernets.frameworks.keras.layers import Dense, Dropout, Input, custom
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = [
    pytest.mark.keras,
    # Keras's own, of its variables under numpy 2, when it saves or reads a variable
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")
DATA = (X, Y, X, Y)
LOSS = "sparse_categorical_crossentropy"


def dense_space(**training):
    space = HyperSpace()
    with space.as_default():
        hidden = Dense(Choice([3, 5, 7, 9]), "relu")(Input((4,)))
        Dense(2, "softmax")(Dropout(Choice([0.0, 0.25]))(hidden))
        space.set_training(**{name: make() for name, make in training.items()})
    return space


def hyper(space=dense_space, direction="max", searcher_seed=1, **arguments):
    given = {
        "optimizer": "adam",
        "loss": LOSS,
        "metrics": ["accuracy"],
        "run_eagerly": True,
        "isolation": "inline",
    }
    searcher = RandomSearcher(space, direction, seed=searcher_seed)
    return HyperKeras(searcher, **{**given, **arguments})


def searching(**training):
    """Return a search of a space that decides arguments of the training, and their names."""
    given = {"optimizer": "adam", "loss": LOSS, "metrics": ["accuracy"], "run_eagerly": True}
    given["isolation"] = "inline"
    kept = {name: value for name, value in given.items() if name not in training}
    space = dense_space(**training)
    return HyperKeras(RandomSearcher(space, "max", seed=1), **kept)


class Watcher:
    """A callback of the search that keeps what it is told."""

    def __init__(self):
        self.models, self.reports, self.rates = [], [], []

    def on_model_built(self, number, model):
        self.models.append((number, model.name, model.optimizer))
        self.rates.append(float(np.asarray(model.optimizer.learning_rate)))

    def on_trial_report(self, number, report):
        self.reports.append((number, report.step, sorted(report.values)))


# --- what a search gives ------------------------------------------------------------


@pytest.fixture(scope="module")
def searched():
    found = hyper(keep_models=2)
    found.search(*DATA, max_trials=4, seed=5, epochs=2, verbose=0)
    return found


def test_a_search_returns_its_history_with_the_reward_first(searched):
    assert len(searched.history) == 4
    trial = searched.history[0]
    assert list(trial.objectives) == ["accuracy", "loss"]
    assert set(trial.timings) == {"build_s", "fit_s", "evaluate_s"}
    assert [report.step for report in trial.curve] == [1, 2]
    assert trial.details["parameters"] > 0


def test_the_best_model_measures_what_its_trial_measured(searched):
    best = searched.get_best_trial()
    assert best is searched.history.best
    assert searched.evaluate(X, Y, verbose=0) == pytest.approx(best.objectives, abs=1e-6)
    assert searched.best_model is searched.best_model
    assert searched.predict(X, verbose=0).shape == (64, 2)


def test_the_best_models_come_in_order(searched):
    models = searched.get_best_models(2)
    measured = [model.evaluate(X, Y, verbose=0, return_dict=True)["accuracy"] for model in models]
    assert measured == pytest.approx([trial.reward for trial in searched.history.top(2)])


def test_more_models_than_were_kept_cannot_be_had(searched):
    with pytest.raises(SearchError, match=r"at most keep_models=2.*received 3; make it"):
        searched.get_best_models(3)


def test_the_best_hyperparameters_build_the_best_architecture(searched):
    (decisions,) = searched.get_best_hyperparameters()
    assert searched.searcher.space.architecture(decisions) == searched.history.best.architecture


def test_summaries_are_printed(searched, capsys):
    searched.results_summary(num_trials=1)
    searched.search_space_summary()
    printed = capsys.readouterr().out
    assert "4 trials: 4 completed, 0 failed" in printed
    assert f"Trial {searched.history.best.number}: accuracy=" in printed
    assert "Module_Dense_1.units" in printed
    assert "Choice: 3, 5, 7, 9 (4 values)" in printed


def test_the_final_training_starts_from_scratch_with_its_own_arguments(searched):
    model = searched.final_train(X, Y, X, Y, epochs=3, verbose=0)
    assert len(model.history.history["val_loss"]) == 3
    again = searched.final_train(X, Y, X, Y, epochs=3, verbose=0)
    assert again.history.history == model.history.history
    assert "val_loss" not in searched.final_train(X, Y, verbose=0).history.history


def test_a_saved_model_needs_nothing_but_keras(searched, tmp_path):
    searched.save_best_model(tmp_path / "best.keras")
    loaded = keras.models.load_model(tmp_path / "best.keras")
    assert np.allclose(loaded.predict(X, verbose=0), searched.predict(X, verbose=0))


def test_only_the_best_weights_are_kept_and_they_go_with_the_search():
    found = hyper(keep_models=1)
    found.search(*DATA, max_trials=3, verbose=0)
    folder = found._keeper.folder
    assert len(list(folder.glob("trial-*"))) == 1
    del found
    gc.collect()
    assert not folder.exists()


def test_the_same_seed_gives_the_same_rewards_and_another_does_not():
    def losses(seed):
        history = hyper().search(*DATA, max_trials=2, seed=seed, verbose=0)
        return [trial.objectives["loss"] for trial in history]

    assert losses(11) == losses(11)
    assert losses(11) != losses(12)


def test_a_second_search_starts_a_new_history_and_goes_on_with_the_searcher():
    found = hyper()
    first = found.search(*DATA, max_trials=2, verbose=0)
    second = found.search(*DATA, max_trials=2, verbose=0)
    assert len(first) == len(second) == 2
    keys = {trial.architecture.key for history in (first, second) for trial in history}
    assert len(keys) == 4


def test_the_published_spelling_of_the_number_of_trials_works():
    assert len(hyper().search(*DATA, max_trails=2, verbose=0)) == 2


def test_the_smaller_loss_is_the_best_where_there_is_no_metric():
    found = hyper(direction="min", metrics=None)
    history = found.search(*DATA, max_trials=2, verbose=0)
    assert history.best.reward == min(trial.objectives["loss"] for trial in history)


def test_a_reward_metric_may_be_named_as_keras_logs_it():
    found = hyper(direction="min", reward_metric="val_loss")
    history = found.search(*DATA, max_trials=1, verbose=0)
    assert list(history[0].objectives) == ["loss", "accuracy"]


def test_the_callbacks_of_the_search_see_models_and_reports():
    watcher = Watcher()
    hyper(callbacks=[watcher]).search(*DATA, max_trials=2, epochs=2, verbose=0)
    assert [number for number, *_ in watcher.models] == [1, 2]
    assert [report[:2] for report in watcher.reports] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert watcher.reports[0][2] == ["accuracy", "loss"]


def test_a_callback_that_fails_on_a_model_does_not_harm_the_trial():
    class Broken(Watcher):
        def on_model_built(self, number, model):
            raise RuntimeError("broken")

    others, watcher = Broken(), Watcher()
    history = hyper(callbacks=[others, watcher]).search(*DATA, max_trials=2, verbose=0)
    assert history.summary().n_succeeded == 2
    assert others.models == []
    assert len(watcher.models) == 2


# --- the training ---------------------------------------------------------------------


def test_live_objects_serve_every_trial_by_copies():
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.125, 10, 0.5))
    metric = keras.metrics.SparseCategoricalAccuracy(name="hit")
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    watcher = Watcher()
    found = hyper(optimizer=optimizer, loss=loss, metrics=[metric], callbacks=[watcher])
    history = found.search(*DATA, max_trials=3, verbose=0)
    assert history.summary().n_succeeded == 3
    assert next(iter(history.best.objectives)) == "hit"
    assert not optimizer.built
    assert optimizer not in [used for _, _, used in watcher.models]
    assert watcher.rates == [0.125] * 3


def test_a_metric_without_a_configuration_is_copied_too():
    metric = keras.metrics.MeanMetricWrapper(lambda y, p: keras.ops.max(p, axis=-1), name="peak")
    history = hyper(metrics=[metric]).search(*DATA, max_trials=2, verbose=0)
    assert next(iter(history.best.objectives)) == "peak"


def test_an_optimizer_may_be_a_configuration_that_the_space_searches_in():
    space = HyperSpace()
    with space.as_default():
        Dense(2, "softmax")(Input((4,)))
        space.set_training(
            optimizer={"class_name": "SGD", "config": {"learning_rate": Choice([0.5, 0.25])}}
        )
    watcher = Watcher()
    found = HyperKeras(
        RandomSearcher(space, seed=0), None, LOSS, ["accuracy"], [watcher], isolation="inline"
    )
    found.search(*DATA, max_trials=2, verbose=0, run_eagerly=True)
    assert sorted(watcher.rates) == [0.25, 0.5]


def test_the_space_decides_arguments_of_the_training():
    found = searching(
        optimizer=lambda: Choice(["adam", "sgd"]),
        learning_rate=lambda: Choice([0.125, 0.5]),
        batch_size=lambda: Choice([8, 16]),
        epochs=lambda: Choice([1, 2]),
    )
    history = found.search(*DATA, max_trials=4, verbose=0)
    assert history.summary().n_succeeded == 4
    for trial in history:
        assert len(trial.curve) == trial.training["epochs"]
    best = history.best
    rate = float(np.asarray(found.best_model.optimizer.learning_rate))
    assert rate == best.training["learning_rate"]
    assert type(found.best_model.optimizer).__name__.lower() == best.training["optimizer"]
    longer = found.final_train(X, Y, epochs=3, verbose=0)
    assert len(longer.history.history["loss"]) == 3


def test_a_learning_rate_schedule_may_be_decided():
    def make():
        return {
            "class_name": "CosineDecay",
            "config": {"initial_learning_rate": Choice([0.5, 0.25]), "decay_steps": 10},
        }

    history = searching(learning_rate=make).search(*DATA, max_trials=2, verbose=0)
    assert history.summary().n_succeeded == 2


def test_a_continuous_learning_rate_may_be_decided():
    found = searching(learning_rate=lambda: Real(1e-4, 1e-1, prior="log_uniform"))
    history = found.search(*DATA, max_trials=2, verbose=0)
    assert len({trial.training["learning_rate"] for trial in history}) == 2


def test_an_argument_given_twice_is_an_error_that_says_so():
    space = dense_space(batch_size=lambda: Choice([8, 16]))
    found = HyperKeras(RandomSearcher(space), "adam", LOSS, isolation="inline")
    with pytest.raises(SearchError, match=r"batch_size must be given once; received 8 .*leave"):
        found.search(*DATA, batch_size=8)
    with pytest.raises(SearchError, match="loss must be given once"):
        hyper().search(*DATA, loss="mse")
    space = dense_space(optimizer=lambda: Choice(["sgd", "adam"]))
    with pytest.raises(SearchError, match="optimizer must be given once; received 'adam'"):
        HyperKeras(RandomSearcher(space), "adam", LOSS)


def test_keras_callbacks_are_copied_for_each_trial():
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=0, min_delta=100.0)
    history = hyper().search(*DATA, max_trials=2, epochs=5, callbacks=[stopping], verbose=0)
    assert [len(trial.curve) for trial in history] == [2, 2]
    assert "val_loss" in history[0].curve[0].values
    assert stopping.model is None


def test_a_trial_stops_where_a_callback_says_so():
    from hypernets.domain.error import StopSearch

    class Impatient:
        def on_trial_report(self, number, report):
            raise StopSearch

    history = hyper(callbacks=[Impatient()]).search(*DATA, max_trials=3, epochs=4, verbose=0)
    assert [trial.state for trial in history] == [TrialState.PRUNED]
    assert len(history[0].curve) == 1


def test_the_best_epoch_counts_where_it_is_asked_for():
    # a learning rate that grows spoils what the first epochs have learnt
    worse = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 if epoch < 2 else 50.0)
    arguments = {"max_trials": 1, "epochs": 5, "callbacks": [worse], "verbose": 0, "seed": 1}
    found = hyper(direction="min", reward_metric="loss", reward_epoch="best")
    (trial,) = found.search(*DATA, **arguments)
    losses = [report.values["val_loss"] for report in trial.curve]
    assert trial.reward == pytest.approx(min(losses), rel=1e-5)
    assert trial.details["best_epoch"] == losses.index(min(losses)) + 1
    assert found.evaluate(X, Y, verbose=0)["loss"] == pytest.approx(trial.reward, rel=1e-5)
    (last,) = hyper(direction="min", reward_metric="loss").search(*DATA, **arguments)
    assert last.reward > trial.reward


# --- failures -------------------------------------------------------------------------


class Fragile(keras.layers.Layer):
    """A layer that can be built but not trained, unless its mood is good."""

    def __init__(self, mood, **kwargs):
        super().__init__(**kwargs)
        self.mood = mood

    def call(self, x):
        if self.mood == "nan":
            return x * float("nan")
        if self.mood == "memory" and not isinstance(x, keras.KerasTensor):
            raise MemoryError("no room")
        if self.mood == "shape" and not isinstance(x, keras.KerasTensor):
            return keras.ops.reshape(x, (-1, 5))
        return x


def fragile_space(*moods):
    space = HyperSpace()
    with space.as_default():
        fragile = custom(Fragile)(mood=Choice(list(moods)) if len(moods) > 1 else moods[0])
        Dense(2, "softmax")(fragile(Dense(7)(Input((4,)))))
    return space


def test_a_diverged_trial_is_never_the_best_and_stops_early():
    found = hyper(lambda: fragile_space("nan", "good"), direction="min", reward_metric="loss")
    history = found.search(*DATA, max_trials=2, epochs=3, verbose=0)
    states = {trial.decisions["Param_Choice_1"]: trial for trial in history}
    assert states["nan"].state is TrialState.DIVERGED
    assert states["nan"].curve == ()
    assert "loss must be a finite number" in states["nan"].failure.message
    assert history.best is states["good"]


def test_failures_have_their_own_states_and_keras_own_reason():
    found = hyper(lambda: fragile_space("memory", "shape", "good"))
    history = found.search(*DATA, max_trials=3, verbose=0)
    trials = {trial.decisions["Param_Choice_1"]: trial for trial in history}
    assert trials["good"].succeeded
    assert trials["memory"].state is TrialState.OUT_OF_MEMORY
    assert trials["shape"].state is TrialState.FAILED
    failure = trials["shape"].failure
    assert failure.kind == "TrainingError"
    assert "reshape" in failure.message.lower()
    assert "Traceback" in failure.traceback
    assert "in call" in failure.traceback


def test_shapes_that_fit_for_some_architectures_only_fail_those():
    space = HyperSpace()
    with space.as_default():
        from hypernets.frameworks.keras.layers import Reshape

        wide = Dense(Choice([4, 6]))(Input((4,)))
        Dense(2, "softmax")(Reshape((4,))(wide))
    history = hyper(lambda: space).search(*DATA, max_trials=2, verbose=0)
    trials = {trial.decisions["Param_Choice_1"]: trial for trial in history}
    assert trials[4].succeeded
    assert trials[6].failure.kind == "BuildError"
    assert "Reshape" in trials[6].failure.message


def test_a_search_without_a_success_has_no_best_model():
    with pytest.raises(SearchError, match=r"must be a trial that has succeeded.*call search"):
        _ = hyper().best_model


# --- arguments ------------------------------------------------------------------------

MISTAKES = {
    "both spellings": (
        lambda: hyper().search(*DATA, max_trails=1, max_trials=1),
        ["two spellings", "max_trials=1", "give max_trials only"],
    ),
    "no trials": (
        lambda: hyper().search(*DATA, max_trials=0),
        ["max_trials must be >= 1", "received 0"],
    ),
    "unknown argument": (
        lambda: hyper().search(*DATA, epoch=3),
        ["search", "received 'epoch'", "did you mean 'epochs'?"],
    ),
    "unknown searched argument": (
        lambda: searching(batchsize=lambda: Choice([8, 16])),
        ["space.set_training", "received 'batchsize'", "did you mean 'batch_size'?"],
    ),
    "unknown optimizer": (
        lambda: hyper(optimizer="adamm"),
        ["optimizer must", "received 'adamm'", "did you mean"],
    ),
    "unknown loss": (
        lambda: hyper(loss="sparse_categorical_crossentropi"),
        ["loss must", "did you mean 'sparse_categorical_crossentropy'?"],
    ),
    "unknown metric": (
        lambda: hyper(metrics=["acuracy"]),
        ["metrics must", "received 'acuracy'", "did you mean 'accuracy'?"],
    ),
    "a class as searcher": (
        lambda: HyperKeras(RandomSearcher, "adam", LOSS),
        ["searcher must be an object", "RandomSearcher"],
    ),
    "a Keras callback for the search": (
        lambda: hyper(callbacks=[keras.callbacks.EarlyStopping()]),
        ["callbacks of the search", "EarlyStopping", "pass it to search"],
    ),
    "a search callback for Keras": (
        lambda: hyper().search(*DATA, callbacks=[Watcher()]),
        ["must be Keras callbacks", "Watcher", "pass it to HyperKeras"],
    ),
    "isolation": (
        lambda: hyper(isolation="thread"),
        ["isolation must be 'process' or 'inline'", "received 'thread'"],
    ),
    "a store": (
        lambda: hyper().search(*DATA, store=3),
        ["store must be a folder, or a HistoryStore", "received 3"],
    ),
    "reward epoch": (
        lambda: hyper(reward_epoch="first"),
        ["reward_epoch must be one of 'last', 'best'", "received 'first'"],
    ),
    "model size": (
        lambda: hyper(max_model_size=-1),
        ["max_model_size must be an integer >= 0", "received -1"],
    ),
    "kept models": (
        lambda: hyper(keep_models=0),
        ["keep_models must be an integer >= 1", "received 0"],
    ),
    "searched data argument": (
        lambda: searching(sample_weight=lambda: Choice([1, 2])),
        ["received 'sample_weight'", "goes with the data"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistaken_argument_is_caught_before_the_first_trial(name, monkeypatch):
    provoke, parts = MISTAKES[name]
    monkeypatch.setattr(keras.Model, "evaluate", None)  # no trial may come so far
    with pytest.raises(SearchError) as caught:
        provoke()
    message = str(caught.value)
    assert [part for part in parts if part not in message] == [], message


# --- several at a time, several times -------------------------------------------------


def test_a_lag_decides_how_many_results_the_searcher_knows_at_each_ask():
    history = hyper().search(*DATA, max_trials=4, seed=5, lag=2, verbose=0)
    assert [trial.number for trial in history] == [1, 2, 3, 4]
    assert [trial.asked_after for trial in history] == [0, 0, 1, 2]
    with pytest.raises(SearchError, match="lag must be an integer >= n_workers"):
        hyper().search(*DATA, lag=0, verbose=0)


def test_each_proposal_is_trained_from_several_seeds_and_the_best_mean_is_trained_again():
    found = hyper(direction="min", reward_metric="loss")
    history = found.search(*DATA, max_trials=6, seed=5, replicates=3, verbose=0)
    assert [trial.replicate for trial in history] == [0, 1, 2, 0, 1, 2]
    assert len({trial.seed for trial in history}) == 6
    by_mean = history.replicates()
    assert [summary.n for summary in by_mean] == [3, 3]
    model = found.final_train(X, Y, verbose=0)
    assert model.count_params() == by_mean[0].trials[0].details["parameters"]
    assert found.best_model.count_params() == history.best.details["parameters"]


# --- beginning with what another search has found ----------------------------------------


def test_a_fork_begins_with_the_trials_of_another_search_on_the_same_data(tmp_path):
    first = hyper().search(*DATA, max_trials=2, seed=5, verbose=0, store=tmp_path / "first")
    found = hyper()
    history = found.search(
        *DATA, max_trials=1, seed=6, verbose=0, store=tmp_path / "second", fork=tmp_path / "first"
    )
    assert [trial.taken_from for trial in history] == [1, 2, None]
    assert [trial.objectives for trial in history[:2]] == [trial.objectives for trial in first]
    assert history[2].key not in {trial.key for trial in first}


def test_a_fork_to_other_data_trains_the_best_architectures_anew(tmp_path):
    first = hyper().search(*DATA, max_trials=2, seed=5, verbose=0, store=tmp_path / "first")
    x, y, x_val, y_val = DATA
    history = hyper().search(
        x, y, x_val[::-1], y_val[::-1], max_trials=2, seed=6, verbose=0, fork=tmp_path / "first"
    )
    assert [trial.taken_from for trial in history] == [None, None]
    assert [trial.decisions for trial in history] == [trial.decisions for trial in first.top(2)]
