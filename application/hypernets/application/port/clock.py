"""The port of time."""

from typing import Protocol, runtime_checkable

__all__ = ["Clock"]


@runtime_checkable
class Clock(Protocol):
    """A source of time.

    Laws:
        - Never goes back.
        - Its zero means nothing: only differences do.
    """

    def now(self) -> float:
        """Return the time in seconds."""
