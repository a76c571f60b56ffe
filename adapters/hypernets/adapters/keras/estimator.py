"""What measuring an architecture by its Keras model comes to: data, training, what is the reward.

An estimator is a description that needs no Keras: it travels to the process of a trial, and there
`Trainer` does what it says.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from hypernets.adapters.keras.deferred_data import DeferredData, SearchData
from hypernets.adapters.keras.identity import data_digest, described
from hypernets.adapters.keras.presence import loaded_keras
from hypernets.adapters.keras.recipe import as_recipes, made
from hypernets.adapters.keras.shared_statistics import SharedStatistics
from hypernets.adapters.keras.surroundings import Surroundings, divide_threads
from hypernets.adapters.keras.training import TrainingCall, TrainingPlan
from hypernets.application.port import Measurement, TrialContext
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.history import Direction

if TYPE_CHECKING:
    from hypernets.adapters.keras.trainer import Trainer

__all__ = ["KerasEstimator"]

_PRELOAD = ("keras", "hypernets.adapters.keras.trainer", "hypernets.adapters.keras.first_step")


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
        on_model_built: called with the number of a trial and its model before it is trained, in the
            process of the trial; raises nothing.
        objectives: name → direction, where several are traded off, the reward first: metrics, and
            what `MEASURED` names, which is measured then.
        wants_weights: asked with the objectives whether somebody wants the weights; copying them
            takes as long as everything else that is done between two trials.
        deterministic: whether TensorFlow is told, for the whole process, to compute the same in
            each run. Only so does a trial that is gone on with end, to the last bit, as it would
            have.
        checkpoint_every_s: how long a trial trains at least before it saves its state, where it is
            given a checkpoint, in seconds. A state is as large as the model and its optimizer.
        models_apart: whether trials, and so their models, are in processes of their own.
        statistics: what layers have learned from these data, for all processes of the search;
            `None` where there is one process.
        name: what its trials are known by.
    """

    data: SearchData
    plan: TrainingPlan
    direction: Direction = Direction.MAX
    reward_metric: str | None = None
    reward_epoch: Literal["last", "best"] = "last"
    limit: CostLimit | None = None
    validate_epochs: bool = False
    on_model_built: Callable[[int, Any], None] | None = None
    objectives: Mapping[str, Direction] = attrs.field(factory=dict)
    wants_weights: Callable[[Mapping[str, float]], bool] = attrs.field(default=lambda _: True)
    deterministic: bool = False
    checkpoint_every_s: float = 30.0
    models_apart: bool = False
    statistics: SharedStatistics | None = None
    name: str = "keras"
    _trainer: "Trainer | None" = attrs.field(default=None, init=False)

    @property
    def identity(self) -> str:
        """By what a store knows the training again: arguments, callbacks, and what is measured."""
        how: dict[str, Any] = {
            "reward_metric": self.reward_metric,
            "reward_epoch": self.reward_epoch,
        }
        if self.objectives:
            how["objectives"] = {name: d.value for name, d in self.objectives.items()}
        said = {name: arg for name, arg in self.plan.arguments.items() if name != "verbose"}
        return f"{self.name}({described({**said, **how, 'callbacks': self.plan.callbacks})})"

    @property
    def data_digest(self) -> str | None:
        """By what a store knows the data again; `None` where they are no arrays."""
        return None if isinstance(self.data, DeferredData) else data_digest(self.data)

    # --- in a process of its own ------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to measure the same.

        `wants_weights` is pickled, so it answers there as it would here and now.

        Raises:
            SearchError: the data are a live dataset.
        """
        plan = attrs.evolve(self.plan, arguments=as_recipes(dict(self.plan.arguments)))
        own = {name: getattr(self, name) for name in _TRAVELLING}
        surroundings = None if loaded_keras() is None else Surroundings.here()
        return {**own, "plan": plan, "surroundings": surroundings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become what was measured with elsewhere, in surroundings that are the same."""
        if state["surroundings"] is not None:
            state["surroundings"].restore()
        for name in _TRAVELLING:
            setattr(self, name, state[name])
        self._trainer = None

    @property
    def preload(self) -> tuple[str, ...]:
        """What a process imports before trials are forked off it."""
        return _PRELOAD

    def prepare_process(self, threads: int | None) -> None:
        """Take no more than so many threads; called in a process that has run nothing yet."""
        divide_threads(threads)
        self.settle()

    def settle(self) -> None:
        """Make anew the optimizers, losses and metrics that have travelled as recipes.

        Not before threads have been divided: an object that has variables starts the backend.
        """
        self.plan = attrs.evolve(self.plan, arguments=made(dict(self.plan.arguments)))

    # --- measuring, which imports Keras -------------------------------------------

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
        return self._own_trainer().build(architecture, fidelity, training)

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return what the architecture is worth, with the weights as the artifact if wanted.

        Given a checkpoint, it goes on from there, where that is exact (see `resumption`). `fit_s`
        and `evaluate_s` include letting go of the step that was compiled for them.

        Raises:
            TrialError: it cannot be built, trained or evaluated.
        """
        return self._own_trainer().estimate(architecture, context)

    def train(self, architecture: Any, training: Mapping[str, Any], seed: int) -> Any:
        """Return a model that has been trained with the arguments given.

        Args:
            architecture: what to build.
            training: arguments of the training, in place of the architecture's own.
            seed: of everything random.

        Raises:
            TrialError: it cannot be built or trained.
        """
        return self._own_trainer().train(architecture, training, seed)

    def _own_trainer(self) -> "Trainer":
        if self._trainer is None:
            self.settle()
            from hypernets.adapters.keras.trainer import Trainer

            self._trainer = Trainer(self)
        return self._trainer


_TRAVELLING = tuple(field.name for field in attrs.fields(KerasEstimator) if field.init)
