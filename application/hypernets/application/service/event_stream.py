"""Events on their way to whoever listens: bounded, and never in the way of the search."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

from hypernets.application.service.event import Event, EventsMissed

__all__ = ["EventStream"]


class EventStream:
    """The events of one search, for one subscriber: `for` or `async for` over it.

    It ends when the search comes to rest, or when it is closed. It holds so many events at most; a
    subscriber that is slower than the search finds an `EventsMissed` in the place of the oldest
    ones. Publishing never waits. Thread-safe; an asynchronous subscriber must stay in one event
    loop.

    Args:
        search: name of the search.
        capacity: most events that wait, at least 1.
        on_close: called once when it is closed.
    """

    def __init__(
        self, search: str, capacity: int, on_close: Callable[["EventStream"], None]
    ) -> None:
        self._search = search
        self._capacity = capacity
        self._on_close = on_close
        self._events: deque[Event] = deque()
        self._n_missed = 0
        self._last_missed: Event | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._wakers: list[Callable[[], None]] = []

    # --- the search's side ------------------------------------------------------

    def publish(self, event: Event) -> None:
        """Add an event; drop the oldest where there is no room."""
        with self._changed:
            if self._closed:
                return
            if len(self._events) >= self._capacity:
                self._last_missed = self._events.popleft()
                self._n_missed += 1
            self._events.append(event)
            self._wake()

    def end(self) -> None:
        """Say that nothing more will come; what waits can still be read."""
        with self._changed:
            self._closed = True
            self._wake()

    # --- the subscriber's side --------------------------------------------------

    def close(self) -> None:
        """Subscribe no longer: the iteration ends, in whatever thread it is."""
        with self._changed:
            self._events.clear()
            self._n_missed = 0
        self.end()
        self._on_close(self)

    def __enter__(self) -> "EventStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        """Iterate over the events, waiting for each."""
        return self

    def __next__(self) -> Event:
        """Return the next event, waiting for it."""
        with self._changed:
            while True:
                event = self._take()
                if event is not None:
                    return event
                if self._closed:
                    raise StopIteration
                self._changed.wait()

    def __aiter__(self) -> AsyncIterator[Event]:
        """Iterate over the events, waiting for each without blocking the event loop."""
        return self

    async def __anext__(self) -> Event:
        """Return the next event, waiting for it without blocking the event loop."""
        loop = asyncio.get_running_loop()
        while True:
            with self._changed:
                event = self._take()
                if event is not None:
                    return event
                if self._closed:
                    raise StopAsyncIteration
                woken = asyncio.Event()

                def wake(woken: asyncio.Event = woken) -> None:
                    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                        loop.call_soon_threadsafe(woken.set)

                self._wakers.append(wake)
            try:
                await woken.wait()
            finally:
                with self._changed:
                    if wake in self._wakers:
                        self._wakers.remove(wake)

    def _take(self) -> Event | None:
        if self._n_missed and self._last_missed is not None:
            last, count, self._n_missed = self._last_missed, self._n_missed, 0
            return EventsMissed(
                search=self._search, sequence=last.sequence, time_s=last.time_s, count=count
            )
        return self._events.popleft() if self._events else None

    def _wake(self) -> None:
        self._changed.notify_all()
        wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()
