"""One search of the service: run, asked and told, paused, watched, from any thread."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import attrs

from hypernets.application.log import EventLog
from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.dialogue import Dialogue
from hypernets.application.loop.search import Search
from hypernets.application.port import Clock, Job, SearchIdentity
from hypernets.application.service.event_stream import EventStream
from hypernets.application.service.snapshot import ProgressSnapshot
from hypernets.application.service.state import SessionState
from hypernets.application.service.told import ToldEstimator
from hypernets.application.service.watcher import Watcher
from hypernets.domain.error import SearchError
from hypernets.domain.history import History, Trial

__all__ = ["SearchSession"]

_READY_TO_RUN = (
    SessionState.READY,
    SessionState.ASKED,
    SessionState.PAUSED,
    SessionState.ENDED,
    SessionState.FAILED,
)

log = EventLog(__name__)


class SearchSession:
    """A search by its name, as the service gives it; thread-safe.

    Either the service runs the trials (`run`, `start`, `run_async`), or the caller does (`ask`,
    `tell`); one after the other is fine, both at once is not.

    Args:
        name: of the search.
        search: what it runs.
        watcher: the callback of that search that this session listens through.
        clock: what tells the time.
        build_model: makes a model of a trial, for `best_models`.
    """

    def __init__(
        self,
        name: str,
        search: Search,
        watcher: Watcher,
        clock: Clock,
        build_model: Callable[[Trial], Any] | None = None,
    ) -> None:
        self.name = name
        self._search = search
        self._watcher = watcher
        self._clock = clock
        self._build_model = build_model
        self._lock = threading.RLock()  # of what follows; not held while the search runs
        self._state = SessionState.READY
        self._wish: SessionState | None = None  # what the run that goes on is to end as
        self._withdrawn = False  # whether that was a pause, and it has been resumed
        self._budget = Budget()
        self._used_s = 0.0  # by the runs of this budget
        self._dialogue: Dialogue | None = None
        self._result: Future[History] | None = None
        self._error: str | None = None
        watcher.on_begin = self._renew_wish

    # --- running ------------------------------------------------------------------

    def run(self, max_trials: int | None = None, **limits: Any) -> History:
        """Run the search here until the budget is used up (see `Search.run`); return the history.

        Ends before that, and without an error, when another thread pauses or cancels it.

        Args:
            max_trials: number of evaluated trials that the history is to hold.
            **limits: the other limits of a `Budget`.

        Raises:
            SearchError: an argument makes no sense, or no trial succeeds, or the search is running
                or over.
            StoreError: a trial cannot be kept.
        """
        result = self._begin(Budget(max_trials, **limits))
        self._run_into(result)
        return result.result()

    def start(self, max_trials: int | None = None, **limits: Any) -> None:
        """Run the search in a thread of its own; `wait` for the end.

        The thread is a daemon: it does not keep a program alive that ends.

        Raises:
            SearchError: as `run`; what comes later is raised by `wait`.
        """
        self._start(self._begin(Budget(max_trials, **limits)))

    async def run_async(self, max_trials: int | None = None, **limits: Any) -> History:
        """Run the search in a thread of its own and wait for it without blocking the event loop.

        A task that is cancelled pauses the search.

        Raises:
            SearchError: as `run`.
            StoreError: a trial cannot be kept.
        """
        result = self._begin(Budget(max_trials, **limits))
        self._start(result)
        try:
            return await asyncio.wrap_future(result)
        except asyncio.CancelledError:
            with suppress(SearchError):  # it has just ended
                self.pause()
            raise

    def wait(self, timeout_s: float | None = None) -> History:
        """Wait until the run that goes on has ended, or been paused; return the history.

        Raises:
            TimeoutError: it goes on.
            SearchError: it has failed, or there was none.
            StoreError: a trial could not be kept.
        """
        result = self._result
        if result is None:
            raise SearchError(
                f"search {self.name!r} must have been run to be waited for; received none; "
                "start it first"
            )
        return result.result(timeout_s)

    def pause(self) -> None:
        """End the run in good order: as soon as the trials that have begun have ended.

        Returns at once (`wait` for the end). Where trials are asked for, `ask` gives none any more.

        Raises:
            SearchError: the search is not under way.
        """
        with self._lock:
            if self._state is SessionState.RUNNING:
                self._wish = self._wish or SessionState.PAUSED
                self._search.stop()
            elif self._state is SessionState.ASKED:
                self._settle(SessionState.PAUSED)
            elif self._state is not SessionState.PAUSED:
                raise self._wrong("be running to be paused", "start it first")

    def resume(self) -> None:
        """Go on where the search was paused, with what is left of its budget.

        What was run goes on in a thread of its own; what was asked for can be asked for again.

        Raises:
            SearchError: it is not paused.
        """
        with self._lock:
            if self._state is SessionState.RUNNING and self._wish is SessionState.PAUSED:
                self._wish, self._withdrawn = None, True  # the run ends, and goes on by itself
            elif self._state is not SessionState.PAUSED:
                raise self._wrong("be paused to be resumed", "run or start it")
            elif self._dialogue is not None:
                self._settle(SessionState.ASKED)
            else:
                self._start(self._take_up())

    def cancel(self) -> None:
        """End the search for good, now: trials that run are given up. What is stored is kept.

        A trial that runs in the thread of its search cannot be left alone and ends first. Cancelled
        once more, nothing happens.
        """
        with self._lock:
            if self._state is SessionState.RUNNING:
                self._wish = SessionState.CANCELLED
                self._search.stop(now=True)
            elif not self._state.is_final:
                self._close_dialogue()
                self._settle(SessionState.CANCELLED)

    def pause_if_running(self) -> None:
        """Pause the search if it runs; nothing else happens to one that does not."""
        with self._lock:
            if self._state is SessionState.RUNNING:
                self.pause()

    def close(self) -> None:
        """End the run in good order, wait for that, and let the search go.

        Raises:
            SearchError: it is called by a callback of the run, which cannot wait for itself.
        """
        if self._watcher.is_own_thread() and self._state is SessionState.RUNNING:
            raise self._wrong("not be closed from within", "raise StopSearch, or pause it")
        self.pause_if_running()
        result = self._result
        if result is not None:
            result.exception()  # wait
        with self._lock:
            if self._state is not SessionState.CLOSED:
                self._close_dialogue()
                self._settle(SessionState.CLOSED)

    # --- asking and telling -------------------------------------------------------

    def ask(self, **limits: Any) -> Job | None:
        """Return the next trial to measure: its number, architecture, seed and fidelity.

        Returns `None` where there is none: because the budget is used up or the space exhausted
        (then the state is `ENDED`), because a trial under way must be told first, or because the
        search is paused.

        Args:
            **limits: of a `Budget`; read by the first call, and by the first one after an end.

        Raises:
            SearchError: the search is running or over.
        """
        with self._lock:
            if self._state is SessionState.PAUSED and self._dialogue is not None:
                return None
            dialogue = self._open_dialogue(limits)
            job = dialogue.ask()
            if job is None and dialogue.end_reason is not None and not self._search.n_running:
                self._close_dialogue()
                self._settle(SessionState.ENDED)
            return job

    def report(self, number: int, step: int, values: Mapping[str, float]) -> bool:
        """Hand in intermediate values of a trial; return whether it is to stop there.

        Raises:
            SearchError: no trial of that number is under way.
        """
        with self._lock:
            return self._require_dialogue().report(number, step, values)

    def tell(self, number: int, result: Any) -> Trial | None:
        """Take in what came of a trial; return its record when it is durable and known.

        Told once more, it returns the record and changes nothing, whatever is told.

        Args:
            number: of the trial, as `ask` gave it.
            result: a number, a mapping of objective name to number (the reward first), a
                `Measurement`, or the exception that the trial failed with.

        Returns:
            The record; `None` while the trial waits for its turn, in deterministic mode.

        Raises:
            SearchError: the trial has not been asked for, or the search is running.
            StoreError: it cannot be kept.
        """
        with self._lock:
            known = self._known(number)
            if known is not None:
                return known
            return self._require_dialogue().tell(number, result)

    # --- looking --------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        """What the search is doing."""
        return self._state

    @property
    def error(self) -> BaseException | None:
        """What has ended the last run, where an error has; `wait` raises it."""
        result = self._result
        return result.exception() if result is not None and result.done() else None

    @property
    def identity(self) -> SearchIdentity:
        """What makes it the same search when it is opened again."""
        return self._search.identity

    @property
    def location(self) -> str:
        """Where its trials are kept, for people."""
        return self._search.location

    def progress(self) -> ProgressSnapshot:
        """Return how far the search has come, as a value."""
        with self._lock:
            state, used_s, error = self._state, self._used_s, self._error
        search, progress = self._search, self._watcher.progress
        history, now_s = search.history, self._clock.now()
        return ProgressSnapshot(
            name=self.name,
            state=state,
            n_done=history.n_evaluated,
            n_failed=history.n_failed,
            n_answered=len(history) - history.n_evaluated,
            running=tuple(progress.running.values()),
            n_pending=search.n_waiting,
            n_workers=progress.n_workers,
            max_trials=progress.max_trials,
            best=history.best,
            elapsed_s=used_s + progress.elapsed_s(now_s),
            left_s=progress.left_s(now_s),
            end_reason=search.end_reason,
            error=error,
        )

    def events(self, capacity: int = 1_000) -> EventStream:
        """Return the events from now on: `for` or `async for` over it (see `EventStream`).

        The stream ends when the search comes to rest. Of one that is at rest, it waits for the next
        run; of one that is cancelled or closed, it is empty.

        Args:
            capacity: most events that wait for a slow subscriber.
        """
        return self._watcher.subscribe(capacity)

    def trials(self, after: int = 0) -> list[Trial]:
        """Return the records, in the order of tells, but for the first `after` ones."""
        return self._search.history[after:]

    def result(self) -> History:
        """Return what has been found out so far, as a history of its own."""
        history = self._search.history
        return History(history.directions or history.direction, history[:])

    def best_trials(self, k: int = 1) -> list[Trial]:
        """Return the `k` best trials, the best first; fewer if there are not as many."""
        return self._search.history.top(k)

    def best_models(self, k: int = 1) -> list[Any]:
        """Return models of the `k` best trials, made by the `build_model` of the session.

        Raises:
            SearchError: there is none.
        """
        if self._build_model is None:
            raise SearchError(
                f"search {self.name!r} must be given build_model to make models; received none; "
                "write build_model=lambda trial: my_model(trial.architecture), say"
            )
        return [self._build_model(trial) for trial in self.best_trials(k)]

    # --- the run ----------------------------------------------------------------------

    def _begin(self, budget: Budget) -> "Future[History]":
        with self._lock:
            if self._state not in _READY_TO_RUN:
                raise self._wrong("be at rest to be run", "wait for it, or make another one")
            if isinstance(self._search.estimator, ToldEstimator):
                raise SearchError(
                    f"search {self.name!r} must have an estimate to be run; received none; create "
                    "it with estimate=..., or ask and tell"
                )
            self._close_dialogue()
            self._budget, self._used_s = budget, 0.0
            return self._take_up()

    def _take_up(self) -> "Future[History]":
        self._result = Future()
        self._result.set_running_or_notify_cancel()
        self._wish, self._withdrawn = None, False
        self._settle(SessionState.RUNNING)
        return self._result

    def _start(self, result: "Future[History]") -> None:
        name = f"hypernets search {self.name}"
        thread = threading.Thread(target=self._run_into, args=(result,), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # there are too many
            with self._lock:
                self._settle(SessionState.FAILED, repr(error))
            result.set_exception(error)
            raise

    def _run_into(self, result: "Future[History]") -> None:
        try:
            history = self._run()
        except BaseException as error:  # raised where somebody waits for the result
            result.set_exception(error)
        else:
            result.set_result(history)

    def _run(self) -> History:
        try:
            while True:
                history = self._search.run(**attrs.asdict(self._left_of_budget()))
                if self._ended():
                    return history
        except BaseException as error:
            with self._lock:
                self._settle(SessionState.FAILED, repr(error))
            log.warning("search failed", search=self.name, error=repr(error))
            raise

    def _left_of_budget(self) -> Budget:
        limit_s = self._budget.max_time_s
        if limit_s is None:
            return self._budget
        # a run needs some time: with next to none it ends at once
        return attrs.evolve(self._budget, max_time_s=max(limit_s - self._used_s, 1e-9))

    def _ended(self) -> bool:
        """Take note that the run has ended; return whether that is what was wished for."""
        with self._lock:
            self._used_s += self._watcher.take_elapsed_s()
            wish, withdrawn = self._wish, self._withdrawn
            self._wish, self._withdrawn = None, False
            stopped = self._search.end_reason is EndReason.STOPPED
            if wish is None and withdrawn and stopped:
                return False
            over = wish is None or (wish is SessionState.PAUSED and not stopped)
            self._settle(SessionState.ENDED if over or wish is None else wish)
            return True

    def _renew_wish(self) -> None:
        """Ask again for what was asked for before the run had begun."""
        with self._lock:
            if self._wish is not None:
                self._search.stop(now=self._wish is SessionState.CANCELLED)

    def _settle(self, state: SessionState, error: str | None = None) -> None:
        self._state, self._error = state, error
        self._watcher.state_changed(state, error)

    # --- the dialogue -------------------------------------------------------------------

    def _open_dialogue(self, limits: Mapping[str, Any]) -> Dialogue:
        if self._dialogue is None:
            if self._state not in _READY_TO_RUN:
                raise self._wrong("be at rest to be asked", "wait for it, or pause it")
            self._budget, self._used_s = Budget(**limits), 0.0
            self._dialogue = Dialogue(self._search, self._budget)
            self._settle(SessionState.ASKED)
        return self._dialogue

    def _require_dialogue(self) -> Dialogue:
        if self._dialogue is None:
            if self._state not in _READY_TO_RUN:
                raise self._wrong("be asked before it is told", "ask first")
            return self._open_dialogue({})  # asked by an earlier process
        return self._dialogue

    def _close_dialogue(self) -> None:
        if self._dialogue is not None:
            dialogue, self._dialogue = self._dialogue, None
            dialogue.close()
            self._used_s += self._watcher.take_elapsed_s()

    def _known(self, number: int) -> Trial | None:
        try:
            return self._search.history.trial(number)
        except KeyError:
            return None

    def _wrong(self, rule: str, advice: str) -> SearchError:
        return SearchError(
            f"search {self.name!r} must {rule}; received one that is {self._state.value}; {advice}"
        )
