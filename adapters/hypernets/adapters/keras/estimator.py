"""Measures an architecture by training its Keras model and evaluating it on validation data.

Trials in one process share it: TensorFlow gives back only part of the memory of a model (some tens
of megabytes of each stay, whatever is released), so that a long search grows. What can be given
back here is: the compiled steps, the optimizer's state, the weights.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import attrs
import keras

from hypernets.adapters.keras.adaptation import Adaptation
from hypernets.adapters.keras.data import TrainingData
from hypernets.adapters.keras.epoch_watch import EpochWatch, metric_names
from hypernets.adapters.keras.fault import is_out_of_memory, trial_error
from hypernets.adapters.keras.identity import data_digest, described
from hypernets.adapters.keras.model_builder import build_model, drop_steps, release
from hypernets.adapters.keras.recipe import as_recipes, made
from hypernets.adapters.keras.resumption import Resumption
from hypernets.adapters.keras.retracing import retracing_expected
from hypernets.adapters.keras.surroundings import Surroundings, divide_threads, make_deterministic
from hypernets.adapters.keras.training import TrainingCall, TrainingPlan
from hypernets.application.port import Measurement, TrialContext
from hypernets.domain.architecture.cost import BYTES, cost_of
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import BuildError, DivergedError, SpaceError, TrainingError
from hypernets.domain.history import Direction

__all__ = ["KerasEstimator", "choose_reward"]


@attrs.define(eq=False)
class KerasEstimator:
    """Trains from scratch, then evaluates on the validation data.

    Everything random in a trial is seeded by `keras.utils.set_random_seed`, which seeds `random`
    and numpy's global generator as well.

    Attributes:
        data: what to train and evaluate on.
        plan: how.
        direction: of the reward.
        reward_metric: name of the metric that is the reward; the first one, or else the loss, when
            absent.
        reward_epoch: `"last"` measures the model as `fit` leaves it; `"best"` the epoch of the best
            reward on the validation data, whose weights are then kept.
        limit: what a network may cost at most; `None` for no limit.
        validate_epochs: whether to validate after each epoch too.
        on_model_built: called with the number of a trial and its model before it is trained;
            raises nothing.
        wants_weights: asked with a reward whether somebody wants the weights; copying them takes
            as long as everything else that is done between two trials.
        deterministic: whether TensorFlow is told, for the whole process, to compute the same in
            each run. Only so does a trial that is gone on with end, to the last bit, as it would
            have.
        checkpoint_every_s: how long a trial trains at least before it saves its state, where it is
            given a checkpoint, in seconds. A state is as large as the model and its optimizer.
        name: what its trials are known by.
    """

    data: TrainingData
    plan: TrainingPlan
    direction: Direction = Direction.MAX
    reward_metric: str | None = None
    reward_epoch: Literal["last", "best"] = "last"
    limit: CostLimit | None = None
    validate_epochs: bool = False
    on_model_built: Callable[[int, Any], None] | None = None
    wants_weights: Callable[[float], bool] = attrs.field(default=lambda _: True)
    deterministic: bool = False
    checkpoint_every_s: float = 30.0
    name: str = "keras"
    _adaptation: Adaptation = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._adaptation = Adaptation(self.data.train)

    @property
    def identity(self) -> str:
        """By what a store knows the training again: arguments, callbacks, and what is measured."""
        how = {"reward_metric": self.reward_metric, "reward_epoch": self.reward_epoch}
        said = {name: arg for name, arg in self.plan.arguments.items() if name != "verbose"}
        return f"{self.name}({described({**said, **how, 'callbacks': self.plan.callbacks})})"

    @property
    def data_digest(self) -> str | None:
        """By what a store knows the data again; `None` for a dataset."""
        return data_digest(self.data)

    # --- in a process of its own ------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to measure the same.

        `on_model_built` stays behind: who wants to see a model is in this process. `wants_weights`
        is pickled, so it answers there as it would here and now.

        Raises:
            SearchError: the data are a live dataset.
        """
        plan = attrs.evolve(self.plan, arguments=as_recipes(dict(self.plan.arguments)))
        own = {name: getattr(self, name) for name in _TRAVELLING}
        return {**own, "plan": plan, "surroundings": Surroundings.here()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become what was measured with elsewhere, in surroundings that are the same."""
        state["surroundings"].restore()
        for name in _TRAVELLING:
            setattr(self, name, state[name])
        self.plan = attrs.evolve(self.plan, arguments=made(self.plan.arguments))
        self.on_model_built = None
        self._adaptation = Adaptation(self.data.train)

    @property
    def preload(self) -> tuple[str, ...]:
        """What a process imports before trials are forked off it."""
        return (keras.backend.backend(), "keras", __name__)

    def prepare_process(self, threads: int | None) -> None:
        """Take no more than so many threads; called in a process that has run nothing yet."""
        divide_threads(threads)

    # --- measuring --------------------------------------------------------------

    def build(
        self,
        architecture: Any,
        fidelity: Mapping[str, float] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> tuple[Any, TrainingCall]:
        """Return the model of an architecture, compiled, and the arguments to fit it with.

        Args:
            architecture: what to build.
            fidelity: budget, `{"epochs": 3}`.
            training: arguments of the training, in place of the architecture's own.

        Raises:
            BuildError: it cannot be built or compiled, or costs too much.
            OutOfMemoryError: there is no room for its weights.
        """
        self._require_within(architecture.graph)
        try:
            model = build_model(self._adaptation.adapted(architecture.graph))
        except BuildError as error:
            if error.__cause__ is not None and is_out_of_memory(error.__cause__):
                raise trial_error(error.__cause__, "building") from error
            raise
        self._require_size(model)
        own = architecture.training if training is None else training
        call = self.plan.call(own, fidelity)
        try:
            model.compile(**call.compile)
        except Exception as error:
            raise BuildError(
                "a model must be compiled with arguments that Keras takes; received "
                f"{call.compile!r}; change them as its reason says: {error}"
            ) from error
        return model, call

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return what the architecture is worth, with the weights as the artifact if wanted.

        Given a checkpoint, it goes on from there, where that is exact (see `resumption`). `fit_s`
        and `evaluate_s` include letting go of the step that was compiled for them.

        Raises:
            TrialError: it cannot be built, trained or evaluated.
        """
        if self.deterministic:
            make_deterministic()
        timings: dict[str, float] = {}
        with _timed(timings, "build_s"):
            keras.utils.set_random_seed(context.seed)  # the initial weights hang on it
            model, call = self.build(architecture, context.fidelity)
        try:
            with retracing_expected():
                return self._measure(model, call, architecture, context, timings)
        finally:
            release(model)

    def train(self, architecture: Any, training: Mapping[str, Any]) -> Any:
        """Return a model that has been trained with the arguments given.

        Raises:
            TrialError: it cannot be built or trained.
        """
        model, call = self.build(architecture, training=training)
        self._fit(model, call, self._watch(lambda step, values: False))
        return model

    def _measure(
        self,
        model: Any,
        call: TrainingCall,
        architecture: Any,
        context: TrialContext,
        timings: dict[str, float],
    ) -> Measurement:
        if self.on_model_built is not None:
            self.on_model_built(context.number, model)
        watch = self._watch(context.report)
        with _timed(timings, "fit_s"):
            n_before = self._fit(model, call, watch, self._resumption(architecture, context))
            drop_steps(model)
        details: dict[str, Any] = {"parameters": int(model.count_params())}
        if n_before:
            details["resumed_after_epoch"] = n_before
        if watch.best_epoch is not None:
            details["best_epoch"] = watch.best_epoch
        with _timed(timings, "evaluate_s"):
            values = self._evaluate(model, call)
            drop_steps(model)
        objectives = _finite_objectives(values, self._reward_name(model))
        wanted = self.wants_weights(next(iter(objectives.values())))
        return Measurement(
            objectives,
            timings=timings,
            details=details,
            artifact=model.get_weights() if wanted else None,
        )

    def _watch(self, report: Callable[[int, Mapping[str, float]], bool]) -> EpochWatch:
        wanted = self._reward_name if self.reward_epoch == "best" else None
        return EpochWatch(report, self.direction, wanted)

    def _resumption(self, architecture: Any, context: TrialContext) -> Resumption | None:
        checkpoint = context.checkpoint
        if checkpoint is None:
            return None
        return Resumption(checkpoint, architecture, context.seed, self.checkpoint_every_s)

    def _fit(
        self,
        model: Any,
        call: TrainingCall,
        watch: EpochWatch,
        resumption: Resumption | None = None,
    ) -> int:
        """Train a model; return after how many epochs of an earlier process it has gone on."""
        arguments = {**call.fit, **self.data.train.fit_arguments}
        if self.data.train.is_dataset:
            # Keras warns that it cannot shuffle one, although it was not asked to
            arguments.setdefault("shuffle", isinstance(self.data.train.x, keras.utils.PyDataset))
        if self.validate_epochs or self.reward_epoch == "best":
            arguments["validation_data"] = self.data.validation.validation_data
        saver = None
        try:
            callbacks = self.plan.keras_callbacks()
            if resumption is not None:
                saver = resumption.begin(model, call, self.data, watch, callbacks)
            if saver is not None:
                arguments["initial_epoch"] = saver.initial_epoch
            savers = [] if saver is None else [saver]
            model.fit(**arguments, callbacks=[*callbacks, watch, *savers])
        except Exception as error:
            raise trial_error(error, "training") from _cause(error)
        if watch.best_weights is not None:
            model.set_weights(watch.best_weights)
        return 0 if saver is None else saver.initial_epoch

    def _evaluate(self, model: Any, call: TrainingCall) -> dict[str, float]:
        arguments = {**call.evaluate, **self.data.validation.fit_arguments}
        if self.data.validation.is_dataset:
            arguments.pop("batch_size", None)
        try:
            values = model.evaluate(**arguments, return_dict=True)
        except Exception as error:
            raise trial_error(error, "evaluating") from _cause(error)
        return {name: float(value) for name, value in values.items()}

    def _reward_name(self, model: Any) -> str:
        return choose_reward(metric_names(model), self.reward_metric)

    def _require_within(self, graph: Any) -> None:
        """Refuse a network that costs too much, as far as that is known before it is built."""
        if self.limit is None:
            return
        try:
            cost = cost_of(graph)
        except BuildError:  # building says why; or nothing knows a layer, and the model is counted
            return
        try:
            excess = self.limit.excess(cost)
        except SpaceError as error:
            raise BuildError(str(error)) from error
        if excess:
            raise _too_costly(self.limit, excess)

    def _require_size(self, model: Any) -> None:
        """Refuse a model that has too many weights, for layers that nothing but Keras can count."""
        if self.limit is None:
            return
        size = int(model.count_params())
        excess = {
            name: value
            for name, value in (("max_params", size), ("max_weight_bytes", BYTES * size))
            if value > self.limit.limits.get(name, value)
        }
        if excess:
            release(model)
            raise _too_costly(self.limit, excess)


def _too_costly(limit: CostLimit, excess: Mapping[str, float]) -> BuildError:
    received = " and ".join(f"{name[len('max_') :]}={value:,}" for name, value in excess.items())
    return BuildError(
        f"a model must keep within {limit}; received one of {received}; raise the limit, or narrow "
        "the space"
    )


_TRAVELLING = tuple(
    field.name
    for field in attrs.fields(KerasEstimator)
    if field.init and field.name != "on_model_built"
)


def choose_reward(names: list[str], wanted: str | None) -> str:
    """Return the name of the reward among what a model measures.

    Args:
        names: see `metric_names`.
        wanted: the one asked for, with or without `val_`; the first when absent.

    Raises:
        TrainingError: there is none of that name; the message names those that there are.
    """
    name = names[0] if wanted is None else wanted.removeprefix("val_")
    if name in names:
        return name
    raise TrainingError(
        f"reward_metric must be one that the model measures; received {wanted!r}; choose one of "
        f"{', '.join(map(repr, names))}, or add it to metrics"
    )


def _finite_objectives(values: Mapping[str, float], reward: str) -> dict[str, float]:
    """Return the objectives, the reward first; a metric beside it that is not finite is left out.

    Raises:
        DivergedError: the reward or the loss is not finite.
    """
    for name in (reward, "loss"):
        if not math.isfinite(values.get(name, 0.0)):
            raise DivergedError(
                f"the {name} on the validation data must be a finite number; received "
                f"{values[name]}; lower the learning rate, or look at the scale of the data"
            )
    ordered = {reward: values[reward], **values}
    return {name: value for name, value in ordered.items() if math.isfinite(value)}


def _cause(error: Exception) -> BaseException | None:
    """Return what an error is the consequence of: itself, unless it says everything already."""
    return error.__cause__ if isinstance(error, DivergedError) else error


@contextmanager
def _timed(timings: dict[str, float], name: str) -> Iterator[None]:
    begun_s = time.perf_counter()
    yield
    timings[name] = time.perf_counter() - begun_s
