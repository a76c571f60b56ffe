"""The search: a loop over a history.

The order of its steps is the law: a trial is durable, then known, then announced.

    ask → known already? then answered by the earlier trial, or dropped: the searcher's choice
        → on_trial_begin → executor → Trial
        → store.append                      durable
        → history.add, searcher.tell        known
        → on_trial_end                      announced
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hypernets.application.in_process import InlineExecutor, MemoryStore, SystemClock
from hypernets.application.log import EventLog
from hypernets.application.loop.announcer import Announcer
from hypernets.application.loop.artifact import Artifacts, Keeper
from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.course import Course
from hypernets.application.loop.ending import how_to_go_on, require_end, require_success
from hypernets.application.loop.estimation import as_estimator, estimator_name
from hypernets.application.loop.fork import Fork, as_fork
from hypernets.application.loop.identity import SearchSeed, identity_of
from hypernets.application.loop.interrupt import interruptible
from hypernets.application.loop.known import Known
from hypernets.application.loop.recorder import Recorder
from hypernets.application.loop.restoration import asking, restore
from hypernets.application.loop.search_argument import (
    direction_for,
    require_searcher,
    require_workers,
)
from hypernets.application.port import (
    Checkpoints,
    Clock,
    Executor,
    HistoryStore,
    Searcher,
    SearchIdentity,
    location_of,
)
from hypernets.domain.history import History, Trial
from hypernets.domain.history.direction import Directions

__all__ = ["Search"]

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
        fork: the store of another search, or a `Fork` of one, with the findings of which to begin;
            `store` must be new then, or hold this fork.

    Attributes:
        history: what has been found out.
        origin: what a fork has begun with, as its store records it; `None` for no fork, and before
            the first run.
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
        fork: Fork | HistoryStore | None = None,
    ) -> None:
        self.searcher = asking(require_searcher(searcher), replicates)
        self.history = History(direction_for(searcher, direction))
        self.estimator = as_estimator(estimator)
        self._seed = SearchSeed(seed, searcher)
        self.origin: Mapping[str, Any] | None = None
        self.budget: Budget | None = None
        self.end_reason: EndReason | None = None
        self._strategy = searcher
        self._replicates = replicates
        self._store = MemoryStore() if store is None else store
        self._is_bound = store is not None
        self._fork = as_fork(fork)
        self._executor = InlineExecutor() if executor is None else executor
        self._announcer = Announcer(callbacks)
        self._artifacts = Artifacts(keeper, checkpoints)
        self._on_interrupt = on_interrupt
        self._estimator_name = estimator_name(self.estimator)
        self._restored = False
        self._course = self._make_course(
            self.estimator,
            self._estimator_name,
            self._seed,
            require_workers(n_workers),
            SystemClock() if clock is None else clock,
            Recorder(
                self.searcher,
                self._store,
                self.history,
                Known(known),
                self._artifacts,
                self._announcer,
            ),
            self._artifacts,
            self._announcer,
        )

    def _make_course(self, *parts: Any) -> Course:
        return Course(*parts)

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
        with interruptible(self._interrupt, self._on_interrupt):
            self.open(budget)
            try:
                reason = self._course.run()
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
        self._course.stop(EndReason.STOPPED, now=now)

    def _interrupt(self) -> None:
        self._course.stop(EndReason.INTERRUPTED)

    # --- what there is to know of it ------------------------------------------------

    @property
    def seed(self) -> int:
        """What the seeds of the trials derive from; of the store's search, where none was given."""
        return self._seed.value

    @property
    def identity(self) -> SearchIdentity:
        """What makes it the same search when it is gone on with."""
        return identity_of(
            self._strategy,
            self.estimator,
            self._estimator_name,
            self.seed,
            self.history.directions or self.history.direction,
            replicates=None if self._replicates == 1 else self._replicates,
        )

    @property
    def location(self) -> str:
        """Where its trials are kept, for people."""
        return location_of(self._store)

    @property
    def n_taken(self) -> int:
        """Number of the first trials, which a fork has taken over."""
        return 0 if self.origin is None else int(self.origin["taken"])

    @property
    def n_workers(self) -> int:
        """How many trials may run at a time."""
        return self._course.n_workers

    @n_workers.setter
    def n_workers(self, count: int) -> None:
        self._course.n_workers = count

    @property
    def n_running(self) -> int:
        """Number of trials that have begun and not ended; may be read from any thread."""
        return len(self._course.running)

    @property
    def n_waiting(self) -> int:
        """Number of proposals that have not begun; may be read from any thread."""
        return len(self._course.proposals)

    # --- a run, step by step ------------------------------------------------------

    def restore(self) -> None:
        """Go on from what the store holds; `open` does so where it has not been done.

        Raises:
            SearchError: the store holds the history of another search.
        """
        if self._restored:
            return
        self._seed.take_over(self._store.identity)
        restored = restore(
            self._store,
            self.identity,
            self._strategy,
            fork=self._fork,
            replicates=self._replicates,
            estimator=self._estimator_name,
            objectives=tuple(self.history.directions),
            is_bound=self._is_bound,
        )
        self.searcher, self.origin = restored.searcher, restored.origin
        for trial in restored.trials:
            self.history.add(trial)
        self._course.restore(restored.searcher, restored.unfinished)
        self._artifacts.settle(self.history)
        self._restored = True

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
        self._course.begin(budget, self._executor if executor is None else executor)
        self.end_reason = None
        n_trials = len(self.history)
        event = "search goes on" if n_trials else "search began"
        log.info(event, n_trials=n_trials, seed=self.seed, store=self.location)
        try:
            self._announcer.search_begin(self)
        except KeyboardInterrupt:
            self.close(EndReason.INTERRUPTED)
            raise

    def fill(self) -> EndReason | None:
        """Begin trials until every worker has one; return why no more may begin, if so."""
        return self._course.fill()

    def collect(self, timeout_s: float | None = 0.0) -> None:
        """Take in what has ended; wait for at least one so long, where the executor can."""
        self._course.collect(timeout_s)

    def close(self, reason: EndReason | None) -> None:
        """End a run: give up what runs, and say that the search has ended."""
        self.end_reason = reason
        self._course.give_up()
        log.info(
            "search ended",
            reason=None if reason is None else reason.value,
            n_trials=len(self.history),
            n_failed=self.history.n_failed,
        )
        self._announcer.search_end(self.history)
