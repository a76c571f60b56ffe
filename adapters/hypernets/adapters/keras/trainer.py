"""Builds, trains and evaluates the models of trials. It needs Keras, as its processes do.

Trials in one process share it: TensorFlow gives back only part of the memory of a model (some tens
of megabytes of each stay, whatever is released), so that a long search grows. What can be given
back here is: the compiled steps, the optimizer's state, the weights.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras

from hypernets.adapters.keras.adaptation import Adaptation
from hypernets.adapters.keras.epoch_watch import EpochWatch, metric_names
from hypernets.adapters.keras.fault import is_out_of_memory, trial_error
from hypernets.adapters.keras.measured_objective import MEASURED, measured_objective
from hypernets.adapters.keras.model_builder import build_model, drop_steps, release
from hypernets.adapters.keras.presence import is_py_dataset
from hypernets.adapters.keras.resumption import Resumption
from hypernets.adapters.keras.retracing import retracing_expected
from hypernets.adapters.keras.reward import choose_reward, finite_objectives
from hypernets.adapters.keras.surroundings import make_deterministic
from hypernets.adapters.keras.training import TrainingCall
from hypernets.application.port import Measurement, TrialContext
from hypernets.domain.architecture.cost import BYTES, cost_of
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import BuildError, DivergedError, SpaceError

if TYPE_CHECKING:
    from hypernets.adapters.keras.estimator import KerasEstimator

__all__ = ["Trainer"]


class Trainer:
    """Does what a `KerasEstimator` describes, in this process.

    Args:
        task: says on what data to train, how, and what to measure.
    """

    def __init__(self, task: "KerasEstimator") -> None:
        self._task = task
        self._adaptation = Adaptation(lambda: task.data.train, task.statistics)

    def build(
        self,
        architecture: Any,
        fidelity: Mapping[str, float] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> tuple[Any, TrainingCall]:
        """Return a model and how to fit it (see `KerasEstimator.build`)."""
        self._require_within(architecture.graph)
        try:
            model = build_model(self._adaptation.adapted(architecture.graph))
        except BuildError as error:
            if error.__cause__ is not None and is_out_of_memory(error.__cause__):
                raise trial_error(error.__cause__, "building") from error
            raise
        self._require_size(model)
        own = architecture.training if training is None else training
        call = self._task.plan.call(own, fidelity)
        try:
            model.compile(**call.compile)
        except Exception as error:
            raise BuildError(
                "a model must be compiled with arguments that Keras takes; received "
                f"{call.compile!r}; change them as its reason says: {error}"
            ) from error
        return model, call

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return what an architecture is worth (see `KerasEstimator.estimate`)."""
        if self._task.deterministic:
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

    def train(self, architecture: Any, training: Mapping[str, Any], seed: int) -> Any:
        """Return a model that has been trained (see `KerasEstimator.train`)."""
        keras.utils.set_random_seed(seed)
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
        if self._task.on_model_built is not None:
            self._task.on_model_built(context.number, model)
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
        objectives = finite_objectives(values, self._reward_name(model))
        if self._task.objectives:
            objectives |= self._beside(values, model, architecture, sum(timings.values()))
        wanted = self._task.wants_weights(objectives)
        return Measurement(
            objectives,
            timings=timings,
            details=details,
            artifact=model.get_weights() if wanted else None,
        )

    def _beside(
        self, values: Mapping[str, float], model: Any, architecture: Any, elapsed_s: float
    ) -> dict[str, float]:
        """Return the objectives that are no metrics of the model, as far as they are known."""
        found = {}
        for name in self._task.objectives:
            if name in MEASURED and name not in values:
                examples = self._task.data.validation
                found[name] = measured_objective(name, model, architecture, examples, elapsed_s)
        drop_steps(model)
        return {name: value for name, value in found.items() if value is not None}

    def _watch(self, report: Callable[[int, Mapping[str, float]], bool]) -> EpochWatch:
        wanted = self._reward_name if self._task.reward_epoch == "best" else None
        return EpochWatch(report, self._task.direction, wanted)

    def _resumption(self, architecture: Any, context: TrialContext) -> Resumption | None:
        checkpoint = context.checkpoint
        if checkpoint is None:
            return None
        return Resumption(checkpoint, architecture, context.seed, self._task.checkpoint_every_s)

    def _fit(
        self,
        model: Any,
        call: TrainingCall,
        watch: EpochWatch,
        resumption: Resumption | None = None,
    ) -> int:
        """Train a model; return after how many epochs of an earlier process it has gone on."""
        data, plan = self._task.data, self._task.plan
        arguments = {**call.fit, **data.train.fit_arguments}
        if data.train.is_dataset:
            # Keras warns that it cannot shuffle one, although it was not asked to
            arguments.setdefault("shuffle", is_py_dataset(data.train.x))
        if self._task.validate_epochs or self._task.reward_epoch == "best":
            arguments["validation_data"] = data.validation.validation_data
        saver = None
        try:
            callbacks = plan.keras_callbacks()
            if resumption is not None:
                saver = resumption.begin(model, call, data, watch, callbacks)
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
        validation = self._task.data.validation
        arguments = {**call.evaluate, **validation.fit_arguments}
        if validation.is_dataset:
            arguments.pop("batch_size", None)
        try:
            values = model.evaluate(**arguments, return_dict=True)
        except Exception as error:
            raise trial_error(error, "evaluating") from _cause(error)
        return {name: float(value) for name, value in values.items()}

    def _reward_name(self, model: Any) -> str:
        return choose_reward(metric_names(model), self._task.reward_metric)

    def _require_within(self, graph: Any) -> None:
        """Refuse a network that costs too much, as far as that is known before it is built."""
        limit = self._task.limit
        if limit is None:
            return
        try:
            cost = cost_of(graph)
        except BuildError:  # building says why; or nothing knows a layer, and the model is counted
            return
        try:
            excess = limit.excess(cost)
        except SpaceError as error:
            raise BuildError(str(error)) from error
        if excess:
            raise _too_costly(limit, excess)

    def _require_size(self, model: Any) -> None:
        """Refuse a model that has too many weights, for layers that nothing but Keras can count."""
        limit = self._task.limit
        if limit is None:
            return
        size = int(model.count_params())
        excess = {
            name: value
            for name, value in (("max_params", size), ("max_weight_bytes", BYTES * size))
            if value > limit.limits.get(name, value)
        }
        if excess:
            release(model)
            raise _too_costly(limit, excess)


def _too_costly(limit: CostLimit, excess: Mapping[str, float]) -> BuildError:
    received = " and ".join(f"{name[len('max_') :]}={value:,}" for name, value in excess.items())
    return BuildError(
        f"a model must keep within {limit}; received one of {received}; raise the limit, or narrow "
        "the space"
    )


def _cause(error: Exception) -> BaseException | None:
    """Return what an error is the consequence of: itself, unless it says everything already."""
    return error.__cause__ if isinstance(error, DivergedError) else error


@contextmanager
def _timed(timings: dict[str, float], name: str) -> Iterator[None]:
    begun_s = time.perf_counter()
    yield
    timings[name] = time.perf_counter() - begun_s
