"""The search: a loop over a history.

The order of its steps is the law: a trial is durable, then known, then announced.

    ask → known already? then answered by the earlier trial
        → on_trial_begin → executor → Trial
        → store.append                      durable
        → history.add, searcher.tell        known
        → on_trial_end                      announced
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from hypernets.application.in_process import InlineExecutor, MemoryStore, SystemClock
from hypernets.application.in_process.attempt import failure_of, state_of
from hypernets.application.log import EventLog
from hypernets.application.loop.announcer import Announcer
from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.candidate import Asked, Candidate, as_proposal, identify
from hypernets.application.loop.estimation import as_estimator, estimator_name
from hypernets.application.loop.replay import replay
from hypernets.application.loop.verdict import answered_trial, evaluated_trial
from hypernets.application.port import (
    Clock,
    Executor,
    HistoryStore,
    Job,
    Outcome,
    ReportHandler,
    Searcher,
    Ticket,
)
from hypernets.domain.error import SearchError, SearchExhausted
from hypernets.domain.history import Direction, History, Trial
from hypernets.domain.history.direction import Directions, parse_direction, parse_directions
from hypernets.domain.history.summary import commonest_failure
from hypernets.domain.searchers.randomness import parse_seed, seed_for

__all__ = ["Keeper", "Search"]

Keeper = Callable[[Trial, Any, bool], None]
"""Takes a measured trial, the artifact of its measurement, and whether it is the best now."""

log = EventLog(__name__)


@attrs.frozen
class _Running:
    candidate: Candidate
    ticket: Ticket
    seed: int
    begun_s: float


class Search:
    """A search that can be run, and run on.

    Args:
        searcher: the strategy; a fresh one if the store holds trials.
        estimator: an `Estimator`, or a function of an architecture that returns a number or a
            mapping of objective name to number.
        store: keeps the trials; in memory when absent. One that holds trials is gone on from: the
            searcher is asked and told all over again, as it was.
        executor: runs the trials; in the calling thread when absent.
        callbacks: told what happens (see `Callback`).
        direction: of the reward, or of each of several objectives; the searcher's when absent.
        seed: what the seeds of the trials derive from; the searcher's when absent.
        clock: the machine's when absent.
        n_workers: how many trials may run at a time; a matter of the executor, the default of which
            runs one.
        keeper: called with each trial that was measured, when it is known and before it is
            announced: `(trial, artifact, improved)`. Its errors are the search's.

    Attributes:
        history: what has been found out.
        budget: of the run that is going on, or of the last one; `None` before any.
        end_reason: why the last run has ended; `None` before that.

    Raises:
        SearchError: an argument makes no sense.
    """

    def __init__(
        self,
        searcher: Searcher,
        estimator: Any,
        *,
        store: HistoryStore | None = None,
        executor: Executor | None = None,
        callbacks: Iterable[Any] = (),
        direction: Directions | None = None,
        seed: int | None = None,
        clock: Clock | None = None,
        n_workers: int = 1,
        keeper: Keeper | None = None,
    ) -> None:
        self.searcher = _require_searcher(searcher)
        self.history = History(_direction_for(searcher, direction))
        self.estimator = as_estimator(estimator)
        self.seed = parse_seed(getattr(searcher, "seed", None) if seed is None else seed)
        self.n_workers = _require_workers(n_workers)
        self.budget: Budget | None = None
        self.end_reason: EndReason | None = None
        self._store = MemoryStore() if store is None else store
        self._executor = InlineExecutor() if executor is None else executor
        self._clock = SystemClock() if clock is None else clock
        self._announcer = Announcer(callbacks)
        self._keeper = keeper
        self._estimator_name = estimator_name(self.estimator)
        self._restored = False
        self._next_number = 1
        self._waiting: deque[Asked] = deque()  # proposed, and not begun
        self._running: dict[Ticket, _Running] = {}
        self._n_known = 0  # proposals in a row that were known already

    def run(
        self,
        max_trials: int | None = None,
        *,
        max_time_s: float | None = None,
        target_reward: float | None = None,
        patience: int | None = None,
        max_failures: int | None = 10,
        max_known: int | None = 1_000,
    ) -> History:
        """Search until the budget is used up, and return the history (see `Budget`).

        Raises:
            SearchError: an argument makes no sense, or no trial succeeds, or the store holds the
                history of another search.
            StoreError: a trial cannot be kept.
            KeyboardInterrupt: the user has had enough. Callbacks are told that the search has
                ended, the history is kept, and `run` may be called again.
        """
        budget = Budget(max_trials, max_time_s, target_reward, patience, max_failures, max_known)
        self._require_end(budget)
        self.budget = budget
        self._restore()
        begun_s = self._clock.now()
        self._n_known = 0
        self.end_reason = None
        self._announcer.stop_requested = False
        try:
            self._announcer.search_begin(self)
            self.end_reason = self._loop(budget, begun_s)
        except KeyboardInterrupt:
            self.end_reason = EndReason.INTERRUPTED
            raise
        finally:
            self._give_up_running()
            self._announcer.search_end(self.history)
        self._require_success(self.end_reason)
        return self.history

    # --- the loop ---------------------------------------------------------------

    def _loop(self, budget: Budget, begun_s: float) -> EndReason:
        while True:
            reason = self._fill(budget, begun_s)
            if reason is not None and not self._running:
                return reason
            for outcome in self._executor.completed():
                self._conclude(self._running.pop(outcome.ticket), outcome)

    def _fill(self, budget: Budget, begun_s: float) -> EndReason | None:
        """Begin trials until every worker has one; return why no more may begin, if so."""
        while len(self._running) < self.n_workers:
            reason = self._reason_to_end(budget, begun_s)
            if reason is not None:
                return reason
            try:
                asked = self._ask()
            except SearchExhausted:
                return EndReason.EXHAUSTED
            candidate = identify(asked, self._estimator_name)
            if any(candidate.key == running.candidate.key for running in self._running.values()):
                return None  # about to be known: it waits for that
            earlier = self.history.lookup(candidate.key)
            if earlier is None:
                self._n_known = 0
                self._begin(candidate)
            else:
                self._n_known += 1
                self._waiting.popleft()
                self._record(answered_trial(candidate, earlier, self._pending()))
        return None

    def _reason_to_end(self, budget: Budget, begun_s: float) -> EndReason | None:
        if self._announcer.stop_requested:
            return EndReason.STOPPED
        return budget.spent(
            self.history,
            n_running=len(self._running),
            n_known=self._n_known,
            elapsed_s=self._clock.now() - begun_s,
        )

    def _ask(self) -> Asked:
        """Return the proposal that is next; it stays at the head of those that wait."""
        if not self._waiting:
            proposal = as_proposal(self.searcher.ask())
            self._waiting.append(Asked(self._next_number, proposal, len(self.history)))
            self._next_number += 1
        return self._waiting[0]

    # --- one trial --------------------------------------------------------------

    def _begin(self, candidate: Candidate) -> None:
        asked = candidate.asked
        architecture = asked.proposal.architecture
        seed = seed_for(self.seed, asked.number, "trial")
        begun_s = self._clock.now()
        self._announcer.trial_begin(asked.number, architecture)
        self._waiting.popleft()
        if candidate.error is not None:
            error = candidate.error
            outcome = Outcome(None, state_of(error), failure=failure_of(error))
            self._conclude(_Running(candidate, None, seed, begun_s), outcome)
            return
        job = Job(asked.number, architecture, self.estimator, seed, asked.proposal.fidelity)
        ticket = self._executor.submit(job, self._report_handler(asked.number))
        self._running[ticket] = _Running(candidate, ticket, seed, begun_s)

    def _report_handler(self, number: int) -> ReportHandler:
        return lambda report: self._announcer.trial_report(number, report)

    def _conclude(self, running: _Running, outcome: Outcome) -> None:
        trial = evaluated_trial(
            running.candidate,
            outcome,
            seed=running.seed,
            elapsed_s=self._clock.now() - running.begun_s,
            pending=self._pending(),
            objectives=tuple(self.history.directions),
        )
        improved = self._record(trial)
        if trial.failure is not None:
            error = f"{trial.failure.kind}: {trial.failure.message}"
            log.warning("trial failed", number=trial.number, error=error)
        if self._keeper is not None and outcome.measurement is not None:
            self._keeper(trial, outcome.measurement.artifact, improved)
        self._announcer.trial_end(trial, improved)

    def _record(self, trial: Trial) -> bool:
        """Make a trial durable, then known; return whether it is the best now."""
        self._store.append(trial)
        improved = self.history.add(trial)
        self.searcher.tell(trial)
        return improved

    def _pending(self) -> tuple[tuple[int, int], ...]:
        """Return number and `asked_after` of the proposals that have not ended."""
        running = [running.candidate.asked for running in self._running.values()]
        return tuple((asked.number, asked.asked_after) for asked in [*running, *self._waiting])

    # --- beginning and ending ---------------------------------------------------

    def _restore(self) -> None:
        """Go on from what the store holds, once."""
        if self._restored:
            return
        told, unfinished = replay(self.searcher, list(self._store.load()))
        for trial in told:
            self.history.add(trial)
        self._waiting.extend(unfinished)
        numbers = [asked.number for asked in unfinished]
        self._next_number = max([self.history.next_number - 1, *numbers]) + 1
        self._restored = True

    def _give_up_running(self) -> None:
        """Cancel what still runs when an exception ends the search; it is next in the next run."""
        given_up = [running.candidate.asked for running in self._running.values()]
        for ticket in self._running:
            self._executor.cancel(ticket)
        self._running.clear()
        self._waiting.extendleft(sorted(given_up, key=_number, reverse=True))

    def _require_end(self, budget: Budget) -> None:
        space = getattr(self.searcher, "space", None)
        if budget.is_unlimited and not getattr(space, "is_finite", False):
            raise SearchError(
                "a search of an infinite space must have a limit: at least one of max_trials, "
                "max_time_s, target_reward and patience; received none; write max_trials=100, say"
            )

    def _require_success(self, reason: EndReason | None) -> None:
        history = self.history
        if reason is EndReason.REPEATING:
            log.warning("the searcher repeats itself", n_known=self._n_known)
        if reason is EndReason.STOPPED or not history.n_evaluated:
            return
        if history.n_failed == history.n_evaluated:
            raise SearchError(
                "at least one trial of a search must succeed; received failures only, in all "
                f"{history.n_failed} trials; most often {commonest_failure(history)}; mend that, "
                "or raise max_failures if it is in the nature of the space"
            )


def _number(asked: Asked) -> int:
    return asked.number


def _require_searcher(searcher: Any) -> Searcher:
    if isinstance(searcher, type) or not isinstance(searcher, Searcher):
        raise SearchError(
            "a searcher must have the methods ask and tell; "
            f"received {searcher!r}; write RandomSearcher(space), say"
        )
    return searcher


def _direction_for(searcher: Searcher, direction: Directions | None) -> Directions:
    """Return the direction that was given, or else the searcher's; they must not differ."""
    own = getattr(searcher, "direction", None)
    if own is None:
        return Direction.MAX if direction is None else direction
    own = parse_direction(own, "a searcher's direction")
    if direction is None:
        return own
    given = next(iter(parse_directions(direction).values()), None) or parse_direction(direction)
    if given is not own:
        raise SearchError(
            f"direction must be that of the searcher; received {given.value!r} for a searcher of "
            f"direction {own.value!r}; leave direction out, or make the searcher with the other one"
        )
    return direction


def _require_workers(n_workers: Any) -> int:
    if type(n_workers) is not int or n_workers < 1:
        raise SearchError(
            f"n_workers must be an integer >= 1; received {n_workers!r}; write n_workers=1, say"
        )
    return n_workers
