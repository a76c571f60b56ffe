"""A history store that lives as long as its process."""

from hypernets.application.port.identity import SearchIdentity
from hypernets.domain.history import Direction, History, Trial
from hypernets.domain.history.direction import Directions

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps trials in memory; as durable as the process.

    Handed to a second search with the same space, searcher and seed, it makes that one go on where
    the first one ended.

    Args:
        direction: of the histories that it loads.

    Attributes:
        location: by what people know it.
    """

    location = "memory"

    def __init__(self, direction: Directions = Direction.MAX) -> None:
        self._direction = direction
        self._history = History(direction)
        self._identity: SearchIdentity | None = None

    @property
    def identity(self) -> SearchIdentity | None:
        """Whose trials these are; `None` before the first `bind`."""
        return self._identity

    def bind(self, identity: SearchIdentity) -> None:
        """Note whose trials these are, or check that they are those of this search.

        Raises:
            OtherSearchError: the store belongs to another search.
        """
        if self._identity is None:
            self._identity = identity
        self._identity.require_same(identity, "store in memory")

    def append(self, trial: Trial) -> None:
        """Keep a trial.

        Raises:
            DuplicateTrialError: a trial of that number is stored already.
        """
        self._history.add(trial)

    def load(self) -> History:
        """Return everything that has been appended, as a history of its own."""
        return History(self._direction, self._history)
