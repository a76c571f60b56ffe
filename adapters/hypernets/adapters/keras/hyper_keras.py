"""The published way into a search of Keras models."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import attrs

from hypernets.adapters.keras.data import TrainingData, as_examples, prepare
from hypernets.adapters.keras.deferred_data import SearchData, training_data
from hypernets.adapters.keras.estimator import KerasEstimator
from hypernets.adapters.keras.model_announcer import ModelAnnouncer
from hypernets.adapters.keras.model_keeper import ModelKeeper
from hypernets.adapters.keras.preflight import preflight
from hypernets.adapters.keras.report import results_text, space_text
from hypernets.adapters.keras.sampling import limited_sampler
from hypernets.adapters.keras.search_argument import (
    max_trials_of,
    objectives_of,
    require_choice,
    require_count,
    require_engine_callbacks,
    searcher_from,
    validation_of,
)
from hypernets.adapters.keras.training import TrainingPlan
from hypernets.adapters.keras.workplace import Isolation, Workplace, tell_user
from hypernets.application.loop import Budget, Search
from hypernets.application.loop.deterministic import DeterministicSearch
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import SearchError
from hypernets.domain.history import Direction, History, Trial
from hypernets.domain.history.direction import parse_direction

__all__ = ["HyperKeras"]

_VALIDATING = ("validation_freq", "validation_steps", "validation_batch_size")


class HyperKeras:
    """Searches for Keras models with a searcher, and holds what was found.

    Arguments of the training come from three places: those of `compile` from here, those of `fit`
    from `search`, and those that are searched from `space.set_training`. One that is given twice is
    an error. Live optimizers, losses, metrics and Keras callbacks are copied for every trial, so
    what a callback stores stays in its copy.

    Args:
        searcher: proposes architectures of its space; its direction is that of the reward. Or its
            name, such as `"evolution"`, with `space`.
        optimizer: name, configuration or object; `"adam"` unless the space searches it.
        loss: as `compile` takes it.
        metrics: as `compile` takes them.
        callbacks: watch the search; they have some of the methods of the `Callback` port, and
            `on_model_built(number, model)` if they want to see each model before it is trained.
        reward_metric: name of the metric that is the reward, measured on the validation data;
            the first metric when absent, or the loss where there is none.
        max_model_size: most parameters that a model may have; 0 for no limit.
        reward_epoch: `"last"` measures a model as `fit` leaves it; `"best"` as it was after the
            best epoch.
        keep_models: of how many of the best trials to keep the weights, in a temporary folder that
            goes with this object.
        isolation: `"process"` runs each trial in a process of its own, which a crash, a leak or a
            hang ends alone. What it prints appears here; Keras callbacks, and `on_model_built` of
            those of the search, do their work there, on copies. This process needs no Keras
            before a model is read. `"inline"` runs the trials in this process.
        limit: what a network may cost at most, besides: parameters, operations, bytes, depth. A
            searcher that has `keep_within` is told, and proposes nothing beyond; what another one
            proposes beyond fails its trial before it is built.
        n_workers: how many trials run at a time; more than one in processes of their own only, as
            are the next two.
        deadline_s: how long a trial may take, in seconds.
        memory_limit_bytes: how much memory a trial may take.
        space: with the name of a searcher, the `HyperSpace`, or a function that returns one.
        optimize_direction: with the name of a searcher, `"max"` (when absent) or `"min"`.
        searcher_options: with the name of a searcher, what else it takes.
        objectives: name → `"max"` or `"min"`, the reward first, where several are to be traded off:
            metrics of the model, and `parameters`, `multiply_adds`, `depth`, `activation_bytes`,
            `weight_bytes`, `latency_s` (median time of predicting one example) and `elapsed_s` (of
            the trial), which are recorded then. The weights of the trials that no other one
            dominates are kept too (`pareto_models`). A searcher by its name, `"nsga2"` or
            `"parego"`, takes them over; one that is given has its own.
        **compile_arguments: any other argument of `compile`.

    Attributes:
        history: the trials of the last search.

    Raises:
        SearchError: an argument makes no sense.

    Example:
        ```python
        searcher = RandomSearcher(lambda: dnn_search_space(10, 2, "softmax"), "max")
        search = HyperKeras(searcher, "adam", "sparse_categorical_crossentropy", ["accuracy"])
        search.search(x, y, x_val, y_val, max_trials=20, epochs=5)
        search.best_model.save("best.keras")
        ```
    """

    def __init__(
        self,
        searcher: Any,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        callbacks: Iterable[Any] = (),
        reward_metric: str | None = None,
        max_model_size: int = 0,
        reward_epoch: Literal["last", "best"] = "last",
        keep_models: int = 3,
        isolation: str = "process",
        limit: CostLimit | None = None,
        n_workers: int = 1,
        deadline_s: float | None = None,
        memory_limit_bytes: int | None = None,
        space: Any = None,
        optimize_direction: Direction | str | None = None,
        searcher_options: Mapping[str, Any] | None = None,
        objectives: Mapping[str, Direction | str] | None = None,
        **compile_arguments: Any,
    ) -> None:
        self._objectives = objectives_of(objectives, reward_metric)
        self.searcher = searcher_from(
            searcher, space, optimize_direction, searcher_options, self._objectives
        )
        direction = getattr(self.searcher, "direction", Direction.MAX)
        self.direction: Direction = parse_direction(direction)
        given = {"optimizer": optimizer, "loss": loss, "metrics": metrics, **compile_arguments}
        self._compile = {name: value for name, value in given.items() if value is not None}
        self._callbacks = require_engine_callbacks(callbacks)
        self._reward_metric = next(iter(self._objectives), reward_metric)
        size = require_count(max_model_size, "max_model_size", 0)
        self._limit = CostLimit(max_params=size).within(limit) if size else limit
        self._reward_epoch = require_choice(reward_epoch, "reward_epoch", ("last", "best"))
        self._keep_models = require_count(keep_models, "keep_models", 1)
        self._isolation = Isolation(isolation, n_workers, deadline_s, memory_limit_bytes)
        TrainingPlan(self._compile).require_good(self._searched())
        self._search: Search | None = None
        self._estimator: KerasEstimator | None = None
        self._keeper: ModelKeeper | None = None
        self._best: tuple[int, Any] | None = None

    # --- searching --------------------------------------------------------------

    def search(
        self,
        X: Any,  # noqa: N803 - published, as are the next two
        y: Any = None,
        X_val: Any = None,  # noqa: N803
        y_val: Any = None,
        max_trails: int | None = None,
        max_trials: int | None = None,
        *,
        validation_data: Any = None,
        validation_split: float | None = None,
        sample_weight: Any = None,
        seed: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_time_s: float | None = None,
        target_reward: float | None = None,
        patience: int | None = None,
        max_failures: int | None = 10,
        max_consecutive_failures: int | None = 100,
        max_total_failures: int | None = None,
        store: Any = None,
        known: Iterable[Trial] = (),
        lag: int | None = None,
        replicates: int = 1,
        fork: Any = None,
        **arguments: Any,
    ) -> History:
        """Search, and return the history, which is `.history` as well.

        A search validates after each epoch where something needs that: Keras callbacks,
        `validation_data` or `validation_split` (as opposed to `X_val`), an argument that is about
        it, or `reward_epoch="best"`. The reward is measured after `fit` in any case.

        A second call starts a new history on its data; the searcher goes on from where it is.

        Args:
            X: an array, a list or dict of arrays, a `keras.utils.PyDataset` of batches, or a
                function of no arguments that returns one of these or a `tf.data.Dataset`. It is
                called in the process of each trial. Inline, a `tf.data.Dataset` serves as well.
            y: the labels; none with a dataset.
            X_val: what rewards are measured on.
            y_val: its labels.
            max_trails: the published spelling of `max_trials`.
            max_trials: how many trials to evaluate, failed ones included; 10 when absent, unless
                the search is limited otherwise.
            validation_data: `(X_val, y_val)`, `(X_val, y_val, sample_weight)` or a dataset, in
                place of `X_val` and `y_val`.
            validation_split: fraction of the arrays, from their end, in place of either.
            sample_weight: weights of the training examples.
            seed: makes the search repeatable; the searcher's when absent.
            callbacks: Keras callbacks, copied for each trial.
            max_time_s: no trial begins later than this, in seconds.
            target_reward: end once the best reward is as good.
            patience: end after so many trials without a better one.
            max_failures: give up once so many trials have been evaluated, and all have failed.
            max_consecutive_failures: give up after so many failed trials in a row.
            max_total_failures: give up once so many trials have failed.
            store: a folder, which keeps the history, the best models and how far the running trial
                has come; or a `HistoryStore`, for the history alone. One that holds this search is
                gone on from; the seed, where none is given, is then that of the store.
            known: trials of earlier searches on the same data with the same arguments, a history
                say; what they have measured is not trained again (see `Trial.taken_from`). No
                weights come with them: `final_train` trains the best.
            lag: makes the trials the same whatever the number of workers: the searcher is asked for
                trial k when it has been told of the trials up to k - lag (see
                `DeterministicSearch`). At least `n_workers`.
            replicates: how often to train each proposal, each time from another seed; each is a
                trial. `history.replicates()` has means and spreads, and `final_train` trains what
                is best by these.
            fork: the folder of another search, its `HistoryStore`, or a `Fork`, with the findings
                of which to begin: its trials, where data and arguments are the same; else its best
                architectures, to be trained on these. `store` must be new then. Weights stay there.
            **arguments: of `fit` (`epochs`, `batch_size`, `class_weight`, …) or `compile`, and
                `learning_rate`.

        Raises:
            SearchError: an argument or the data make no sense, or every trial fails.
            SpaceError: the definition of the space is wrong.
            OtherSearchError: the store holds another search; each difference is named.
            StoreError: something cannot be kept.
        """
        budget = Budget(
            max_trials=max_trials_of(max_trails, max_trials, max_time_s, target_reward, patience),
            max_time_s=max_time_s,
            target_reward=target_reward,
            patience=patience,
            max_failures=max_failures,
            max_consecutive_failures=max_consecutive_failures,
            max_total_failures=max_total_failures,
        )
        validating = validation_data is not None or validation_split is not None
        plan = self._plan(arguments, callbacks)
        given = {
            "x": X,
            "y": y,
            "validation_data": validation_of(X_val, y_val, validation_data),
            "validation_split": validation_split,
            "sample_weight": sample_weight,
        }
        data = training_data(given, apart=self._isolation.is_apart)
        watched = validating or bool(plan.callbacks) or any(n in arguments for n in _VALIDATING)
        estimator = self._estimator_for(data, plan, watched)
        workplace = Workplace(
            store, self._isolation, self._keep_models, self.direction, self._objectives
        )
        try:
            search = self._begin(
                estimator,
                workplace,
                lag,
                seed=seed,
                known=known,
                replicates=replicates,
                fork=workplace.past(fork),
            )
            return search.run(**attrs.asdict(budget))
        finally:
            workplace.close()

    def _plan(self, arguments: dict[str, Any], callbacks: Sequence[Any] | None) -> TrainingPlan:
        twice = [name for name in arguments if name in self._compile]
        if twice:
            raise SearchError(
                f"{twice[0]} must be given once; received it from HyperKeras and from search; "
                "leave one out"
            )
        plan = TrainingPlan({**self._compile, **arguments}, tuple(callbacks or ()))
        plan.require_good(self._searched())
        return plan

    def _estimator_for(
        self, data: SearchData, plan: TrainingPlan, validate_epochs: bool
    ) -> KerasEstimator:
        return KerasEstimator(
            data,
            plan,
            direction=self.direction,
            reward_metric=self._reward_metric,
            objectives=self._objectives,
            reward_epoch="best" if self._reward_epoch == "best" else "last",
            limit=self._limit,
            validate_epochs=validate_epochs,
            models_apart=self._isolation.is_apart,
        )

    def _begin(
        self,
        estimator: KerasEstimator,
        workplace: Workplace,
        lag: int | None,
        **options: Any,
    ) -> Search:
        fresh = getattr(self.searcher, "fresh", None)
        if workplace.store is not None and callable(fresh):
            self.searcher = fresh()  # it is asked and told all over again what is stored
        estimator.on_model_built = announcer = ModelAnnouncer(self._callbacks)
        if estimator.models_apart:
            announcer.require_portable()
        estimator.wants_weights = workplace.keeper.would_keep
        estimator.deterministic = workplace.is_durable or lag is not None
        estimator.statistics = workplace.statistics(
            estimator.data_digest if workplace.is_durable else None
        )
        space = getattr(self.searcher, "space", None)
        if space is not None:
            estimator.reward_metric = preflight(
                estimator, space, workplace.executor, limited_sampler(self.searcher, self._limit)
            )
        kind = Search if lag is None else partial(DeterministicSearch, lag=lag)
        self._search = kind(
            self.searcher,
            estimator,
            store=workplace.store,
            executor=workplace.executor,
            direction=self._objectives or None,
            n_workers=self._isolation.n_workers,
            callbacks=self._callbacks,
            keeper=workplace.keeper,
            checkpoints=workplace.checkpoints,
            on_interrupt=tell_user,
            **options,
        )
        self._estimator, self._keeper, self._best = estimator, workplace.keeper, None
        return self._search

    def _searched(self) -> frozenset[str]:
        space = getattr(self.searcher, "space", None)
        return frozenset(getattr(space, "training", None) or ())

    # --- what was found -----------------------------------------------------------

    @property
    def history(self) -> History:
        """The trials of the last search; empty before the first one."""
        return History(self.direction) if self._search is None else self._search.history

    @property
    def best_model(self) -> Any:
        """The best model: built, compiled and with its weights when this is first read.

        Raises:
            SearchError: no trial has succeeded.
        """
        best = self.get_best_trial()
        if self._best is None or self._best[0] != best.number:
            self._best = (best.number, self._model_of(best))
        return self._best[1]

    def get_best_trial(self) -> Trial:
        """Return the trial of the best reward, the oldest of equal ones.

        Raises:
            SearchError: no trial has succeeded.
        """
        best = self.history.best
        if best is None:
            raise SearchError(
                "there must be a trial that has succeeded; received "
                f"{len(self.history)} trials and none that has; call search first, or read the "
                "reasons: print(hyper_keras.results_summary())"
            )
        return best

    def _best_beyond_luck(self) -> Trial:
        """Return a trial of the architecture that is best when all its replicates are counted."""
        best = self.get_best_trial()
        if best.taken_from is not None or not any(trial.replicate for trial in self.history):
            return best
        return self.history.replicates()[0].trials[0]

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """Return the best models, the best first, each with its weights.

        Raises:
            SearchError: no trial has succeeded, or more are wanted than were kept.
        """
        require_count(num_models, "num_models", 1)
        if num_models > self._keep_models:
            raise SearchError(
                f"num_models must be at most keep_models={self._keep_models}, for the weights of "
                f"no other trials are kept; received {num_models}; make it "
                f"HyperKeras(..., keep_models={num_models})"
            )
        self.get_best_trial()
        return [self._model_of(trial) for trial in self.history.top(num_models)]

    @property
    def pareto_models(self) -> list[Any]:
        """The models of `history.front()`, in its order: those that no other one dominates.

        Each is built, compiled and given its weights when this is read.

        Raises:
            SearchError: the search was made without `objectives`, or no trial has succeeded.
        """
        if not self._objectives:
            raise SearchError(
                "pareto_models needs objectives to trade off; received a search of one reward; "
                "write HyperKeras(..., objectives={'accuracy': 'max', 'parameters': 'min'}), say"
            )
        self.get_best_trial()
        return [self._model_of(trial) for trial in self.history.front()]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[dict[str, Any]]:
        """Return the decisions of the best trials, by name of the hyperparameter."""
        require_count(num_trials, "num_trials", 1)
        return [dict(trial.decisions) for trial in self.history.top(num_trials)]

    def results_summary(self, num_trials: int = 10) -> None:
        """Print what the search has come to, and its best trials."""
        require_count(num_trials, "num_trials", 1)
        print(results_text(self.history, num_trials))

    def search_space_summary(self) -> None:
        """Print the decisions of the space."""
        print(space_text(self.searcher.space))

    def _model_of(self, trial: Trial) -> Any:
        assert self._estimator is not None
        assert self._keeper is not None
        if trial.taken_from is not None:
            raise SearchError(
                "a model must have been trained in this search; received trial "
                f"{trial.number}, whose result is that of trial {trial.taken_from} of the history "
                "given as known; train it with final_train(X, y), or read it from the search that "
                "has trained it"
            )
        model, _ = self._estimator.build(trial.architecture, trial.fidelity)
        model.set_weights(self._keeper.weights(trial.number))
        # one saved with an optimizer that is not built cannot be loaded without a warning
        model.optimizer.build(model.trainable_variables)
        return model

    # --- using it -----------------------------------------------------------------

    def final_train(
        self,
        X: Any,  # noqa: N803 - published, as is X_val
        y: Any = None,
        X_val: Any = None,  # noqa: N803
        y_val: Any = None,
        *,
        trial: Trial | None = None,
        validation_data: Any = None,
        sample_weight: Any = None,
        seed: int | None = None,
        callbacks: Sequence[Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Train the best architecture from scratch, and return the model.

        It is trained as in its trial, searched arguments included, but for what is given here.

        Args:
            X: what to train on, as `search` takes it.
            y: the labels.
            X_val: what to validate on after each epoch, if anything.
            y_val: its labels.
            trial: the one whose architecture to train; the best when absent, by the mean of its
                replicates where there are several (see `History.replicates`).
            validation_data: in place of `X_val` and `y_val`.
            sample_weight: weights of the examples.
            seed: of everything random; that of the trial when absent.
            callbacks: Keras callbacks, copied.
            **arguments: of `fit` or `compile`, and `learning_rate`, in place of those of the trial.

        Raises:
            SearchError: no trial has succeeded, or an argument or the data make no sense.
            TrialError: the model cannot be trained on these data.
        """
        trial = self._best_beyond_luck() if trial is None else trial
        given = validation_of(X_val, y_val, validation_data)
        train = as_examples(X, y, sample_weight)
        data = TrainingData(train, train)
        if given is not None:
            data = prepare(X, y, validation_data=given, sample_weight=sample_weight)
        assert self._estimator is not None
        plan = TrainingPlan(
            {**self._estimator.plan.arguments, **trial.architecture.training, **arguments},
            tuple(callbacks or ()),
        )
        plan.require_good()
        trainer = self._estimator_for(data, plan, given is not None)
        if given is None:
            trainer.reward_epoch = "last"  # nothing to tell a best epoch by
        seed = (trial.seed or 0) if seed is None else seed
        return trainer.train(trial.architecture, training={}, seed=seed)

    def evaluate(
        self,
        X: Any,  # noqa: N803 - as in search
        y: Any = None,
        **arguments: Any,
    ) -> dict[str, float]:
        """Return what the best model measures on some data, by name."""
        values = self.best_model.evaluate(
            **as_examples(X, y).fit_arguments, **arguments, return_dict=True
        )
        return {name: float(value) for name, value in values.items()}

    def predict(
        self,
        X: Any,  # noqa: N803 - as in search
        **arguments: Any,
    ) -> Any:
        """Return what the best model predicts."""
        return self.best_model.predict(as_examples(X).feed, **arguments)

    def save_best_model(self, path: Any) -> None:
        """Save the best model; `keras.models.load_model(path)` loads it without this library."""
        self.best_model.save(path)
