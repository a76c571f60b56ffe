"""One finished trial: an immutable record that can be read without the space."""

import enum
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs

from hypernets.domain.history.frozen_mapping import frozen
from hypernets.domain.history.key import TrialKey, trial_key

__all__ = ["Direction", "Failure", "Report", "Trial", "TrialState"]


class Direction(enum.Enum):
    """Whether a larger or a smaller reward is better."""

    MAX = "max"
    MIN = "min"


class TrialState(enum.Enum):
    """How a trial ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    PRUNED = "pruned"
    TIMED_OUT = "timed_out"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    LOST = "lost"


@attrs.frozen
class Failure:
    """Why a trial failed.

    Attributes:
        kind: class name of the error, `"BuildError"`.
        message: its text.
        traceback: the formatted traceback, empty when there is none.
    """

    kind: str
    message: str
    traceback: str = ""


@attrs.frozen
class Report:
    """Intermediate values of a trial.

    Attributes:
        step: what the estimator counts, from 1; an epoch for Keras.
        values: metric name → value.
    """

    step: int
    values: Mapping[str, float] = attrs.field(converter=frozen)


@attrs.frozen
class Trial:
    """One finished trial. Its mappings cannot be changed.

    Attributes:
        number: from 1, in the order in which trials were asked for.
        decisions: name of an active hyperparameter → its value.
        signature: digest of the function that the architecture computes.
        state: how it ended.
        objectives: name → value; the first is the reward. Empty unless the state has values.
        labels: hyperparameter name → the label that a log prints for it, in the log's order.
        curve: intermediate values in the order of the reports.
        timings: what took how long, in seconds (`build_s`, `fit_s`, `evaluate_s`).
        elapsed_s: wall time from submission to verdict, in seconds.
        seed: what seeded the estimator.
        fidelity: budget asked for, `{"epochs": 3}`; empty is the full one.
        replicate: 0 for the first evaluation of an architecture, then 1, 2, …
        training: the decided arguments of the training that the space declares; part of the key.
        estimator: name of what measured it; part of the key.
        parent: number of the trial that this one was derived from, if any.
        asked_after: how many trials the searcher had been told when it proposed this one.
        dropped: how many trials the searcher had been told at each of the proposals before this
            one that were known, and dropped because it wished to propose anew; mostly empty.
        pending: (number, asked_after, *dropped) of each proposal that had not ended when this trial
            had, so that an interrupted search with several workers can be gone on with as it was.
        answered_by: number of the earlier trial whose result answered this one, if any.
        taken_from: number of the trial of an earlier history whose result this one is, if any.
        failure: why it failed; `None` for a completed one.
        details: whatever else the estimator wants kept (JSON values only).
        architecture: the architecture itself when the space is at hand; not part of the record.
    """

    number: int = attrs.field(validator=attrs.validators.ge(1))
    decisions: Mapping[str, Any] = attrs.field(converter=frozen)
    signature: str
    state: TrialState
    objectives: Mapping[str, float] = attrs.field(factory=dict, converter=frozen)
    labels: Mapping[str, str] = attrs.field(factory=dict, converter=frozen)
    curve: tuple[Report, ...] = ()
    timings: Mapping[str, float] = attrs.field(factory=dict, converter=frozen)
    elapsed_s: float = 0.0
    seed: int | None = None
    fidelity: Mapping[str, float] = attrs.field(factory=dict, converter=frozen)
    replicate: int = 0
    training: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen)
    estimator: str = ""
    parent: int | None = None
    asked_after: int = 0
    dropped: tuple[int, ...] = ()
    pending: tuple[tuple[int, ...], ...] = ()
    answered_by: int | None = None
    taken_from: int | None = None
    failure: Failure | None = None
    details: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen)
    architecture: Any = attrs.field(default=None, eq=False, repr=False)

    @property
    def reward(self) -> float | None:
        """The first objective, or `None` where the trial has none."""
        return next(iter(self.objectives.values()), None)

    @cached_property
    def key(self) -> TrialKey:
        """By what the trial is known (see `trial_key`)."""
        return trial_key(
            self.signature or self.decisions,
            self.training,
            self.fidelity,
            self.replicate,
            self.estimator,
        )

    @property
    def evaluated(self) -> bool:
        """Whether it was measured itself, rather than answered by an earlier trial."""
        return self.answered_by is None and self.taken_from is None

    @property
    def ranked(self) -> bool:
        """Whether it is the first of its key in its history, and so may be the best."""
        return self.answered_by is None

    @property
    def failed(self) -> bool:
        """Whether it ended without anything to show: neither completed nor stopped early."""
        return self.state not in (TrialState.COMPLETED, TrialState.PRUNED)

    @property
    def succeeded(self) -> bool:
        """Whether the trial completed with a reward that is a finite number."""
        reward = self.reward
        return self.state is TrialState.COMPLETED and reward is not None and math.isfinite(reward)
