"""Looking at every byte of a database, and keeping what is intact."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sql

from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.adapters.store.lock import WriterLock
from hypernets.adapters.store.report import StoreReport
from hypernets.adapters.store.sql.database import Database, connected, lock_of, path_of
from hypernets.adapters.store.sql.fault import as_store_errors
from hypernets.adapters.store.sql.survey import Survey, surveyed
from hypernets.adapters.store.sql.table import (
    SCHEMA,
    metadata,
    schemas,
    searches,
    trial_row,
    trials,
)
from hypernets.domain.error import CorruptStoreError, StoreError
from hypernets.domain.history.document import trial_from_document

__all__ = ["compact", "repair", "verify"]


def verify(url_or_path: str | os.PathLike[str]) -> StoreReport:
    """Return what there is to say about a database and all its searches; nothing is changed.

    Raises:
        StoreError: there is no such file, it cannot be read, or its schema is newer than this
            release.
    """
    path = path_of(url_or_path)
    return _report(path, surveyed(path))


def repair(url_or_path: str | os.PathLike[str]) -> StoreReport:
    """Make a database out of every trial that is intact, and return what was wrong.

    The file as it was is kept beside it. The new content takes the place of the old in one
    transaction; readers see the one or the other. Where nothing is wrong, nothing is done.

    Raises:
        StoreLockedError: a process writes to the database.
        CorruptStoreError: nothing in it can be read.
        StoreError: it cannot be written, or its schema is newer than this release.
    """
    path = path_of(url_or_path)
    with ExitStack() as stack:
        stack.callback(_locked(path).close)
        survey = surveyed(path)
        report = _report(path, survey)
        if report.is_intact:
            return report
        _require_something(path, survey)
        try:
            aside = _set_aside(path)
        except OSError as error:
            raise _not_written(path, error) from error
        _replace(path, survey)
        return attrs.evolve(report, set_aside=aside)


def compact(url_or_path: str | os.PathLike[str]) -> None:
    """Give back the room that deleted searches have left. Readers may read meanwhile.

    Raises:
        CorruptStoreError: something is damaged; nothing is changed.
        StoreError: there is no room for it; the database is as it was.
    """
    report = verify(url_or_path)
    if not report.is_intact:
        raise CorruptStoreError(f"{report}\nrepair the database first")
    with closing(Database(path_of(url_or_path), writes=True)) as database:
        database.vacuum()


def _report(path: Path, survey: Survey) -> StoreReport:
    problems, notes = tuple(survey.problems), tuple(survey.notes)
    return StoreReport(path, sum(map(len, survey.rows.values())), problems, notes)


# --- repairing ------------------------------------------------------------------


def _locked(path: Path) -> WriterLock:
    """Return the lock that keeps every writer out.

    Raises:
        StoreLockedError: there is one; it is named where it can be.
    """
    if not path.is_file():
        raise StoreError(
            f"{path}: a database must be there to be repaired; received a path where no file is; "
            "give the path of a database"
        )
    try:
        for lock in sorted(path.parent.glob(f"{path.name}-search-*.lock")):
            WriterLock(lock, str(path)).close()
        return WriterLock(lock_of(path), str(path))
    except OSError as error:
        raise _not_written(path, error) from error


def _require_something(path: Path, survey: Survey) -> None:
    if not survey.is_readable:
        problems = "; ".join(survey.problems)
        raise CorruptStoreError(
            f"{path}: a database must have a trial, or a search, that can be read; received "
            f"{problems}; nothing has been changed: restore the file from a copy, or try "
            "`sqlite3 FILE .recover`"
        )


def _set_aside(path: Path) -> Path:
    """Return the copy of the files as they are, which is on the disk."""
    disk = SystemDisk()
    n = 1
    while (aside := path.with_name(f"{path.name}.damaged-{n}")).exists():
        n += 1
    for suffix in ("-wal", ""):  # the log first: what leaves it in the meantime is in the file
        source = path.with_name(path.name + suffix)
        if source.exists():
            copy = aside.with_name(aside.name + suffix)
            shutil.copyfile(source, copy)
            descriptor = disk.open(copy)
            disk.sync(descriptor)
            os.close(descriptor)
    disk.sync_folder(path.parent)
    return aside


def _replace(path: Path, survey: Survey) -> None:
    """Put what is intact in the place of what the database holds, in one transaction."""
    with as_store_errors(str(path), "repair"):
        if survey.is_sound:  # the tables of others stay
            with connected(path, writes=True) as connection:
                _write(connection, survey)
            return
        engine = sql.create_engine("sqlite://")
        with closing(engine.connect()) as connection:
            metadata.create_all(connection)
            connection.commit()
            _write(connection, survey)
            _copy(connection.connection.driver_connection, path)
        engine.dispose()


def _write(connection: sql.Connection, survey: Survey) -> None:
    with connection.begin():
        for table in (trials, searches, schemas):
            connection.execute(table.delete())
        release = f"hypernets {version('hypernets')}"
        connection.execute(schemas.insert().values(version=SCHEMA, written_by=release))
        for row in survey.searches:
            connection.execute(searches.insert().values(row))
        for row in _numbered(survey):
            connection.execute(trials.insert(), row)


def _copy(source: Any, path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=60.0)) as target:
        target.execute("PRAGMA synchronous=FULL")
        source.backup(target)


def _numbered(survey: Survey) -> Iterator[dict[str, Any]]:
    for rows in survey.rows.values():
        for position, row in enumerate(rows, 1):
            document = row["document"]
            trial = trial_from_document(json.loads(document))
            yield trial_row(trial, document, position) | {"search": row["search"]}


def _not_written(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path}: repair must be able to write the database and its folder; received "
        f"{getattr(error, 'strerror', None) or error}; make room, or mend the permissions"
    )
