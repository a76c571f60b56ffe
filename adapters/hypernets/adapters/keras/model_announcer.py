"""Shows each model to the callbacks that want to see it before it is trained.

A model is in the process of its trial. Where that is another one than that of the search, copies of
the callbacks see it there: what they print appears in the search, in order; what they store ends
with the trial.
"""

import traceback
from collections.abc import Iterable
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from hypernets.application.log import EventLog
from hypernets.domain.error import SearchError

__all__ = ["ModelAnnouncer"]

log = EventLog(__name__)


class ModelAnnouncer:
    """Calls `on_model_built(number, model)` of the callbacks that have it.

    What one raises is logged, and that callback is shown no more models: it must not harm a trial.
    In the process of a trial, the log is that of the trial.

    Args:
        callbacks: the callbacks of a search. One whose `on_model_built` is of no use in another
            process says so by the attribute `in_search_only` of that method; it stays behind.
    """

    def __init__(self, callbacks: Iterable[Any]) -> None:
        self._callbacks = [each for each in callbacks if hasattr(each, "on_model_built")]
        self._is_copy = False

    def __call__(self, number: int, model: Any) -> None:
        """Show a model."""
        for callback in tuple(self._callbacks):
            try:
                callback.on_model_built(number, model)
            except Exception as error:
                self._callbacks = [other for other in self._callbacks if other is not callback]
                self._tell(callback, error)

    def require_portable(self) -> None:
        """Refuse callbacks that want to see models and cannot travel to where these are.

        Raises:
            SearchError: there is one.
        """
        for callback in self._travelling():
            try:
                cloudpickle.dumps(callback)
            except Exception as error:
                raise SearchError(
                    "a callback with on_model_built must be fit to travel to the process of a "
                    f"trial, where the model is; received {type(callback).__name__}, part of which "
                    f"is not ({type(error).__name__}: {error}); leave that part out in "
                    "__getstate__, look at the model in another callback, or run inline: "
                    'HyperKeras(..., isolation="inline")'
                ) from error

    def __getstate__(self) -> dict[str, Any]:
        """Return what the process of a trial needs."""
        return {"_callbacks": self._travelling(), "_is_copy": True}

    def _travelling(self) -> list[Any]:
        return [
            each
            for each in self._callbacks
            if not getattr(each.on_model_built, "in_search_only", False)
        ]

    def _tell(self, callback: Any, error: Exception) -> None:
        log.warning(
            "callback failed and is shown no more models",
            callback=type(callback).__name__,
            error=repr(error),
            traceback=traceback.format_exc(),
        )
        if self._is_copy:  # nobody listens to events there
            traceback.print_exc()
