"""The port of performance estimation: what turns an architecture into numbers."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from hypernets.application.port.checkpoint import Checkpoint
from hypernets.domain.history.trial import Report

__all__ = ["Estimator", "Measurement", "TrialContext"]


@attrs.frozen
class Measurement:
    """What an estimator found out about one architecture.

    Attributes:
        objectives: name → value; the first is the reward.
        curve: intermediate values.
        timings: what took how long, in seconds (`build_s`, `fit_s`, `evaluate_s`).
        details: whatever else is to be kept in the history (JSON values only).
        artifact: an object that stays outside the history, such as the weights; the search hands
            it to whoever keeps the best models.
    """

    objectives: Mapping[str, float]
    curve: tuple[Report, ...] = ()
    timings: Mapping[str, float] = attrs.field(factory=dict)
    details: Mapping[str, Any] = attrs.field(factory=dict)
    artifact: Any = attrs.field(default=None, eq=False, repr=False)


class TrialContext(Protocol):
    """What an estimator is told about the trial that it serves."""

    @property
    def number(self) -> int:
        """Number of the trial, from 1."""

    @property
    def seed(self) -> int:
        """Seed of everything random in this trial, a non-negative 31-bit integer."""

    @property
    def fidelity(self) -> Mapping[str, float]:
        """Budget, `{"epochs": 3}`; empty is the full one."""

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where to keep how far the trial has come, and what it left when it was cut short.

        An estimator that goes on from there first hands in the reports of before once more. It
        goes on only where it ends as it would have ended, and else begins anew. `None` where
        nothing is to be kept.
        """

    def report(self, step: int, values: Mapping[str, float]) -> bool:
        """Hand in intermediate values; return whether the trial is to stop here."""


@runtime_checkable
class Estimator(Protocol):
    """A performance estimation.

    Laws:
        - Raises `TrialError` for whatever is the architecture's fault; any other exception of
          user code is recorded as a failed trial with its traceback.
        - Same architecture, same seed, same device: same value.
        - Does not change the architecture.
    """

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return what the architecture is worth.

        Raises:
            TrialError: the trial has failed.
        """
