"""Events of the engine: structlog's, without a word printed that nobody asked for.

A library does not configure logging. Where the program has configured structlog, events go through
its processors. Where it has not, structlog would print to the terminal; so they go to the standard
logger of the module's name instead, under `hypernets`, whose null handler keeps them quiet until
the program attaches one of its own.
"""

import logging
from typing import Any

import structlog

__all__ = ["EventLog"]

logging.getLogger("hypernets").addHandler(logging.NullHandler())


class EventLog:
    """Writes events for one module: a constant event, the facts as keywords.

    Args:
        name: of the module, `__name__`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._standard = logging.getLogger(name)
        self._quiet = structlog.wrap_logger(
            self._standard,
            processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
            wrapper_class=structlog.stdlib.BoundLogger,
            context_class=dict,
        )

    def debug(self, event: str, **facts: Any) -> None:
        """Write what only a maintainer wants to know."""
        self._write("debug", logging.DEBUG, event, facts)

    def info(self, event: str, **facts: Any) -> None:
        """Write what happens in the ordinary course."""
        self._write("info", logging.INFO, event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        """Write what went wrong and was dealt with."""
        self._write("warning", logging.WARNING, event, facts)

    def _write(self, method: str, level: int, event: str, facts: dict[str, Any]) -> None:
        # asked at every event: a program may configure structlog after it has imported the engine
        if structlog.is_configured():
            getattr(structlog.get_logger(self._name), method)(event, **facts)
        elif self._standard.isEnabledFor(level):
            getattr(self._quiet, method)(event, **facts)
