"""What a search uses: a history in a folder."""

import gc
import json
import os
import uuid
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from hypernets.adapters.store.export import export
from hypernets.adapters.store.hdf5.disk import Disk, SystemDisk
from hypernets.adapters.store.hdf5.layout import LOCK, leftovers
from hypernets.adapters.store.hdf5.reader import read_folder
from hypernets.adapters.store.hdf5.repair import compact, verify
from hypernets.adapters.store.hdf5.writer import SegmentWriter
from hypernets.adapters.store.lock import WriterLock
from hypernets.adapters.store.report import StoreReport
from hypernets.application.log import EventLog
from hypernets.application.port import SearchIdentity
from hypernets.domain.error import CorruptStoreError, StoreError
from hypernets.domain.history import Direction, History, Trial
from hypernets.domain.history.direction import Directions
from hypernets.domain.history.document import trial_from_document

__all__ = ["Hdf5Store"]

log = EventLog(__name__)


class Hdf5Store:
    """A history in HDF5 files, one search a folder.

    A trial is on the disk when `append` returns: neither a kill at any instant nor a power cut
    loses it. One process writes, any number read at any time. Opening runs nothing that the files
    hold. Close it, use it as a context, or let it go.

    Args:
        folder: of the store; made where there is none.
        mode: `"a"` to read and append, `"r"` to read only.
        direction: of the histories that it loads, where the search has not said so by `bind`.
        disk: what writes; the machine's when absent.

    Attributes:
        folder: of the store.

    Raises:
        StoreLockedError: another process writes to it; the message names it.
        CorruptStoreError: something before the last trial is damaged.
        StoreError: the folder cannot be used, or its schema is newer than this release.

    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        mode: str = "a",
        *,
        direction: Directions = Direction.MAX,
        disk: Disk | None = None,
    ) -> None:
        if mode not in ("a", "r"):
            raise StoreError(
                f"mode must be 'a' to append or 'r' to read; received {mode!r}; leave it out"
            )
        self.folder = Path(folder)
        self._direction = direction
        self._disk = SystemDisk() if disk is None else disk
        self._pid = os.getpid()
        self._is_open = True
        self._n_read = 0
        self._writer: SegmentWriter | None = None
        self._resources = ExitStack()
        self._finalizer = weakref.finalize(self, self._resources.close)
        if mode == "a":
            self._open_for_writing()
        else:
            read_folder(self.folder)

    def _open_for_writing(self) -> None:
        try:
            self._disk.make_folder(self.folder)
            lock = WriterLock(self.folder / LOCK)
            self._resources.callback(lock.close)
            for path in leftovers(self.folder):
                self._disk.remove(path)
            self._attach_writer()
        except OSError as error:
            self.close()
            raise StoreError(
                f"{self.folder}: a store must be a folder that can be written; received "
                f"{error.strerror or error} ({error.filename or self.folder}); give another "
                'folder, mend its permissions, or open it with mode="r"'
            ) from error
        except BaseException:
            self.close()
            raise

    def _attach_writer(self) -> None:
        stored = read_folder(self.folder)
        if stored.torn:
            log.warning("an unfinished trial is dropped", store=str(self.folder))
        self._writer = SegmentWriter(self.folder, self._disk, stored, uuid.uuid4().hex)
        self._resources.callback(self._writer.close)

    def __enter__(self) -> Self:
        """Return the store."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    @property
    def location(self) -> str:
        """By what people know it: the folder."""
        return str(self.folder)

    def __repr__(self) -> str:
        """Return the folder and how it is open."""
        how = "closed" if not self._is_open else "read and append" if self._writer else "read"
        return f"<Hdf5Store {self.folder}: {how}>"

    def close(self) -> None:
        """Let go of files and lock; again is harmless."""
        self._is_open = False
        self._finalizer()

    # --- the port -----------------------------------------------------------------

    @property
    def identity(self) -> SearchIdentity | None:
        """Whose trials these are, if it is known."""
        if self._writer is not None:
            document = self._writer.identity
        else:
            header = read_folder(self.folder).header
            document = header.identity if header else None
        return None if document is None else SearchIdentity.from_document(document)

    def bind(self, identity: SearchIdentity) -> None:
        """Record whose trials these are, or check that they are those of this search.

        Raises:
            OtherSearchError: the store belongs to another search; each difference is named.
            StoreError: the identity cannot be recorded.
        """
        writer = self._require_writer("bind")
        stored = self.identity
        if stored is None:
            writer.bind(identity.to_document())
        else:
            stored.require_same(identity, str(self.folder))

    def append(self, trial: Trial) -> None:
        """Keep a trial: it is on the disk when this returns.

        Raises:
            DuplicateTrialError: a trial of that number is stored already.
            StoreError: it cannot be kept, and is not there later; what was stored before is.
        """
        self._require_writer("append").append(trial)

    def load(self) -> History:
        """Return everything that is stored, as a history of its own.

        Raises:
            CorruptStoreError: something before the last trial is damaged.
            StoreError: the folder cannot be read.
        """
        self._require_open("load")
        stored = read_folder(self.folder)
        identity = stored.header.identity if stored.header else None
        direction = (identity or {}).get("directions") or self._direction
        trials = _trials(self.folder, stored.documents)
        self._n_read = stored.n_trials
        return History(direction, trials)

    # --- more ---------------------------------------------------------------------

    def refresh(self) -> list[Trial]:
        """Return the trials that have come since the last `load` or `refresh`, in order.

        Raises:
            CorruptStoreError: something before the last trial is damaged.
            StoreError: the folder cannot be read, or fewer trials are there than before.
        """
        self._require_open("refresh")
        stored = read_folder(self.folder, self._n_read)
        if stored.n_trials < self._n_read:
            raise StoreError(
                f"{self.folder}: trials must only be added while a store is read; received "
                f"{stored.n_trials} after {self._n_read}, as after a repair; call load"
            )
        self._n_read = stored.n_trials
        return _trials(self.folder, stored.documents)

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
        """Return what there is to say about the files; nothing is changed, nothing is raised."""
        return verify(self.folder)

    def compact(self) -> None:
        """Write all trials anew, into one file. Readers may read meanwhile.

        Raises:
            StoreError: there is no room for it; the store is as it was.
        """
        writer = self._require_writer("compact")
        compact(self.folder, self._disk)
        writer.close()
        self._attach_writer()

    # --- being open ---------------------------------------------------------------

    def _require_open(self, what: str) -> None:
        if not self._is_open:
            raise StoreError(
                f"{self.folder}: a store must be open; received {what} after close; open it again"
            )

    def _require_writer(self, what: str) -> SegmentWriter:
        self._require_open(what)
        if self._writer is None:
            raise StoreError(
                f"{self.folder}: a store must be open for appending; received {what} in mode 'r'; "
                "open it with mode='a'"
            )
        if os.getpid() != self._pid:
            raise StoreError(
                f"{self.folder}: a store must be written by the process that opened it; received "
                f"{what} in process {os.getpid()}, forked from {self._pid}; hand the trial to the "
                "parent"
            )
        return self._writer


def _trials(folder: Path, documents: Sequence[bytes]) -> list[Trial]:
    trials: list[Trial] = []
    with _collector_paused():
        for begin in range(0, len(documents), _BATCH):
            batch = documents[begin : begin + _BATCH]
            trials += map(trial_from_document, _parsed(folder, batch))
    return trials


def _parsed(folder: Path, documents: Sequence[bytes]) -> list[Any]:
    try:
        facts = json.loads(b"[" + b",".join(documents) + b"]")  # faster than one by one
    except (ValueError, RecursionError) as error:  # the library has not written that
        facts = str(error)
    if not isinstance(facts, list) or len(facts) != len(documents):
        raise CorruptStoreError(
            f"{folder}: a trial's document must be JSON; received one that is not "
            f"({facts!s:.100}); repair the store, or restore it from a copy"
        )
    return facts


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the collector from looking at all trials again and again while they are made."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_BATCH = 1_000
