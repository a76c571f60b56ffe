"""What the database says, as the errors of this library."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sql

from hypernets.domain.error import CorruptStoreError, StoreError

__all__ = ["HOW_TO_REPAIR", "as_store_errors"]

HOW_TO_REPAIR = (
    "repair the database, which keeps every trial that is intact, or restore the file from a copy"
)
"""What to do about a database that is damaged."""

_DAMAGE = (
    "malformed",
    "not a database",
    "no such table",
    "no such column",
    "disk image",
    "decode",
    "unsupported file format",
)


@contextmanager
def as_store_errors(where: str, what: str) -> Iterator[None]:
    """Raise what goes wrong in the database as an error of the store.

    Args:
        where: what the store calls itself.
        what: was being done.

    Raises:
        CorruptStoreError: the file is damaged, or no database of searches.
        StoreError: anything else that the database refuses.
    """
    try:
        yield
    except (sql.exc.DBAPIError, sqlite3.Error, UnicodeDecodeError) as error:
        reason = str(getattr(error, "orig", error))
        if isinstance(error, UnicodeDecodeError) or any(word in reason for word in _DAMAGE):
            raise CorruptStoreError(
                f"{where}: a store must be a database that the library has written; received "
                f"{reason!r} during {what}; nothing has been changed: {HOW_TO_REPAIR}"
            ) from error
        raise StoreError(
            f"{where}: a database must take what it is given; received {reason!r} during {what}; "
            "make room, mend the permissions, or wait until another program lets go of the file"
        ) from error
