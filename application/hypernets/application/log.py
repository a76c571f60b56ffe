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
        self._quiet = structlog.wrap_logger(
            logging.getLogger(name),
            processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
            wrapper_class=structlog.stdlib.BoundLogger,
            context_class=dict,
        )

    def _logger(self) -> Any:
        # asked at every event: a program may configure structlog after it has imported the engine
        return structlog.get_logger(self._name) if structlog.is_configured() else self._quiet

    def debug(self, event: str, **facts: Any) -> None:
        """Write what only a maintainer wants to know."""
        self._logger().debug(event, **facts)

    def info(self, event: str, **facts: Any) -> None:
        """Write what happens in the ordinary course."""
        self._logger().info(event, **facts)

    def warning(self, event: str, **facts: Any) -> None:
        """Write what went wrong and was dealt with."""
        self._logger().warning(event, **facts)
