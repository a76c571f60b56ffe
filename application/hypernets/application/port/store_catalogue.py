"""The port of a place with many named histories."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from hypernets.application.port.history_store import HistoryStore

__all__ = ["StoreCatalogue"]


@runtime_checkable
class StoreCatalogue(Protocol):
    """Where the stores of many searches are kept, each by its name.

    Laws:
        - A store that was created is there until it is deleted: for a catalogue on disk, in any
          later process too.
        - What is opened is the store that was created under the name, with all that was appended.
        - A name that is taken is not created again, and one that is not there is neither opened
          nor deleted: these are a `StoreError`, and nothing is changed by it.
        - Thread-safe; the stores are not.
    """

    def create(self, name: str) -> HistoryStore:
        """Return a new, empty store.

        Raises:
            StoreError: the name is taken, or the store cannot be made.
        """

    def open(self, name: str) -> HistoryStore:
        """Return the store of that name.

        Raises:
            StoreError: there is none, or it cannot be read.
        """

    def names(self) -> Sequence[str]:
        """Return the names of all stores, in alphabetical order."""

    def delete(self, name: str) -> None:
        """Remove a store and all it holds.

        Raises:
            StoreError: there is none, or it cannot be removed.
        """
