"""What a search of the service is doing."""

import enum

__all__ = ["SessionState"]


class SessionState(enum.Enum):
    """What a search is doing.

    `READY` or `ASKED` → `RUNNING` ⇄ `PAUSED` → `ENDED` or `FAILED`, from which it may be run on;
    `CANCELLED` and `CLOSED` are final.
    """

    READY = "ready"
    ASKED = "asked"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CLOSED = "closed"

    @property
    def is_final(self) -> bool:
        """Whether it stays so for good."""
        return self in (SessionState.CANCELLED, SessionState.CLOSED)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing more happens unless somebody runs the search on."""
        return self not in (SessionState.ASKED, SessionState.RUNNING, SessionState.PAUSED)
