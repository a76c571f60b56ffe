"""The callback through which the service learns what a search does."""

import threading
from collections.abc import Callable
from typing import Any

from hypernets.application.port import Clock
from hypernets.application.progress import SearchProgress
from hypernets.application.service.event import (
    Event,
    SearchBegan,
    SearchEnded,
    StateChanged,
    TrialBegan,
    TrialEnded,
    TrialReported,
)
from hypernets.application.service.event_stream import EventStream
from hypernets.application.service.state import SessionState
from hypernets.domain.error import SearchError
from hypernets.domain.history import History, Report, Trial

__all__ = ["Watcher"]


class Watcher:
    """Keeps the progress of a search up to date, and publishes its events.

    Args:
        name: of the search.
        clock: what tells the time.

    Attributes:
        progress: of the last run; a value, replaced as a whole.
        on_begin: called when a run has begun.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        now_s = clock.now()
        self.progress = SearchProgress(begun_s=now_s, ended_s=now_s)
        self.on_begin: Callable[[], None] = _nothing
        self._name = name
        self._clock = clock
        self._search: Any = None
        self._thread: int | None = None
        self._lock = threading.Lock()
        self._sequence = 0
        self._streams: list[EventStream] = []
        self._is_over = False  # nothing will be published any more

    # --- as a callback of the search ----------------------------------------------

    def on_search_begin(self, search: Any) -> None:
        """A run begins."""
        self._search, self._thread = search, threading.get_ident()
        self.progress = SearchProgress.of_search(search, self._clock.now(), None)
        self._publish(SearchBegan, n_trials=len(search.history))
        self.on_begin()

    def on_trial_begin(self, number: int, architecture: Any) -> None:
        """A trial begins."""
        self.progress = self.progress.with_begun(number, self._clock.now())
        self._publish(TrialBegan, number=number, decisions=architecture.decisions)

    def on_trial_report(self, number: int, report: Report) -> None:
        """A running trial has handed in intermediate values."""
        self.progress = self.progress.with_report(number, report)
        self._publish(TrialReported, number=number, step=report.step, values=report.values)

    def on_trial_end(self, trial: Trial, improved: bool) -> None:
        """A trial is durable and known."""
        self.progress = self.progress.with_ended(trial, improved, self._clock.now())
        self._publish(TrialEnded, trial=trial, improved=improved)

    def on_search_end(self, history: History) -> None:
        """A run has ended."""
        self.progress = self.progress.with_search_ended(self._clock.now())
        self._publish(SearchEnded, reason=self._search.end_reason, n_trials=len(history))
        self._thread = None

    # --- for the session ------------------------------------------------------------

    def is_own_thread(self) -> bool:
        """Say whether the caller is the thread in which a run goes on."""
        return self._thread == threading.get_ident()

    def take_elapsed_s(self) -> float:
        """Return how long the run took that has ended, and begin to count anew."""
        now_s = self._clock.now()
        elapsed_s = self.progress.elapsed_s(now_s)
        self.progress = SearchProgress(
            begun_s=now_s,
            ended_s=now_s,
            max_trials=self.progress.max_trials,
            n_workers=self.progress.n_workers,
        )
        return elapsed_s

    def state_changed(self, state: SessionState, error: str | None) -> None:
        """Publish that the search is in another state; where it is at rest, the streams end."""
        self._publish(StateChanged, state=state, error=error)
        if state.is_at_rest and state is not SessionState.READY:
            with self._lock:
                streams, self._streams = self._streams, []
                self._is_over = state.is_final
            for stream in streams:
                stream.end()

    def subscribe(self, capacity: int) -> EventStream:
        """Return the events from now on.

        Raises:
            SearchError: `capacity` is no integer >= 1.
        """
        if type(capacity) is not int or capacity < 1:
            raise SearchError(
                f"capacity must be an integer >= 1; received {capacity!r}; write capacity=1000, say"
            )
        stream = EventStream(self._name, capacity, self._forget)
        with self._lock:
            if self._is_over:
                stream.end()
            else:
                self._streams.append(stream)
        return stream

    def _forget(self, stream: EventStream) -> None:
        with self._lock:
            self._streams = [other for other in self._streams if other is not stream]

    def _publish(self, kind: type[Event], **facts: Any) -> None:
        with self._lock:  # so that the order is that of the numbers, in every stream
            self._sequence += 1
            if self._streams:
                event = kind(
                    search=self._name,
                    sequence=self._sequence,
                    time_s=self._clock.now(),
                    **facts,
                )
                for stream in self._streams:
                    stream.publish(event)


def _nothing() -> None:
    return None
