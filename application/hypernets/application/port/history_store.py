"""The port of a durable history."""

from typing import Any, Protocol, runtime_checkable

from hypernets.application.port.identity import SearchIdentity
from hypernets.domain.history import History, Trial

__all__ = ["HistoryStore", "location_of"]


@runtime_checkable
class HistoryStore(Protocol):
    """Where the trials of one search are kept.

    Laws:
        - A trial is durable when `append` returns, in the sense in which the store is: for one on
          disk, a process that is killed at any instant loses no acknowledged trial.
        - An append that fails leaves nothing behind: the trial is not there later.
        - `load` gives the trials in the order in which they were appended, equal to what they were.
        - A number that is stored already is refused, and nothing is changed by that.
        - A store belongs to one search. The first `bind` records which, as durably as a trial;
          a later one compares, and changes nothing.
        - A store is data: loading executes nothing that it holds.
        - Not thread-safe: its owner serialises the calls.

    A store may have `location`, a text by which people know it: its folder, say.
    """

    @property
    def identity(self) -> SearchIdentity | None:
        """Whose trials these are; `None` before the first `bind`."""

    def bind(self, identity: SearchIdentity) -> None:
        """Record whose trials these are, or check that they are those of this search.

        Raises:
            OtherSearchError: the store belongs to another search; each difference is named.
            StoreError: the identity cannot be recorded.
        """

    def append(self, trial: Trial) -> None:
        """Keep a trial.

        Raises:
            DuplicateTrialError: a trial of that number is stored already.
            StoreError: it cannot be kept; the search stops.
        """

    def load(self) -> History:
        """Return everything that has been appended, as a history of its own.

        Raises:
            CorruptStoreError: what is stored is damaged.
        """


def location_of(store: Any) -> str:
    """Return by what people know a store."""
    location = getattr(store, "location", None)
    return location if isinstance(location, str) else repr(store)
