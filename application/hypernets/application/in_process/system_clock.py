"""The clock of the machine."""

import time

__all__ = ["SystemClock"]


class SystemClock:
    """The monotonic clock of the machine."""

    def now(self) -> float:
        """Return the time in seconds since some moment."""
        return time.monotonic()
