"""What a search uses: a history in a database."""

import json
import os
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sql

from hypernets.adapters.store.export import export
from hypernets.adapters.store.lock import WriterLock
from hypernets.adapters.store.report import StoreReport
from hypernets.adapters.store.sql.database import Database, lock_of, path_of
from hypernets.adapters.store.sql.reader import Entry, entry_of, names_in, read_trials
from hypernets.adapters.store.sql.repair import verify
from hypernets.adapters.store.sql.table import checksum_of, searches, trial_row, trials
from hypernets.application.port import SearchIdentity
from hypernets.domain.error import DuplicateTrialError, StoreError
from hypernets.domain.history import Direction, History, Trial
from hypernets.domain.history.direction import Directions
from hypernets.domain.history.document import trial_to_document

__all__ = ["SqlStore"]

_MODES = {
    "a": "read and append",
    "r": "read",
    "r+": "read and append",
    "x": "read and append",
}


class SqlStore:
    """The history of one search in an SQLite database, beside those of others.

    A trial is on the disk when `append` returns. One process writes a search, any number read at
    any time. Opening runs nothing that the database holds. Close it, use it as a context, or let
    it go.

    Args:
        url_or_path: of the database, `"runs.db"` or `"sqlite:///runs.db"`; made where there is
            none.
        search: name of the search in it.
        mode: `"a"` to read and append, `"r"` to read only; as `"a"` for a search that must be
            there, `"r+"`, or must not, `"x"`.
        direction: of the histories that it loads, where the search has not said so by `bind`.

    Attributes:
        path: of the database.
        search: name of the search.
        location: by what people know the store.

    Raises:
        StoreLockedError: another process writes to that search; the message names it.
        CorruptStoreError: the file is no database of searches, or damaged.
        StoreError: it cannot be opened, or its schema is newer than this release.
    """

    def __init__(
        self,
        url_or_path: str | os.PathLike[str],
        search: str = "search",
        mode: str = "a",
        *,
        direction: Directions = Direction.MAX,
    ) -> None:
        if mode not in _MODES:
            raise StoreError(
                "mode must be 'a' to append or 'r' to read ('r+', 'x': to append to what must, or "
                f"must not, be there); received {mode!r}; leave it out"
            )
        if not _is_name(search):
            raise StoreError(
                "the name of a search must be one of 1 to 100 characters that can be printed; "
                f"received {search!r}; choose another name"
            )
        self.path = path_of(url_or_path)
        self.search = search
        self.location = f"{self.path}, search {search!r}"
        self._mode = mode
        self._direction = direction
        self._pid = os.getpid()
        self._is_open = True
        self._id: int | None = None
        self._resources = ExitStack()
        self._finalizer = weakref.finalize(self, self._resources.close)
        try:
            self._database = Database(self.path, writes=mode != "r")
            self._resources.callback(self._database.close)
            self._id = self._found() if mode == "r" else self._entered()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the store."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    def __repr__(self) -> str:
        """Return the database, the search, and how it is open."""
        how = _MODES[self._mode] if self._is_open else "closed"
        return f"<SqlStore {self.path} {self.search!r}: {how}>"

    def close(self) -> None:
        """Let go of the database and the lock; again is harmless."""
        self._is_open = False
        self._finalizer()

    # --- the port -----------------------------------------------------------------

    @property
    def identity(self) -> SearchIdentity | None:
        """Whose trials these are, if it is known."""
        self._require_open("identity")
        with self._database.doing("identity", self.location) as connection:
            return self._entry(connection).identity

    def bind(self, identity: SearchIdentity) -> None:
        """Record whose trials these are, or check that they are those of this search.

        Raises:
            OtherSearchError: the store belongs to another search; each difference is named.
            StoreError: the identity cannot be recorded.
        """
        self._require_writer("bind")
        stored = self.identity
        if stored is not None:
            stored.require_same(identity, self.location)
            return
        text = json.dumps(identity.to_document(), allow_nan=False)
        update = searches.update().where(searches.c.id == self._id)
        with self._database.doing("bind", self.location) as connection:
            connection.execute(
                update.values(identity=text, checksum=checksum_of(self.search, text))
            )

    def append(self, trial: Trial) -> None:
        """Keep a trial: it is on the disk when this returns.

        Raises:
            DuplicateTrialError: a trial of that number is stored already.
            StoreError: it cannot be kept, and is not there later; what was stored before is.
        """
        self._require_writer("append")
        document = json.dumps(trial_to_document(trial), allow_nan=False)
        try:
            with self._database.doing("append", self.location) as connection:
                n_stored = connection.execute(_LAST_POSITION, {"search": self._id}).scalar() or 0
                row = trial_row(trial, document, n_stored + 1)
                connection.execute(_INSERT, row | {"search": self._id})
        except StoreError as error:
            if isinstance(error.__cause__, sql.exc.IntegrityError):
                raise DuplicateTrialError(
                    f"{self.location}: the number of a trial must be new to its store; received "
                    f"{trial.number}, which is stored already; nothing has been changed: give the "
                    "next number"
                ) from error
            raise

    def load(self) -> History:
        """Return everything that is stored, as a history of its own.

        Raises:
            CorruptStoreError: something is damaged or missing.
            StoreError: the database cannot be read, or the search has been deleted.
        """
        self._require_open("load")
        with self._database.doing("load", self.location) as connection:
            entry = self._entry(connection)
            found = read_trials(connection, entry, self.location)
        direction = (entry.identity and entry.identity.directions) or self._direction
        return History(direction, found)

    # --- more ---------------------------------------------------------------------

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` of one row a trial.

        Raises:
            ImportError: pandas is not installed.
        """
        return self.load().to_frame()

    def export(self, path: str | os.PathLike[str], format: str = "jsonl") -> Path:  # noqa: A002 - what pandas and others call it
        """Write the history to a file (see `hypernets.adapters.store.export`)."""
        return export(self.load(), path, format)

    def verify(self) -> StoreReport:
        """Return what there is to say about the whole database; nothing is changed."""
        return verify(self.path)

    def delete(self) -> None:
        """Remove the search from the database, for good, and close the store.

        Raises:
            StoreError: it cannot be removed; then it is as it was, and the store stays open.
        """
        self._require_writer("delete")
        with self._database.doing("delete", self.location) as connection:
            connection.execute(trials.delete().where(trials.c.search == self._id))
            connection.execute(searches.delete().where(searches.c.id == self._id))
        lock_of(self.path, self._id).unlink(missing_ok=True)  # while it is held
        self.close()

    # --- within -------------------------------------------------------------------

    def _found(self) -> int:
        with self._database.doing("opening", self.location) as connection:
            return self._entry(connection).id

    def _entry(self, connection: sql.Connection) -> Entry:
        entry = entry_of(connection, self.search, self.location)
        if entry is None or self._id not in (None, entry.id):
            there = ", ".join(map(repr, names_in(connection))) or "none"
            raise StoreError(
                f"{self.path}: a search must be in the database to be read; received "
                f"{self.search!r}, where there are: {there}; give one of these names"
            )
        return entry

    def _entered(self) -> int:
        """Return the key of the search, which is locked; a new one where there is none."""
        if self._mode != "r+":
            self._enter()
        found = self._found()
        try:
            lock = WriterLock(lock_of(self.path, found), self.location)
        except OSError as error:
            raise StoreError(
                f"{self.location}: a store must be in a folder that can be written; received "
                f"{error.strerror or error} ({error.filename}); mend its permissions, or open it "
                'with mode="r"'
            ) from error
        self._resources.callback(lock.close)
        self._id = found
        return self._found()  # nobody has deleted it before it was locked

    def _enter(self) -> None:
        with self._database.doing("opening", self.location) as connection:
            if entry_of(connection, self.search, self.location) is None:
                row = {"name": self.search, "checksum": checksum_of(self.search, "")}
                connection.execute(searches.insert().values(row))
            elif self._mode == "x":
                raise StoreError(
                    f"the name of a new search must be new to its database; received "
                    f"{self.search!r}, which is taken in {self.path}; open it, delete it, or "
                    "choose another name"
                )

    def _require_open(self, what: str) -> None:
        if not self._is_open:
            raise StoreError(
                f"{self.location}: a store must be open; received {what} after close; open it again"
            )
        if os.getpid() != self._pid:
            raise StoreError(
                f"{self.location}: a store must be used by the process that opened it; received "
                f"{what} in process {os.getpid()}, forked from {self._pid}; open it again there, "
                'with mode="r", or hand the trial to the parent'
            )

    def _require_writer(self, what: str) -> None:
        self._require_open(what)
        if self._mode == "r":
            raise StoreError(
                f"{self.location}: a store must be open for appending; received {what} in mode "
                "'r'; open it with mode='a'"
            )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 1 <= len(value) <= 100


_INSERT = trials.insert()
_LAST_POSITION = sql.select(sql.func.max(trials.c.position)).where(
    trials.c.search == sql.bindparam("search")
)
