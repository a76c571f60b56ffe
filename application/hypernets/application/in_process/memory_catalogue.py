"""A catalogue of stores that live as long as their process."""

import threading
from collections.abc import Sequence

from hypernets.application.in_process.memory_store import MemoryStore
from hypernets.domain.error import StoreError

__all__ = ["MemoryCatalogue"]


class MemoryCatalogue:
    """Keeps stores in memory, by name; as durable as the process."""

    def __init__(self) -> None:
        self._stores: dict[str, MemoryStore] = {}
        self._lock = threading.Lock()

    def create(self, name: str) -> MemoryStore:
        """Return a new, empty store.

        Raises:
            StoreError: the name is taken.
        """
        with self._lock:
            if name in self._stores:
                raise StoreError(
                    f"the name of a new store must be new to its catalogue; received {name!r}, "
                    "which is taken; open it, delete it, or choose another name"
                )
            self._stores[name] = MemoryStore()
            return self._stores[name]

    def open(self, name: str) -> MemoryStore:
        """Return the store of that name.

        Raises:
            StoreError: there is none.
        """
        with self._lock:
            return self._stores[self._require(name)]

    def names(self) -> Sequence[str]:
        """Return the names of all stores, in alphabetical order."""
        with self._lock:
            return sorted(self._stores)

    def delete(self, name: str) -> None:
        """Forget a store.

        Raises:
            StoreError: there is none.
        """
        with self._lock:
            del self._stores[self._require(name)]

    def _require(self, name: str) -> str:
        if name not in self._stores:
            there = ", ".join(map(repr, sorted(self._stores))) or "none"
            raise StoreError(
                f"a store must be in its catalogue; received {name!r}, where there are: {there}; "
                "create it first"
            )
        return name
