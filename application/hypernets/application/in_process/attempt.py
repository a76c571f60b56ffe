"""Running one job here and now, whatever it raises."""

import traceback
from collections.abc import Mapping

from hypernets.application.port.estimator import Measurement
from hypernets.application.port.executor import Job, Outcome, ReportHandler, Ticket
from hypernets.domain.error import DivergedError, OutOfMemoryError, TrialError, TrialTimeoutError
from hypernets.domain.history import Failure, Report, TrialState

__all__ = ["attempt", "failure_of", "state_of"]

_STATES: tuple[tuple[type[Exception], TrialState], ...] = (
    (DivergedError, TrialState.DIVERGED),
    (OutOfMemoryError, TrialState.OUT_OF_MEMORY),
    (MemoryError, TrialState.OUT_OF_MEMORY),
    (TrialTimeoutError, TrialState.TIMED_OUT),
)


def attempt(job: Job, report: ReportHandler, ticket: Ticket) -> Outcome:
    """Return the outcome of a job that is run here.

    Whatever it raises is its outcome, except what is no `Exception`: `KeyboardInterrupt` and the
    like propagate.
    """
    context = _Context(job, report)
    try:
        measurement = job.estimator.estimate(job.architecture, context)
    except Exception as error:
        return Outcome(
            ticket, state_of(error), failure=failure_of(error), curve=tuple(context.curve)
        )
    if not isinstance(measurement, Measurement):
        message = (
            f"an estimator must return a Measurement; received {measurement!r} "
            f"from {type(job.estimator).__name__}; wrap the numbers in one"
        )
        failure = Failure("TrainingError", message)
        return Outcome(ticket, TrialState.FAILED, failure=failure, curve=tuple(context.curve))
    state = TrialState.PRUNED if context.told_to_stop else TrialState.COMPLETED
    curve = measurement.curve or tuple(context.curve)
    return Outcome(ticket, state, measurement=measurement, curve=curve)


def state_of(error: Exception) -> TrialState:
    """Return how a trial ended that raised an error."""
    for kind, state in _STATES:
        if isinstance(error, kind):
            return state
    return TrialState.FAILED


def failure_of(error: Exception) -> Failure:
    """Return the record of an error; without a traceback where its text says everything.

    A `TrialError` is raised on purpose, with a message for people, so its traceback is kept only
    where it wraps another error.
    """
    wanted = not isinstance(error, TrialError) or error.__cause__ is not None
    trace = "".join(traceback.format_exception(error)) if wanted else ""
    return Failure(type(error).__name__, str(error) or repr(error), trace)


class _Context:
    """What an estimator is told about its trial, and where it hands in what it sees."""

    def __init__(self, job: Job, report: ReportHandler) -> None:
        self.number = job.number
        self.seed = job.seed
        self.fidelity = job.fidelity
        self.checkpoint = job.checkpoint
        self.curve: list[Report] = []
        self.told_to_stop = False
        self._report = report

    def report(self, step: int, values: Mapping[str, float]) -> bool:
        report = Report(step, {name: float(value) for name, value in values.items()})
        self.curve.append(report)
        self.told_to_stop = self._report(report) or self.told_to_stop
        return self.told_to_stop
