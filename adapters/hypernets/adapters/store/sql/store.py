"""What a search uses: a history in a database."""

import json
import os
import weakref
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sql

from hypernets.adapters.store.export import export
from hypernets.adapters.store.lock import WriterLock
from hypernets.adapters.store.sql.database import connected, path_of
from hypernets.adapters.store.sql.fault import as_store_errors
from hypernets.adapters.store.sql.table import searches, trials
from hypernets.application.port import SearchIdentity
from hypernets.domain.error import CorruptStoreError, DuplicateTrialError, StoreError
from hypernets.domain.history import Direction, History, Trial
from hypernets.domain.history.direction import Directions
from hypernets.domain.history.document import trial_from_document, trial_to_document

__all__ = ["SqlStore"]


class SqlStore:
    """The history of one search in an SQLite database, beside those of others.

    A trial is on the disk when `append` returns. One process writes a search, any number read at
    any time. Opening runs nothing that the database holds. Close it, use it as a context, or let
    it go.

    Args:
        url_or_path: of the database, `"runs.db"` or `"sqlite:///runs.db"`; made where there is
            none.
        search: name of the search in it.
        mode: `"a"` to read and append, `"r"` to read only.
        direction: of the histories that it loads, where the search has not said so by `bind`.

    Attributes:
        path: of the database.
        search: name of the search.

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
        if mode not in ("a", "r"):
            raise StoreError(
                f"mode must be 'a' to append or 'r' to read; received {mode!r}; leave it out"
            )
        self.path = path_of(url_or_path)
        self.search = search
        self._mode = mode
        self._direction = direction
        self._pid = os.getpid()
        self._is_open = True
        self._resources = ExitStack()
        self._finalizer = weakref.finalize(self, self._resources.close)
        try:
            self._connection = connected(self.path, mode)
            self._resources.callback(self._connection.engine.dispose)
            self._resources.callback(self._connection.close)
            self._id = self._entered() if mode == "a" else self._found()
            if mode == "a":
                self._lock()
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
        how = {"a": "read and append", "r": "read"}[self._mode] if self._is_open else "closed"
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
        query = sql.select(searches.c.identity).where(searches.c.id == self._id)
        with as_store_errors(self._where, "identity"), self._connection.begin():
            text = self._connection.execute(query).scalar_one_or_none()
        return None if text is None else SearchIdentity.from_document(self._parsed(text))

    def bind(self, identity: SearchIdentity) -> None:
        """Record whose trials these are, or check that they are those of this search.

        Raises:
            OtherSearchError: the store belongs to another search; each difference is named.
            StoreError: the identity cannot be recorded.
        """
        self._require_writer("bind")
        stored = self.identity
        if stored is not None:
            stored.require_same(identity, self._where)
            return
        text = json.dumps(identity.to_document(), allow_nan=False)
        update = searches.update().where(searches.c.id == self._id).values(identity=text)
        with as_store_errors(self._where, "bind"), self._connection.begin():
            self._connection.execute(update)

    def append(self, trial: Trial) -> None:
        """Keep a trial: it is on the disk when this returns.

        Raises:
            DuplicateTrialError: a trial of that number is stored already.
            StoreError: it cannot be kept, and is not there later; what was stored before is.
        """
        self._require_writer("append")
        document = json.dumps(trial_to_document(trial), allow_nan=False)
        row = {
            "search": self._id,
            "number": trial.number,
            "state": trial.state.value,
            "signature": trial.signature.encode("ascii", "backslashreplace").decode(),
            "reward": trial.reward,
            "elapsed_s": trial.elapsed_s,
            "document": document,
            "checksum": zlib.crc32(document.encode("ascii")),
        }
        try:
            with as_store_errors(self._where, "append"), self._connection.begin():
                self._connection.execute(_INSERT, row | {"position": self._n_stored() + 1})
        except StoreError as error:
            if isinstance(error.__cause__, sql.exc.IntegrityError):
                raise DuplicateTrialError(
                    f"{self._where}: the number of a trial must be new to its store; received "
                    f"{trial.number}, which is stored already; nothing has been changed: give the "
                    "next number"
                ) from error
            raise

    def load(self) -> History:
        """Return everything that is stored, as a history of its own.

        Raises:
            CorruptStoreError: something is damaged or missing.
            StoreError: the database cannot be read.
        """
        self._require_open("load")
        columns = (trials.c.position, trials.c.document, trials.c.checksum)
        query = sql.select(*columns).where(trials.c.search == self._id).order_by(trials.c.position)
        with as_store_errors(self._where, "load"), self._connection.begin():
            rows = self._connection.execute(query).all()
        identity = self.identity
        direction = (identity and identity.directions) or self._direction
        return History(direction, self._trials(rows))

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

    # --- within -------------------------------------------------------------------

    @property
    def _where(self) -> str:
        return f"{self.path}, search {self.search!r}"

    def _entered(self) -> int:
        """Return the key of the search; a new one where there is none of that name."""
        with as_store_errors(self._where, "opening"), self._connection.begin():
            found = self._connection.execute(_ID_OF, {"name": self.search}).scalar()
            if found is None:
                self._connection.execute(searches.insert().values(name=self.search))
                found = self._connection.execute(_ID_OF, {"name": self.search}).scalar_one()
        return int(found)

    def _found(self) -> int:
        with as_store_errors(self._where, "opening"), self._connection.begin():
            found = self._connection.execute(_ID_OF, {"name": self.search}).scalar()
            names = self._connection.execute(sql.select(searches.c.name)).scalars().all()
        if found is None:
            there = ", ".join(map(repr, names)) or "none"
            raise StoreError(
                f"{self.path}: a search must be in the database to be read; received "
                f"{self.search!r}, where there are: {there}; give one of these names"
            )
        return int(found)

    def _lock(self) -> None:
        path = self.path.with_name(f"{self.path.name}-search-{self._id}.lock")
        try:
            lock = WriterLock(path, self._where)
        except OSError as error:
            raise StoreError(
                f"{self._where}: a store must be in a folder that can be written; received "
                f"{error.strerror or error} ({path}); mend its permissions, or open it with "
                'mode="r"'
            ) from error
        self._resources.callback(lock.close)

    def _n_stored(self) -> int:
        return int(self._connection.execute(_LAST_POSITION, {"search": self._id}).scalar() or 0)

    def _trials(self, rows: Sequence[Any]) -> list[Trial]:
        found = []
        for place, (position, document, checksum) in enumerate(rows, 1):
            if position != place or zlib.crc32(str(document).encode("utf-8")) != checksum:
                raise CorruptStoreError(
                    f"{self._where}: every trial must be stored as it was written, in order; "
                    f"received position {position} where {place} should be, or a document that "
                    "does not pass its checksum; nothing has been changed: restore the file from "
                    "a copy"
                )
            found.append(trial_from_document(self._parsed(document)))
        return found

    def _parsed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise CorruptStoreError(
                f"{self._where}: a document must be JSON; received one that is not ({error}); "
                "restore the file from a copy"
            ) from error

    def _require_open(self, what: str) -> None:
        if not self._is_open:
            raise StoreError(
                f"{self._where}: a store must be open; received {what} after close; open it again"
            )
        if os.getpid() != self._pid:
            raise StoreError(
                f"{self._where}: a store must be used by the process that opened it; received "
                f"{what} in process {os.getpid()}, forked from {self._pid}; open it again there, "
                'with mode="r", or hand the trial to the parent'
            )

    def _require_writer(self, what: str) -> None:
        self._require_open(what)
        if self._mode != "a":
            raise StoreError(
                f"{self._where}: a store must be open for appending; received {what} in mode 'r'; "
                "open it with mode='a'"
            )


_INSERT = trials.insert()
_ID_OF = sql.select(searches.c.id).where(searches.c.name == sql.bindparam("name"))
_LAST_POSITION = sql.select(sql.func.max(trials.c.position)).where(
    trials.c.search == sql.bindparam("search")
)
