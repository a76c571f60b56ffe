"""Whether a training may go on where another one was cut short, and where that was.

It may only where it ends as the other one would have ended, to the last bit. Where anything has a
state that cannot be kept, the trial begins anew instead.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import keras

from hypernets.adapters.keras.data import Examples, named_arrays
from hypernets.adapters.keras.deferred_data import SearchData
from hypernets.adapters.keras.epoch_checkpoint import CALLBACK_STATES, EpochCheckpoint
from hypernets.adapters.keras.epoch_watch import EpochWatch
from hypernets.adapters.keras.surroundings import Surroundings
from hypernets.adapters.keras.training import TrainingCall
from hypernets.application.log import EventLog
from hypernets.application.port import Checkpoint, SavedState

__all__ = ["Resumption", "obstacle"]

log = EventLog(__name__)


@attrs.frozen(eq=False)
class Resumption:
    """The means by which one trial can be gone on with.

    Attributes:
        checkpoint: where its state is kept.
        architecture: what it trains.
        seed: of everything random in it.
        every_s: how long to train at least between two states, in seconds.
    """

    checkpoint: Checkpoint
    architecture: Any
    seed: int
    every_s: float

    def begin(
        self,
        model: Any,
        call: TrainingCall,
        data: SearchData,
        watch: EpochWatch,
        callbacks: Sequence[Any],
    ) -> EpochCheckpoint | None:
        """Return the last callback of the training; `None` where it cannot be gone on with.

        Where it does go on, what was reported before is reported once more.
        """
        why = obstacle(model, call, data, callbacks)
        if why is not None:
            log.debug("training cannot be resumed", why=why)
            self.checkpoint.discard()
            return None
        identity = _identity(model, self.architecture, call, data, callbacks, self.seed)
        saved = _saved_state(self.checkpoint, identity)
        if saved is not None:
            watch.repeat(saved.facts["curve"])
        return EpochCheckpoint(self.checkpoint, saved, identity, watch, callbacks, self.every_s)


def obstacle(
    model: Any, call: TrainingCall, data: SearchData, callbacks: Sequence[Any]
) -> str | None:
    """Return why a training cannot be gone on with exactly; `None` if it can.

    A layer or an optimizer that is not Keras's own may have a state outside its variables. It says
    that it has none with a true attribute `resumable`.
    """
    if keras.backend.backend() != "tensorflow":
        return f"the order of the data is not known with the backend {keras.backend.backend()}"
    if data.train.is_dataset or data.validation.is_dataset:
        return "a dataset may have a state of its own"
    for argument in ("steps_per_epoch", "initial_epoch"):
        if call.fit.get(argument):
            return f"epochs are not whole, or not counted from 0, with {argument}"
    for callback in callbacks:
        if type(callback) not in CALLBACK_STATES:
            return f"a callback {type(callback).__name__} may have a state of its own"
    layers = model._flatten_layers(include_self=False)
    for part in (*layers, model.optimizer):
        if not _is_known(part):
            return f"{type(part).__name__} may have a state outside its variables"
    return None


def _identity(
    model: Any,
    architecture: Any,
    call: TrainingCall,
    data: SearchData,
    callbacks: Sequence[Any],
    seed: int,
) -> dict[str, Any]:
    """Return what two trainings have in common if one may go on where the other was, as JSON."""
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    identity = {
        "seed": seed,
        "decisions": [list(decision) for decision in architecture.decisions.items()],
        "fit": {name: value for name, value in call.fit.items() if name != "verbose"},
        "compile": {name: value for name, value in call.compile.items() if name != "optimizer"},
        "optimizer": [type(model.optimizer).__name__, model.optimizer.get_config()],
        "callbacks": [[type(callback).__name__, _plain_of(callback)] for callback in callbacks],
        "variables": [[list(v.shape), str(v.dtype)] for v in variables],
        "data": [_shapes(data.train), _shapes(data.validation)],
        "keras": keras.version(),
        "deterministic": Surroundings.here().deterministic,
    }
    document: dict[str, Any] = json.loads(json.dumps(identity, default=_named))
    return {name: _without_names(part) for name, part in document.items()}


def _saved_state(checkpoint: Checkpoint, identity: Mapping[str, Any]) -> SavedState | None:
    """Return what a training of that identity has left; one of another is ignored, and said so."""
    saved = checkpoint.load()
    if saved is None:
        return None
    own = saved.facts.get("identity", {})
    differing = [name for name in identity if own.get(name) != identity[name]]
    if differing:
        log.warning("checkpoint of another training ignored", differing=differing)
        checkpoint.discard()
        return None
    return saved


def _is_known(part: Any) -> bool:
    if getattr(part, "resumable", False):
        return True
    if isinstance(part, keras.layers.Lambda):
        return False  # the function is the user's
    return type(part).__module__.partition(".")[0] in ("keras", "hypernets")


def _plain_of(callback: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(callback).items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _shapes(examples: Examples) -> dict[str, list[str]]:
    parts = {
        **named_arrays(examples.x, "x"),
        **named_arrays(examples.y, "y"),
        **named_arrays(examples.weights, "weights"),
    }
    return {name: [str(tuple(array.shape)), str(array.dtype)] for name, array in parts.items()}


def _without_names(document: Any) -> Any:
    """Return configurations without names, in which Keras counts what the process has made."""
    if isinstance(document, list):
        return [_without_names(part) for part in document]
    if isinstance(document, dict):
        return {key: _without_names(part) for key, part in document.items() if key != "name"}
    return document


def _named(thing: Any) -> Any:
    """Return what an object that is no JSON value is known by, the same in every process."""
    if hasattr(thing, "item") and getattr(thing, "ndim", 0) == 0:
        return thing.item()
    configuration = getattr(thing, "get_config", None)
    name = getattr(thing, "__qualname__", type(thing).__qualname__)
    if configuration is None or isinstance(thing, type):
        return name
    try:
        return [name, configuration()]
    except NotImplementedError:
        return name
