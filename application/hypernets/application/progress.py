"""How far a search has come, as a value."""

from collections.abc import Mapping
from typing import Any

import attrs

from hypernets.domain.history import Report, Trial

__all__ = ["RunningTrial", "SearchProgress"]


@attrs.frozen
class RunningTrial:
    """A trial that has begun and not ended.

    Attributes:
        number: of the trial.
        begun_s: when it began.
        stage: what it does: `"training"` where that is known to have begun, else `"running"`.
        step: of the last report, an epoch for Keras; 0 before the first.
        values: of the last report.
    """

    number: int
    begun_s: float = 0.0
    stage: str = "running"
    step: int = 0
    values: Mapping[str, float] = attrs.field(factory=dict)


@attrs.frozen
class SearchProgress:
    """What there is to show of a search. Times are of one clock, in seconds.

    Each event of the search makes a new value, so that another thread may read one meanwhile.

    Attributes:
        begun_s: when this run began.
        max_trials: how many trials there will be at most, where that is known.
        max_time_s: for how long trials may begin, where there is a limit.
        n_workers: how many trials may run at a time.
        n_ended: how many trials have ended, those of an earlier run included.
        n_failed: how many of them failed.
        n_ended_here: how many ended in this run.
        last_end_s: when the last one ended.
        best: the best trial.
        last_failed: the trial that failed last.
        running: the trials that run, by number.
        ended_s: when this run ended; `None` while it goes on.
        n_before: how many trials were there when this run began.
        n_taken: how many of these a fork has taken over from another search.
        location: where the trials are kept.
        origin: where the other search is, for a fork.
    """

    begun_s: float = 0.0
    max_trials: int | None = None
    max_time_s: float | None = None
    n_workers: int = 1
    n_ended: int = 0
    n_failed: int = 0
    n_ended_here: int = 0
    last_end_s: float | None = None
    best: Trial | None = None
    last_failed: Trial | None = None
    running: Mapping[int, RunningTrial] = attrs.field(factory=dict)
    ended_s: float | None = None
    n_before: int = 0
    n_taken: int = 0
    location: str = ""
    origin: str = ""

    @classmethod
    def of_search(cls, search: Any, now_s: float, max_trials: int | None) -> "SearchProgress":
        """Return the state of a search that begins, or goes on with its history.

        Args:
            search: the search, of which `history`, `budget`, `n_workers`, `location` and `origin`
                are read where it has them.
            now_s: the time.
            max_trials: what is known better than by the search.
        """
        history, budget = getattr(search, "history", None), getattr(search, "budget", None)
        origin = getattr(search, "origin", None) or {}
        return cls(
            begun_s=now_s,
            max_trials=max_trials or getattr(budget, "max_trials", None),
            max_time_s=getattr(budget, "max_time_s", None),
            n_workers=getattr(search, "n_workers", 1),
            n_ended=getattr(history, "n_evaluated", 0),
            n_failed=getattr(history, "n_failed", 0),
            best=getattr(history, "best", None),
            n_before=0 if history is None else len(history),
            n_taken=origin.get("taken", 0),
            location=getattr(search, "location", ""),
            origin=origin.get("store", ""),
        )

    def with_begun(self, number: int, now_s: float) -> "SearchProgress":
        """Return the state after a trial has begun."""
        return self._with_running(RunningTrial(number, now_s))

    def with_training(self, number: int) -> "SearchProgress":
        """Return the state after the model of a trial has been built."""
        return self._with_running(attrs.evolve(self._running(number), stage="training"))

    def with_report(self, number: int, report: Report) -> "SearchProgress":
        """Return the state after a report of a trial."""
        trial = attrs.evolve(
            self._running(number), stage="training", step=report.step, values=dict(report.values)
        )
        return self._with_running(trial)

    def with_ended(self, trial: Trial, improved: bool, now_s: float) -> "SearchProgress":
        """Return the state after a trial has ended."""
        return attrs.evolve(
            self,
            n_ended=self.n_ended + 1,
            n_failed=self.n_failed + trial.failed,
            n_ended_here=self.n_ended_here + 1,
            last_end_s=now_s,
            best=trial if improved else self.best,
            last_failed=trial if trial.failed else self.last_failed,
            running={n: each for n, each in self.running.items() if n != trial.number},
        )

    def with_search_ended(self, now_s: float) -> "SearchProgress":
        """Return the state after the search has ended."""
        return attrs.evolve(self, running={}, ended_s=now_s)

    def elapsed_s(self, now_s: float) -> float:
        """Return for how long this run has gone on, or went on if it has ended."""
        return (now_s if self.ended_s is None else self.ended_s) - self.begun_s

    def left_s(self, now_s: float) -> float | None:
        """Return for how long this run is expected to go on; `None` where nothing tells.

        From the measured pace of the trials that ended in this run, several at a time included,
        and no longer than the limit of time, if there is one.
        """
        estimates = []
        if self.max_trials is not None and self.last_end_s is not None:
            pace_s = (self.last_end_s - self.begun_s) / self.n_ended_here
            due_s = self.last_end_s + pace_s * (self.max_trials - self.n_ended)
            estimates.append(due_s - now_s)
        if self.max_time_s is not None:
            estimates.append(self.begun_s + self.max_time_s - now_s)
        return max(0.0, min(estimates)) if estimates and self.ended_s is None else None

    def _running(self, number: int) -> RunningTrial:
        return self.running.get(number) or RunningTrial(number, self.begun_s)

    def _with_running(self, trial: RunningTrial) -> "SearchProgress":
        return attrs.evolve(self, running={**self.running, trial.number: trial})
