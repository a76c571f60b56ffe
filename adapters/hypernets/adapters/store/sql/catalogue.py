"""A catalogue of durable stores: the searches of one database."""

import os
from collections.abc import Sequence
from contextlib import closing

from hypernets.adapters.store.sql.database import Database, path_of
from hypernets.adapters.store.sql.reader import names_in
from hypernets.adapters.store.sql.store import SqlStore

__all__ = ["SqlCatalogue", "names"]


class SqlCatalogue:
    """Keeps each store under its name in one SQLite database (see `SqlStore`).

    Several processes may use one catalogue side by side: each step that counts is one transaction.

    Args:
        url_or_path: of the database, `"runs.db"` or `"sqlite:///runs.db"`; made where there is
            none.

    Attributes:
        path: of the database.

    Raises:
        CorruptStoreError: the file is no database of searches, or damaged.
        StoreError: it cannot be opened, or its schema is newer than this release.
    """

    def __init__(self, url_or_path: str | os.PathLike[str]) -> None:
        self.path = path_of(url_or_path)
        Database(self.path, writes=True).close()

    def create(self, name: str) -> SqlStore:
        """Return a new, empty store.

        Raises:
            StoreError: the name is taken, or is none.
        """
        return SqlStore(self.path, name, "x")

    def open(self, name: str) -> SqlStore:
        """Return the store of that name.

        Raises:
            StoreError: there is none, it is written by another process, or it cannot be read.
        """
        return SqlStore(self.path, name, "r+")

    def names(self) -> Sequence[str]:
        """Return the names of all stores, in alphabetical order."""
        return names(self.path)

    def delete(self, name: str) -> None:
        """Remove a store and all it holds.

        Raises:
            StoreError: there is none, another process writes to it, or it cannot be removed.
        """
        with self.open(name) as store:
            store.delete()


def names(url_or_path: str | os.PathLike[str]) -> Sequence[str]:
    """Return the names of the searches in a database, in alphabetical order.

    Raises:
        StoreError: there is no such file, or it cannot be read.
    """
    with (
        closing(Database(path_of(url_or_path), writes=False)) as database,
        database.doing("names") as connection,
    ):
        return names_in(connection)
