"""The connection to a database: durable, with readers at any time.

The database keeps a write-ahead log and syncs it at each commit (`synchronous=FULL`): a commit is
on the disk when it returns, and neither waits for readers nor holds them up.
"""

import os
import sqlite3
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.pool import StaticPool

from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.adapters.store.sql.fault import as_store_errors
from hypernets.adapters.store.sql.table import SCHEMA, metadata, schemas
from hypernets.domain.error import CorruptStoreError, StoreError

__all__ = ["connected", "path_of"]

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


def connected(path: Path, mode: str) -> sql.Connection:
    """Return a connection to a database of searches; made in mode `"a"` where there is none.

    Raises:
        CorruptStoreError: the file is no such database.
        StoreError: it cannot be opened or made, or its schema is newer than this release.
    """
    if mode == "a":
        is_new = _prepared(path)
    elif path.is_file():
        is_new = False
    else:
        raise StoreError(
            f"{path}: a store must exist to be read; received a path where no file is; give the "
            "path of a database, or open it with mode='a'"
        )
    with as_store_errors(str(path), "opening"):
        connection = _engine(path, mode).connect()
        try:
            if mode == "a":
                _make_tables(connection)
            _require_schema(connection, path)
        except BaseException:
            connection.close()
            connection.engine.dispose()
            raise
    if is_new:
        SystemDisk().sync_folder(path.parent)
    return connection


def _prepared(path: Path) -> bool:
    try:
        SystemDisk().make_folder(path.parent)
        return not path.exists()
    except OSError as error:
        raise StoreError(
            f"{path}: a database must be in a folder that can be made and written; received "
            f"{error.strerror or error}; give another path, or mend its permissions"
        ) from error


def _engine(path: Path, mode: str) -> sql.Engine:
    location = f"{path.absolute().as_uri()}?mode={'rwc' if mode == 'a' else _reading(path)}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            location, uri=True, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA trusted_schema=OFF")  # no code of the file is run
        if mode == "a":
            connection.execute("PRAGMA journal_mode=WAL")
        return connection

    engine = sql.create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    begin = "BEGIN IMMEDIATE" if mode == "a" else "BEGIN"
    sql.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _reading(path: Path) -> str:
    """Return how to read a file: where nobody can write beside it, nobody writes it."""
    log = path.with_name(f"{path.name}-wal")
    is_fixed = not log.exists() and not os.access(path.parent, os.W_OK)
    return "ro&immutable=1" if is_fixed else "ro"


def _make_tables(connection: sql.Connection) -> None:
    with connection.begin():
        metadata.create_all(connection)
        if connection.execute(sql.select(schemas.c.version)).first() is None:
            release = f"hypernets {version('hypernets')}"
            connection.execute(schemas.insert().values(version=SCHEMA, written_by=release))


def _require_schema(connection: sql.Connection, path: Path) -> None:
    with connection.begin():
        row = connection.execute(sql.select(schemas)).first()
    if row is None:
        raise CorruptStoreError(
            f"{path}: a database of searches must say its schema; received none; restore the file "
            "from a copy"
        )
    if row.version > SCHEMA:
        raise StoreError(
            f"{path}: the schema of a store must be at most {SCHEMA}, the newest that this release "
            f"reads; received {row.version}, written by {row.written_by}; update the library"
        )
