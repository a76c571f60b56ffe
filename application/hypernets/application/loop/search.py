"""The search: a loop over a history.

The order of its steps is the law: a trial is durable, then known, then announced.

    ask → known already? then answered by the earlier trial, or dropped: the searcher's choice
        → on_trial_begin → executor → Trial
        → store.append                      durable
        → history.add, searcher.tell        known
        → on_trial_end                      announced
"""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from hypernets.application.in_process import InlineExecutor, MemoryStore, SystemClock
from hypernets.application.in_process.attempt import failure_of, state_of
from hypernets.application.log import EventLog
from hypernets.application.loop.announcer import Announcer
from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.candidate import Asked, Begun, Candidate, as_proposal, identify
from hypernets.application.loop.ending import how_to_go_on, log_end, require_end, require_success
from hypernets.application.loop.estimation import as_estimator, estimator_name
from hypernets.application.loop.identity import SearchSeed, identity_of
from hypernets.application.loop.interrupt import interruptible
from hypernets.application.loop.known import Known
from hypernets.application.loop.replay import replay
from hypernets.application.loop.search_argument import (
    direction_for,
    require_searcher,
    require_workers,
)
from hypernets.application.loop.verdict import answered_trial, evaluated_trial, taken_trial
from hypernets.application.port import (
    Checkpoints,
    Clock,
    Executor,
    HistoryStore,
    Job,
    Outcome,
    ReportHandler,
    Searcher,
    SearchIdentity,
    Ticket,
)
from hypernets.domain.error import SearchExhausted
from hypernets.domain.history import History, Trial
from hypernets.domain.history.direction import Directions
from hypernets.domain.searchers.randomness import seed_for
from hypernets.domain.searchers.replicating import ReplicatingSearcher

__all__ = ["Keeper", "Search"]

Keeper = Callable[[Trial, Any, bool], None]
"""Takes a measured trial, the artifact of its measurement, and whether it is the best now."""

_HEARTBEAT_S = 1.0  # how long a wish to end now may have to wait, where the executor allows

log = EventLog(__name__)


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
            announced: `(trial, artifact, improved)`. Its errors are the search's. One that has
            `stage(trial, artifact)` is called so as well before the trial is durable, and one that
            has `settle(history)` when the search goes on from a store.
        checkpoints: where trials keep how far they have come, for an estimator that does so; what a
            trial has there goes when it is durable.
        known: trials of earlier searches with the same estimate. A proposal that they answer
            becomes a trial with their result; it is told, and neither measured nor announced, nor
            counted in `max_trials`.
        replicates: how often each proposal is evaluated, each time from another seed; each is a
            trial (see `ReplicatingSearcher`, and `History.replicates` for the best of them).
        on_interrupt: where given, a first Ctrl-C lets the trials that have begun end, and then ends
            the run; a second one is a `KeyboardInterrupt`. It is called with a line for the user at
            the first, and with one on how to go on when the run has ended so. Only in the main
            thread of a program that has no handler of its own. Where absent, no handler is touched.

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
        checkpoints: Checkpoints | None = None,
        known: Iterable[Trial] = (),
        replicates: int = 1,
        on_interrupt: Callable[[str], object] | None = None,
    ) -> None:
        replicating = ReplicatingSearcher(require_searcher(searcher), replicates)
        self.searcher = searcher if replicates == 1 else replicating
        self.history = History(direction_for(searcher, direction))
        self.estimator = as_estimator(estimator)
        self._seed = SearchSeed(seed, searcher)
        self.n_workers = require_workers(n_workers)
        self.budget: Budget | None = None
        self.end_reason: EndReason | None = None
        self._strategy = searcher
        self._replicates = replicates
        self._store = MemoryStore() if store is None else store
        self._is_bound = store is not None
        self._executor = self._active = InlineExecutor() if executor is None else executor
        self._clock = SystemClock() if clock is None else clock
        self._announcer = Announcer(callbacks)
        self._keeper = keeper
        self._checkpoints = checkpoints
        self._known = Known(known)
        self._on_interrupt = on_interrupt
        self._estimator_name = estimator_name(self.estimator)
        self._restored = False
        self._next_number = 1
        self._waiting: deque[Asked] = deque()  # proposed, and not begun
        self._running: dict[Ticket, Begun] = {}
        self._n_known = 0  # proposals in a row that were known already
        self._dropped: tuple[int, ...] = ()  # of those dropped since the last that was not
        self._begun_s = 0.0
        self._stopping: EndReason | None = None
        self._at_once = False

    def run(
        self,
        max_trials: int | None = None,
        *,
        max_time_s: float | None = None,
        target_reward: float | None = None,
        patience: int | None = None,
        max_failures: int | None = 10,
        max_known: int | None = 1_000,
        max_consecutive_failures: int | None = 100,
        max_total_failures: int | None = None,
    ) -> History:
        """Search until the budget is used up, and return the history (see `Budget`).

        Raises:
            SearchError: an argument makes no sense, or no trial succeeds, or the store holds the
                history of another search.
            StoreError: a trial cannot be kept.
            KeyboardInterrupt: the user has had enough. Callbacks are told that the search has
                ended, the history is kept, and `run` may be called again.
        """
        budget = Budget(
            max_trials,
            max_time_s,
            target_reward,
            patience,
            max_failures,
            max_known,
            max_consecutive_failures,
            max_total_failures,
        )
        require_end(budget, getattr(self.searcher, "space", None))
        reason: EndReason | None = None
        with self._interruptible():
            self.open(budget)
            try:
                reason = self._loop()
            except KeyboardInterrupt:
                reason = EndReason.INTERRUPTED
                raise
            finally:
                self.close(reason)
        if reason is EndReason.INTERRUPTED and self._on_interrupt is not None:
            self._on_interrupt(how_to_go_on(self.history, self._store))
        require_success(self.history, reason)
        return self.history

    def stop(self, *, now: bool = False) -> None:
        """Ask the run that goes on to end: when what has begun has ended, or now.

        A trial that is given up is begun again by the next run. May be called from any thread and
        from a signal handler; it does nothing where no run goes on.

        Args:
            now: give up what runs; as soon as the executor can leave it alone.
        """
        self._stopping = self._stopping or EndReason.STOPPED
        self._at_once = self._at_once or now

    @property
    def seed(self) -> int:
        """What the seeds of the trials derive from; of the store's search, where none was given."""
        return self._seed.value

    @property
    def n_running(self) -> int:
        """Number of trials that have begun and not ended; may be read from any thread."""
        return len(self._running)

    @property
    def n_waiting(self) -> int:
        """Number of proposals that have not begun; may be read from any thread."""
        return len(self._waiting)

    # --- a run, step by step ------------------------------------------------------

    def open(self, budget: Budget, executor: Executor | None = None) -> None:
        """Begin a run; `fill`, `collect` and `close` make the rest of it.

        Args:
            budget: what it may use up.
            executor: in place of the search's own in this run.

        Raises:
            SearchError: the store holds the history of another search.
        """
        self.budget = budget
        self.restore()
        self._active = self._executor if executor is None else executor
        self._begun_s = self._clock.now()
        self._n_known = 0
        self._stopping, self._at_once = None, False
        self.end_reason = None
        self._announcer.stop_requested = False
        log.info("search began", n_trials=len(self.history), seed=self.seed)
        try:
            self._announcer.search_begin(self)
        except KeyboardInterrupt:
            self.close(EndReason.INTERRUPTED)
            raise

    def fill(self) -> EndReason | None:
        """Begin trials until every worker has one; return why no more may begin, if so."""
        while len(self._running) < self.n_workers:
            reason = self._reason_of_stop() or self._reason_of_budget()
            if reason is not None:
                return reason
            try:
                asked = self._waiting[0] if self._waiting else self._ask_new()
            except SearchExhausted:
                return EndReason.EXHAUSTED
            candidate = identify(asked, self._estimator_name)
            key = candidate.key
            if any(key == running.candidate.key for running in self._running.values()):
                return None  # about to be known: it waits for that
            earlier = self._answer(candidate)
            if earlier is None:
                self._n_known = 0
                self._begin(candidate)
            else:
                self._n_known += self._is_own(earlier)
                self._waiting.popleft()
                self._settle(candidate, earlier)
        return None

    def collect(self, timeout_s: float | None = 0.0) -> None:
        """Take in what has ended; wait for at least one so long, where the executor can."""
        for outcome in self._active.completed(timeout_s):
            self._end(self._running.pop(outcome.ticket), outcome)

    def close(self, reason: EndReason | None) -> None:
        """End a run: give up what runs, and say that the search has ended."""
        self.end_reason = reason
        self._give_up_running()
        log.info(
            "search ended",
            reason=None if reason is None else reason.value,
            n_trials=len(self.history),
            n_failed=self.history.n_failed,
        )
        self._announcer.search_end(self.history)

    def _loop(self) -> EndReason:
        while True:
            reason = self.fill()
            if self._at_once and self._stopping is not None:
                return self._stopping
            if reason is not None and not self._running:
                return reason
            self.collect(_HEARTBEAT_S)

    # --- proposals ----------------------------------------------------------------

    def _reason_of_stop(self) -> EndReason | None:
        if self._stopping is not None:
            return self._stopping
        return EndReason.STOPPED if self._announcer.stop_requested else None

    def _reason_of_budget(self) -> EndReason | None:
        assert self.budget is not None
        return self.budget.spent(
            self.history,
            n_running=self._n_under_way(),
            n_known=self._n_known,
            elapsed_s=self._elapsed_s(),
        )

    def _n_under_way(self) -> int:
        return len(self._running)

    def _elapsed_s(self) -> float:
        return self._clock.now() - self._begun_s

    def _ask_new(self) -> Asked:
        """Ask the searcher; its proposal is the last of those that wait."""
        proposal = as_proposal(self.searcher.ask())
        asked = Asked(self._next_number, proposal, len(self.history), self._dropped)
        self._waiting.append(asked)
        self._next_number += 1
        self._dropped = ()
        return asked

    def _answer(self, candidate: Candidate) -> Trial | None:
        """Return the trial that answers a proposal, of this search or of an earlier one."""
        earlier = self.history.lookup(candidate.key)
        if earlier is None:
            return self._known.lookup(candidate.key, tuple(self.history.directions))
        return earlier

    def _settle(self, candidate: Candidate, earlier: Trial) -> None:
        """Deal with a proposal that an earlier trial answers, as the searcher wishes."""
        asked = candidate.asked
        # One behind which others wait is answered all the same: asked for anew, it would come
        # after them, and numbers would not be in the order of asks any more.
        anew = asked.proposal.if_known == "propose_anew" and self._is_own(earlier)
        if anew and not self._waiting:
            self._drop(asked)
        else:
            self._record_answer(candidate, earlier)

    def _drop(self, asked: Asked) -> None:
        """Forget the last proposal, whose number goes to the next one."""
        log.debug("known proposal dropped", number=asked.number)
        self._dropped = (*asked.dropped, asked.asked_after)
        self._next_number = asked.number

    def _record_answer(self, candidate: Candidate, earlier: Trial) -> None:
        log.debug("trial answered", number=candidate.asked.number, by=earlier.number)
        pending = self._pending()
        if self._is_own(earlier):
            self._record(answered_trial(candidate, earlier, pending))
        else:
            names = tuple(self.history.directions)
            self._record(taken_trial(candidate, earlier, pending, names))

    def _is_own(self, earlier: Trial) -> bool:
        """Say whether a trial that answers is of this search, rather than of an earlier one."""
        return self.history.lookup(earlier.key) is earlier

    # --- one trial ----------------------------------------------------------------

    def _begin(self, candidate: Candidate) -> None:
        asked = candidate.asked
        architecture = asked.proposal.architecture
        seed = seed_for(self.seed, asked.number, "trial")
        begun_s = self._clock.now()
        log.debug("trial began", number=asked.number, seed=seed)
        self._announcer.trial_begin(asked.number, architecture)
        self._waiting.remove(asked)
        if candidate.error is not None:
            error = candidate.error
            outcome = Outcome(None, state_of(error), failure=failure_of(error))
            self._end(Begun(candidate, None, seed, begun_s), outcome)
            return
        checkpoint = None if self._checkpoints is None else self._checkpoints.of(asked.number)
        fidelity = asked.proposal.fidelity
        job = Job(asked.number, architecture, self.estimator, seed, fidelity, checkpoint)
        ticket = self._active.submit(job, self._report_handler(asked.number))
        self._running[ticket] = Begun(candidate, ticket, seed, begun_s)

    def _report_handler(self, number: int) -> ReportHandler:
        return lambda report: self._announcer.trial_report(number, report)

    def _end(self, begun: Begun, outcome: Outcome) -> None:
        """Take in what came of a trial."""
        self._conclude(begun, outcome, self._clock.now())

    def _conclude(self, begun: Begun, outcome: Outcome, ended_s: float) -> None:
        trial = evaluated_trial(
            begun.candidate,
            outcome,
            seed=begun.seed,
            elapsed_s=ended_s - begun.begun_s,
            pending=self._pending(),
            objectives=tuple(self.history.directions),
        )
        if outcome.measurement is not None:
            self._stage(trial, outcome.measurement.artifact)
        improved = self._record(trial)
        if self._checkpoints is not None:
            self._checkpoints.of(trial.number).discard()
        log_end(trial, improved)
        if self._keeper is not None and outcome.measurement is not None:
            self._keeper(trial, outcome.measurement.artifact, improved)
        self._announcer.trial_end(trial, improved)

    def _stage(self, trial: Trial, artifact: Any) -> None:
        """Let the keeper have what a durable trial must not be without."""
        stage = getattr(self._keeper, "stage", None)
        if stage is not None:
            stage(trial, artifact)

    def _record(self, trial: Trial) -> bool:
        """Make a trial durable, then known; return whether it is the best now."""
        self._store.append(trial)
        improved = self.history.add(trial)
        self.searcher.tell(trial)
        return improved

    def _pending(self) -> tuple[tuple[int, ...], ...]:
        """Return the proposals that have not ended (see `Trial.pending`)."""
        asked = [*(begun.candidate.asked for begun in self._running.values()), *self._waiting]
        return tuple((one.number, one.asked_after, *one.dropped) for one in asked)

    # --- beginning and ending -----------------------------------------------------

    def restore(self) -> None:
        """Go on from what the store holds; `open` does so where it has not been done.

        Raises:
            SearchError: the store holds the history of another search.
        """
        if self._restored:
            return
        self._seed.take_over(self._store.identity)
        if self._is_bound:
            self._store.bind(self._identity())
        told, unfinished = replay(self.searcher, list(self._store.load()))
        for trial in told:
            self.history.add(trial)
        self._waiting.extend(unfinished)
        self._tidy()
        numbers = [asked.number for asked in unfinished]
        self._next_number = max([self.history.next_number - 1, *numbers]) + 1
        self._restored = True

    def _tidy(self) -> None:
        """Remove what a killed run has left beside the history."""
        if self._checkpoints is not None:
            ended = {trial.number for trial in self.history}
            self._checkpoints.retain(lambda number: number not in ended)
        settle = getattr(self._keeper, "settle", None)
        if settle is not None:
            settle(self.history)

    def _identity(self) -> SearchIdentity:
        return identity_of(
            self._strategy,
            self.estimator,
            self._estimator_name,
            self.seed,
            self.history.directions or self.history.direction,
            replicates=None if self._replicates == 1 else self._replicates,
        )

    def _give_up_running(self) -> None:
        """Cancel what still runs; it is next in the next run."""
        given_up = [begun.candidate.asked for begun in self._running.values()]
        for ticket in self._running:
            self._active.cancel(ticket)
        self._running.clear()
        self._waiting = deque(sorted([*given_up, *self._waiting], key=_number))

    def _interruptible(self) -> AbstractContextManager[None]:
        if self._on_interrupt is None:
            return nullcontext()
        return interruptible(self._interrupt, self._on_interrupt)

    def _interrupt(self) -> None:
        self._stopping = EndReason.INTERRUPTED


def _number(asked: Asked) -> int:
    return asked.number
