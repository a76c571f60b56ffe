"""Ctrl-C: once to end a search in good order, twice to end it now."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["interruptible"]

_FIRST = (
    "The search ends when the trials that have begun have ended. Press Ctrl-C again to end it now."
)


@contextmanager
def interruptible(stop: Callable[[], None], tell: Callable[[str], object] | None) -> Iterator[None]:
    """Within this, a first Ctrl-C asks a search to end; a second one is a `KeyboardInterrupt`.

    Nothing is changed where nobody is to be told, or the program has a handler of its own, or where
    this is not the main thread, which alone may have one: then Ctrl-C does what it did. The former
    handler is put back at the end.

    Args:
        stop: called at the first; must do nothing but leave a note.
        tell: called at the first with a line for the user; `None` leaves Ctrl-C alone.
    """
    if tell is None:
        yield
        return
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()
        with suppress(Exception):  # the signal may have come in the middle of a print
            tell(_FIRST)

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
