"""Telling callbacks what happens."""

from collections.abc import Callable, Iterable
from typing import Any

from hypernets.application.log import EventLog
from hypernets.domain.error import SearchError, StopSearch
from hypernets.domain.history import History, Report, Trial

__all__ = ["Announcer"]

_METHODS = (
    "on_search_begin",
    "on_trial_begin",
    "on_model_built",
    "on_trial_report",
    "on_trial_end",
    "on_search_end",
)

log = EventLog(__name__)


class Announcer:
    """Calls callbacks, each of which has some of the methods of the port.

    Attributes:
        stop_requested: whether one has raised `StopSearch` since this was last set to `False`.

    Raises:
        SearchError: something that was given has none of the methods.
    """

    def __init__(self, callbacks: Iterable[Any]) -> None:
        self._callbacks = list(callbacks)
        for callback in self._callbacks:
            _require_some_method(callback)
        self.stop_requested = False

    def search_begin(self, search: Any) -> None:
        """Announce that a search begins."""
        self._announce("on_search_begin", search)

    def trial_begin(self, number: int, architecture: Any) -> None:
        """Announce that a trial begins."""
        self._announce("on_trial_begin", number, architecture)

    def trial_report(self, number: int, report: Report) -> bool:
        """Announce a report; return whether that trial is to stop there."""
        return self._announce("on_trial_report", number, report)

    def trial_end(self, trial: Trial, improved: bool) -> None:
        """Announce that a trial is durable and known."""
        self._announce("on_trial_end", trial, improved)

    def search_end(self, history: History) -> None:
        """Announce that a search has ended."""
        self._announce("on_search_end", history)

    def _announce(self, method: str, *facts: Any) -> bool:
        stop = False
        for callback in tuple(self._callbacks):
            call: Callable[..., Any] | None = getattr(callback, method, None)
            if call is None:
                continue
            try:
                call(*facts)
            except StopSearch:
                stop = self.stop_requested = True
            except Exception as error:
                self._switch_off(callback, method, error)
        return stop

    def _switch_off(self, callback: Any, method: str, error: Exception) -> None:
        self._callbacks = [other for other in self._callbacks if other is not callback]
        log.warning(
            "callback failed and was switched off",
            callback=type(callback).__name__,
            method=method,
            error=repr(error),
            exc_info=True,
        )


def _require_some_method(callback: Any) -> None:
    if isinstance(callback, type):
        raise SearchError(
            f"callbacks must be objects; received the class {callback.__name__}; "
            f"make one: {callback.__name__}()"
        )
    if not any(callable(getattr(callback, method, None)) for method in _METHODS):
        raise SearchError(
            f"a callback must have at least one of the methods {', '.join(_METHODS)}; "
            f"received {callback!r}, which has none; add one, or leave it out"
        )
