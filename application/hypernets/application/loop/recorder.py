"""Durable, then known, then announced: the order in which a trial enters the history."""

from typing import Any

from hypernets.application.log import EventLog
from hypernets.application.loop.announcer import Announcer
from hypernets.application.loop.artifact import Artifacts
from hypernets.application.loop.candidate import Begun, Candidate
from hypernets.application.loop.ending import log_end
from hypernets.application.loop.known import Known
from hypernets.application.loop.verdict import (
    Pending,
    answered_trial,
    evaluated_trial,
    taken_trial,
)
from hypernets.application.port import HistoryStore, Outcome, Searcher
from hypernets.domain.history import History, Trial

__all__ = ["Recorder"]

log = EventLog(__name__)


class Recorder:
    """Turns what came of proposals into trials, and makes these durable, known and announced.

    Args:
        searcher: what is told.
        store: makes trials durable.
        history: what is known.
        known: what earlier searches have found out.
        artifacts: what trials leave beside the history.
        announcer: tells the callbacks.

    Attributes:
        searcher: what is told.
        history: what is known.
    """

    def __init__(
        self,
        searcher: Searcher,
        store: HistoryStore,
        history: History,
        known: Known,
        artifacts: Artifacts,
        announcer: Announcer,
    ) -> None:
        self.searcher = searcher
        self.history = history
        self._store = store
        self._known = known
        self._artifacts = artifacts
        self._announcer = announcer

    def answer(self, candidate: Candidate) -> Trial | None:
        """Return the trial that answers a proposal, of this search or of an earlier one."""
        earlier = self.history.lookup(candidate.key)
        if earlier is None:
            return self._known.lookup(candidate.key, tuple(self.history.directions))
        return earlier

    def is_own(self, earlier: Trial) -> bool:
        """Say whether a trial that answers is of this search, rather than of an earlier one."""
        return self.history.lookup(earlier.key) is earlier

    def record_answer(self, candidate: Candidate, earlier: Trial, pending: Pending) -> None:
        """Record a proposal that an earlier trial answers; it is not announced."""
        log.debug("trial answered", number=candidate.asked.number, by=earlier.number)
        if self.is_own(earlier):
            self._record(answered_trial(candidate, earlier, pending))
        else:
            names = tuple(self.history.directions)
            self._record(taken_trial(candidate, earlier, pending, names))

    def conclude(self, begun: Begun, outcome: Outcome, ended_s: float, pending: Pending) -> None:
        """Record what came of a trial that was run, and announce it."""
        trial = evaluated_trial(
            begun.candidate,
            outcome,
            seed=begun.seed,
            elapsed_s=ended_s - begun.begun_s,
            pending=pending,
            objectives=tuple(self.history.directions),
        )
        self._artifacts.stage(trial, outcome.measurement)
        improved = self._record(trial)
        self._artifacts.discard_checkpoint(trial)
        log_end(trial, improved)
        self._artifacts.keep(trial, outcome.measurement, improved)
        self._announcer.trial_end(trial, improved)

    def is_recorded(self, number: Any) -> bool:
        """Say whether the trial of a number is known."""
        try:
            self.history.trial(number)
        except KeyError:
            return False
        return True

    def _record(self, trial: Trial) -> bool:
        """Make a trial durable, then known; return whether it is the best now."""
        self._store.append(trial)
        improved = self.history.add(trial)
        self.searcher.tell(trial)
        return improved
