"""A database that is open: durable, with readers at any time.

The database keeps a write-ahead log and syncs it at each commit (`synchronous=FULL`): a commit is
on the disk when it returns, and neither waits for readers nor holds them up.
"""

import os
import sqlite3
from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.pool import StaticPool

from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.adapters.store.lock import WriterLock
from hypernets.adapters.store.sql.fault import HOW_TO_REPAIR, as_store_errors
from hypernets.adapters.store.sql.table import SCHEMA, metadata, schemas
from hypernets.domain.error import CorruptStoreError, StoreError

__all__ = ["Database", "connected", "location_of", "lock_of", "path_of"]

_PREFIX = "sqlite:///"
_PATIENCE_S = 60.0  # for the commit of a writer of another search


def path_of(url_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a database file.

    Raises:
        StoreError: it is no file, or a database of another kind.
    """
    text = os.fspath(url_or_path)
    path = text.removeprefix(_PREFIX)
    if not path or path == ":memory:" or "://" in path:
        raise StoreError(
            f"a database must be a path or a URL such as 'sqlite:///runs.db'; received {text!r}; "
            "give the path of an SQLite file, or use MemoryStore for what need not last"
        )
    return Path(path)


def lock_of(path: Path, search: int | None = None) -> Path:
    """Return the file that a writer locks: of one search, or of the whole database."""
    part = "" if search is None else f"-search-{search}"
    return path.with_name(f"{path.name}{part}.lock")


class Database:
    """A database of searches that is open. Those who write keep repairs away from it meanwhile.

    Args:
        path: of the file; made, for those who write, where there is none.
        writes: whether to write to it, or to read only.

    Attributes:
        path: of the file.

    Raises:
        CorruptStoreError: the file is no such database, or damaged.
        StoreLockedError: it is being repaired.
        StoreError: it cannot be opened or made, or its schema is newer than this release.
    """

    def __init__(self, path: Path, *, writes: bool) -> None:
        self.path = path
        self._resources = ExitStack()
        try:
            is_new = self._prepared() if writes else self._found()
            with as_store_errors(str(path), "opening"):
                self._connection = self._resources.enter_context(connected(path, writes=writes))
                self._require_tables() if not writes else self._make_tables()
            if is_new:
                SystemDisk().sync_folder(path.parent)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database; again is harmless."""
        self._resources.close()

    @contextmanager
    def doing(self, what: str, where: str | None = None) -> Iterator[sql.Connection]:
        """Give the connection, for one transaction.

        Args:
            what: is being done, for messages.
            where: it is done; the path when absent.

        Raises:
            CorruptStoreError: the file is damaged.
            StoreError: the database refuses.
        """
        with as_store_errors(where or str(self.path), what), self._connection.begin():
            yield self._connection

    def vacuum(self) -> None:
        """Give back the room of what has been deleted.

        Raises:
            StoreError: the database refuses; it is as it was.
        """
        connection: Any = self._connection.connection.driver_connection
        with as_store_errors(str(self.path), "compact"):
            connection.execute("VACUUM")

    def _make_tables(self) -> None:
        """Make the tables where there are none; else require them."""
        with self._connection.begin():
            there = self._tables()
            if not there:
                metadata.create_all(self._connection)
                release = f"hypernets {version('hypernets')}"
                row = {"version": SCHEMA, "written_by": release}
                self._connection.execute(schemas.insert().values(row))
        if there:
            self._require_tables()

    def _require_tables(self) -> None:
        with self._connection.begin():
            missing = sorted(metadata.tables.keys() - self._tables())
            if missing:
                raise CorruptStoreError(
                    f"{self.path}: a database of searches must have all its tables; received one "
                    f"without {', '.join(missing)}; nothing has been changed: {HOW_TO_REPAIR}"
                )
            _require_schema(self._connection, self.path)

    def _tables(self) -> Set[str]:
        return metadata.tables.keys() & set(sql.inspect(self._connection).get_table_names())

    def _found(self) -> bool:
        if not self.path.is_file():
            raise StoreError(
                f"{self.path}: a store must exist to be read; received a path where no file is; "
                "give the path of a database, or open it with mode='a'"
            )
        return False

    def _prepared(self) -> bool:
        """Make the folder and take the lock; return whether the file is yet to be made."""
        try:
            SystemDisk().make_folder(self.path.parent)
            lock = WriterLock(lock_of(self.path), str(self.path), shared=True)
        except OSError as error:
            raise StoreError(
                f"{self.path}: a database must be in a folder that can be made and written; "
                f"received {error.strerror or error}; give another path, mend its permissions, or "
                'open it with mode="r"'
            ) from error
        self._resources.callback(lock.close)
        return not self.path.exists()


@contextmanager
def connected(path: Path, *, writes: bool) -> Iterator[sql.Connection]:
    """Give a connection to a database, whatever it holds."""
    location = location_of(path, writes=writes)

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            location, uri=True, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA trusted_schema=OFF")  # no code of the file is run
        connection.execute("PRAGMA cell_size_check=ON")  # damage shows sooner
        if writes:
            connection.execute("PRAGMA journal_mode=WAL")
        return connection

    engine = sql.create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    sql.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def location_of(path: Path, *, writes: bool) -> str:
    """Return how SQLite is to open a file: where nobody can write beside it, nobody writes it."""
    log = path.with_name(f"{path.name}-wal")
    is_fixed = not log.exists() and not os.access(path.parent, os.W_OK)
    how = "rwc" if writes else "ro&immutable=1" if is_fixed else "ro"
    return f"{path.absolute().as_uri()}?mode={how}"


def _require_schema(connection: sql.Connection, path: Path) -> None:
    row = connection.execute(sql.select(schemas)).first()
    if row is None or not isinstance(row.version, int) or row.version < 1:
        raise CorruptStoreError(
            f"{path}: a database of searches must say its schema; received {row and row.version}; "
            f"nothing has been changed: {HOW_TO_REPAIR}"
        )
    if row.version > SCHEMA:
        raise StoreError(
            f"{path}: the schema of a store must be at most {SCHEMA}, the newest that this release "
            f"reads; received {row.version}, written by {row.written_by}; update the library"
        )
