"""Shows each model to the callbacks that want to see it before it is trained."""

import traceback
from collections.abc import Iterable
from typing import Any

from hypernets.application.log import EventLog

__all__ = ["ModelAnnouncer"]

log = EventLog(__name__)


class ModelAnnouncer:
    """Calls `on_model_built(number, model)` of the callbacks that have it.

    What one raises is logged, and that callback is shown no more models: it must not harm a trial.

    Args:
        callbacks: the callbacks of a search.
    """

    def __init__(self, callbacks: Iterable[Any]) -> None:
        self._callbacks = [each for each in callbacks if hasattr(each, "on_model_built")]

    def __call__(self, number: int, model: Any) -> None:
        """Show a model."""
        for callback in tuple(self._callbacks):
            try:
                callback.on_model_built(number, model)
            except Exception as error:
                self._callbacks = [other for other in self._callbacks if other is not callback]
                log.warning(
                    "callback failed and is shown no more models",
                    callback=type(callback).__name__,
                    error=repr(error),
                    traceback=traceback.format_exc(),
                )
