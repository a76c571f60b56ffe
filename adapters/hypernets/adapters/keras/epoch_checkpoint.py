"""Saves the state of a training after an epoch, and puts it back into another one.

All that the next epoch hangs on is kept: every variable of the model (states of random generators
included) and of the optimizer, the best weights so far, and the state of Keras's own callbacks. Of
the order of the data there is nothing to keep: on TensorFlow, Keras shuffles arrays in each epoch
anew from the seed of the trial alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from hypernets.adapters.keras.epoch_watch import EpochWatch
from hypernets.application.log import EventLog
from hypernets.application.port import Checkpoint, SavedState
from hypernets.domain.error import StoreError

__all__ = ["CALLBACK_STATES", "EpochCheckpoint"]

CALLBACK_STATES: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_weights", "best_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "cooldown_counter", "best"),
    keras.callbacks.LearningRateScheduler: (),
    keras.callbacks.TerminateOnNaN: (),
}
"""Class of a Keras callback → the attributes that it goes by, none of them in the model."""

_WATCH_STATE = ("best", "best_epoch", "best_weights")

log = EventLog(__name__)


class EpochCheckpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves a state now and then, and begins with the one that was saved.

    It must be the last of the callbacks: what others do at the end of an epoch belongs to it.
    Nothing is saved after the last epoch: doing that one again costs less than saving each.

    Args:
        checkpoint: where to save.
        saved: what to go on from, if anything; `fit` must begin after its epochs.
        identity: JSON values that a state is good for, saved with it.
        watch: the engine's callback.
        callbacks: the others.
        every_s: how long to train at least between two states, in seconds.
        clock: gives the time in seconds.

    Attributes:
        initial_epoch: the epoch, from 0, that `fit` must begin with.
    """

    async_safe = True
    """It does nothing after a step, so Keras need not wait for it there."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        saved: SavedState | None,
        identity: Mapping[str, Any],
        watch: EpochWatch,
        callbacks: Sequence[Any],
        every_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._checkpoint: Checkpoint | None = checkpoint
        self._saved = saved
        self.initial_epoch = 0 if saved is None else int(saved.facts["epochs"])
        self._identity = identity
        self._watch = watch
        self._callbacks = callbacks
        self._every_s = every_s
        self._clock = clock
        self._saved_s = clock()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Put a saved state back, now that all that has one is made."""
        if self._saved is not None:
            self._restore(self._saved)
            self._saved = None  # it is as large as the model, twice over
        self._saved_s = self._clock()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Save the state, if another epoch follows and the last saving is long enough ago."""
        ends = self.model.stop_training or epoch + 1 >= self.params["epochs"]
        if ends or self._checkpoint is None or self._clock() - self._saved_s < self._every_s:
            return
        try:
            self._checkpoint.save(self._state(epoch + 1))
        except StoreError as error:  # a trial is worth more than its checkpoint
            log.warning("checkpoint not written", why=str(error))
            self._checkpoint = None
        self._saved_s = self._clock()

    # --- the state ----------------------------------------------------------------

    def _state(self, epochs: int) -> SavedState:
        arrays = {name: keras.ops.convert_to_numpy(v) for name, v in self._variables().items()}
        facts: dict[str, Any] = {}
        for owner, attributes, name in self._owners():
            for attribute in attributes:
                _keep(getattr(owner, attribute), f"{name}.{attribute}", facts, arrays)
        return SavedState(
            {
                "epochs": epochs,
                "identity": dict(self._identity),
                "curve": [[step, dict(values)] for step, values in self._watch.curve],
                "values": facts,
            },
            arrays,
        )

    def _restore(self, saved: SavedState) -> None:
        for name, variable in self._variables().items():
            variable.assign(saved.arrays[name])
        for owner, attributes, name in self._owners():
            for attribute in attributes:
                setattr(owner, attribute, _kept(f"{name}.{attribute}", saved))

    def _variables(self) -> dict[str, Any]:
        model, optimizer = self.model, self.model.optimizer
        return {
            **{f"model/{place}": variable for place, variable in enumerate(model.variables)},
            **{f"optimizer/{place}": v for place, v in enumerate(optimizer.variables)},
        }

    def _owners(self) -> list[tuple[Any, tuple[str, ...], str]]:
        others = [
            (callback, CALLBACK_STATES[type(callback)], f"callback/{place}")
            for place, callback in enumerate(self._callbacks)
        ]
        return [(self._watch, _WATCH_STATE, "watch"), *others]


def _keep(value: Any, name: str, facts: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Put a number, `None` or a list of arrays where a state has it."""
    if isinstance(value, list):
        facts[name] = len(value)
        arrays.update({f"{name}/{place}": np.asarray(array) for place, array in enumerate(value)})
    else:
        facts[name] = value if value is None or isinstance(value, int) else float(value)


def _kept(name: str, saved: SavedState) -> Any:
    value = saved.facts["values"][name]
    if not name.endswith("best_weights") or value is None:
        return value
    return [saved.arrays[f"{name}/{place}"] for place in range(value)]
