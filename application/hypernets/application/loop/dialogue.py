"""Ask and tell: the trials of a search, run by whoever asks for them."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from hypernets.application.in_process.attempt import failure_of, state_of
from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.search import Search
from hypernets.application.port.estimator import Measurement
from hypernets.application.port.executor import Job, Outcome, ReportHandler, Ticket
from hypernets.domain.error import SearchError
from hypernets.domain.history import Report, Trial, TrialState

__all__ = ["Dialogue", "outcome_of"]


class Dialogue:
    """Hands the trials of a search out one by one, and takes in what came of them.

    The order of steps is that of a run: what is told is durable, then known, then announced. A
    trial that was handed out and never told is handed out again, under its number, by whatever goes
    on with the search. Not thread-safe: its owner serialises the calls.

    Args:
        search: one that is not running; it is taken until `close`.
        budget: when there is nothing more to ask for; unlimited when absent.
    """

    def __init__(self, search: Search, budget: Budget | None = None) -> None:
        self._search = search
        self._handed = _HandedOut()
        self._orphans: deque[Job] = deque()  # begun on account of a tell, and asked for by nobody
        self.end_reason: EndReason | None = None
        search.open(Budget() if budget is None else budget, self._handed)

    def ask(self) -> Job | None:
        """Begin a trial and return what to measure.

        Returns `None` where there is nothing to begin now: for good, with `end_reason` set, or
        until a trial that is under way has been told (`end_reason` is `None`).
        """
        return self._orphans.popleft() if self._orphans else self._begin()

    def report(self, number: int, step: int, values: Mapping[str, float]) -> bool:
        """Hand in intermediate values of a trial; return whether it is to stop there.

        Raises:
            SearchError: no trial of that number is under way.
        """
        self._require_handed(number)
        return self._handed.report(number, Report(step, dict(values)))

    def tell(self, number: int, result: Any) -> Trial | None:
        """Take in what came of a trial; return its record.

        Told once more of a trial that has ended, it returns the record and changes nothing. Where
        it could not be kept, to tell it once more is to try again.

        Args:
            number: of the trial.
            result: a number, a mapping of objective name to number, a `Measurement`, or the
                exception that it failed with.

        Returns:
            The record; `None` while the trial waits for its turn, in deterministic mode.

        Raises:
            SearchError: no trial of that number has been asked for.
            StoreError: the trial cannot be kept.
        """
        known = self._known(number)
        if known is not None:
            return known
        if not self._handed.is_told(number):
            self._find(number)
            self._require_handed(number)
            self._handed.put(outcome_of(number, result, self._handed.curve(number)))
        self._search.collect()
        return self._known(number)

    def close(self) -> None:
        """Give the search back; trials that are under way are begun again by whoever goes on."""
        self._search.close(self.end_reason)

    def _begin(self) -> Job | None:
        self._search.n_workers = self._search.n_running + 1
        self.end_reason = self._search.fill()
        return self._handed.take()

    def _find(self, number: int) -> None:
        """Begin what an earlier process had begun, until the trial of that number is among it."""
        while self._search.n_waiting and not self._handed.is_out(number):
            job = self._begin()
            if job is None:
                return
            if job.number != number:
                self._orphans.append(job)

    def _known(self, number: int) -> Trial | None:
        try:
            return self._search.history.trial(number)
        except KeyError:
            return None

    def _require_handed(self, number: int) -> None:
        if not self._handed.is_out(number):
            out = ", ".join(map(str, self._handed.numbers())) or "none"
            raise SearchError(
                f"a trial must have been asked for before it is told; received number {number!r}, "
                f"where these are under way: {out}; ask first, and tell the number that was given"
            )


def outcome_of(ticket: Ticket, result: Any, curve: Iterable[Report] = ()) -> Outcome:
    """Return what somebody says about a trial as the outcome of a job.

    Args:
        ticket: of the job.
        result: a number, a mapping of objective name to number, a `Measurement`, an `Outcome`, or
            an exception.
        curve: the intermediate reports.
    """
    reports = tuple(curve)
    if isinstance(result, Outcome):
        return attrs.evolve(result, ticket=ticket, curve=result.curve or reports)
    if isinstance(result, Exception):
        return Outcome(ticket, state_of(result), failure=failure_of(result), curve=reports)
    if not isinstance(result, Measurement):
        result = Measurement(result if isinstance(result, Mapping) else {"reward": result})
    return Outcome(ticket, TrialState.COMPLETED, measurement=result, curve=result.curve or reports)


class _HandedOut:
    """An executor that runs nothing: it gives its jobs away and is told what came of them."""

    def __init__(self) -> None:
        self._new: deque[Job] = deque()
        self._out: dict[int, tuple[ReportHandler, list[Report]]] = {}
        self._told: set[int] = set()
        self._outcomes: list[Outcome] = []

    # --- as an executor ---------------------------------------------------------

    def submit(self, job: Job, report: ReportHandler) -> Ticket:
        self._new.append(job)
        self._out[job.number] = (report, [])
        return job.number

    def completed(self, timeout_s: float | None = None) -> Iterable[Outcome]:
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def cancel(self, ticket: Ticket) -> None:
        self._out.pop(ticket, None)  # type: ignore[call-overload]  # a number, as submit gave it

    # --- as whoever asks and tells ----------------------------------------------

    def take(self) -> Job | None:
        return self._new.popleft() if self._new else None

    def numbers(self) -> list[int]:
        return sorted(self._out)

    def is_out(self, number: int) -> bool:
        return number in self._out

    def is_told(self, number: int) -> bool:
        return number in self._told

    def curve(self, number: int) -> list[Report]:
        return self._out[number][1]

    def report(self, number: int, report: Report) -> bool:
        handler, curve = self._out[number]
        curve.append(report)
        return handler(report)

    def put(self, outcome: Outcome) -> None:
        number: Any = outcome.ticket
        del self._out[number]
        self._told.add(number)
        self._outcomes.append(outcome)
