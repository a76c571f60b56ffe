"""The port of what runs trials, and what goes in and comes out of it."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from hypernets.application.port.checkpoint import Checkpoint
from hypernets.application.port.estimator import Estimator, Measurement
from hypernets.domain.history import Failure, Report, TrialState

__all__ = ["Executor", "Job", "Outcome", "ReportHandler", "Ticket"]

Ticket = Hashable
"""What an executor gives for a job, and hands back with its outcome."""

ReportHandler = Callable[[Report], bool]
"""Takes an intermediate report of a trial; returns whether the trial is to stop there."""


@attrs.frozen
class Job:
    """One trial to be run.

    Attributes:
        number: of the trial, from 1.
        architecture: what to measure. An executor that leaves the process sends what its estimator
            reads of it (the resolved graph and the training arguments), never the space.
        estimator: what measures it.
        seed: of everything random in the trial, a non-negative 31-bit integer.
        fidelity: budget, `{"epochs": 3}`; empty is the full one.
        checkpoint: where the trial keeps how far it has come; it travels with the job.
    """

    number: int
    architecture: Any
    estimator: Estimator
    seed: int
    fidelity: Mapping[str, float] = attrs.field(factory=dict)
    checkpoint: Checkpoint | None = None


@attrs.frozen
class Outcome:
    """The verdict on a job: a measurement or a failure.

    Attributes:
        ticket: of the job.
        state: `COMPLETED` or, where it was told to stop early, `PRUNED` with a measurement; any
            other one with a failure.
        measurement: what was measured.
        failure: why nothing was.
        curve: the intermediate reports that were handed in, in order.
    """

    ticket: Ticket
    state: TrialState
    measurement: Measurement | None = None
    failure: Failure | None = None
    curve: tuple[Report, ...] = ()


@runtime_checkable
class Executor(Protocol):
    """What runs trials.

    Laws:
        - Each job has exactly one outcome, decided once, unless it was cancelled before.
        - An error inside a job, or the death of its worker, is the outcome of that job only. A
          `KeyboardInterrupt` in this process is not an outcome: it propagates.
        - `report` is called in the thread of the caller, during `submit` or `completed`, in the
          order of the reports, and before the outcome of its job is handed out.
        - Not thread-safe: its owner serialises the calls.
    """

    def submit(self, job: Job, report: ReportHandler) -> Ticket:
        """Take a job in, to be run; return its ticket."""

    def completed(self, timeout_s: float | None = None) -> Iterable[Outcome]:
        """Return outcomes that have not been handed out yet.

        Waits for at least one while there is a job without an outcome, but no longer than
        `timeout_s` seconds, if that is given and the executor can leave a running job alone.
        """

    def cancel(self, ticket: Ticket) -> None:
        """Give a job up: it has no outcome any more. A ticket that is not known is ignored."""
