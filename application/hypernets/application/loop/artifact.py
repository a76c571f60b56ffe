"""What trials leave beside the history: weights for a keeper, and how far they have come."""

from collections.abc import Callable
from typing import Any

from hypernets.application.port import Checkpoint, Checkpoints, Measurement
from hypernets.domain.history import History, Trial

__all__ = ["Artifacts", "Keeper"]

Keeper = Callable[[Trial, Any, bool], None]
"""Takes a measured trial, the artifact of its measurement, and whether it is the best now."""


class Artifacts:
    """Hands the artifacts of trials to a keeper, and lets go of checkpoints that have served.

    Args:
        keeper: called with each measured trial when it is known; its methods `stage` and `settle`
            are optional (see `Search`).
        checkpoints: where trials keep how far they have come.
    """

    def __init__(self, keeper: Keeper | None, checkpoints: Checkpoints | None) -> None:
        self._keeper = keeper
        self._checkpoints = checkpoints
        self._staged: int | None = None

    def checkpoint_of(self, number: int) -> Checkpoint | None:
        """Return the place where a trial keeps how far it has come, if there is one."""
        return None if self._checkpoints is None else self._checkpoints.of(number)

    def stage(self, trial: Trial, measurement: Measurement | None) -> None:
        """Let the keeper have what a durable trial must not be without."""
        stage = getattr(self._keeper, "stage", None)
        if stage is not None and measurement is not None and self._staged != trial.number:
            stage(trial, measurement.artifact)
            self._staged = trial.number  # not again where the store then refuses the trial once

    def discard_checkpoint(self, trial: Trial) -> None:
        """Let go of what a trial has kept that is durable now."""
        if self._checkpoints is not None:
            self._checkpoints.of(trial.number).discard()

    def keep(self, trial: Trial, measurement: Measurement | None, improved: bool) -> None:
        """Hand over what came of a trial that is known now."""
        if self._keeper is not None and measurement is not None:
            self._keeper(trial, measurement.artifact, improved)

    def settle(self, history: History) -> None:
        """Remove what a killed run has left beside the history."""
        if self._checkpoints is not None:
            ended = {trial.number for trial in history}
            self._checkpoints.retain(lambda number: number not in ended)
        settle = getattr(self._keeper, "settle", None)
        if settle is not None:
            settle(history)
