"""Appending: a document, its row, one sync, and only then is a trial acknowledged."""

import contextlib
import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypernets.adapters.store.hdf5.disk import Disk
from hypernets.adapters.store.hdf5.header import Header
from hypernets.adapters.store.hdf5.image import Plan, segment_image
from hypernets.adapters.store.hdf5.layout import segment_path
from hypernets.adapters.store.hdf5.reader import Stored
from hypernets.adapters.store.hdf5.row import ROW_SIZE, pack
from hypernets.adapters.store.hdf5.whole_file import make_whole
from hypernets.domain.error import DuplicateTrialError, StoreError
from hypernets.domain.history import Trial
from hypernets.domain.history.document import trial_to_document

__all__ = ["SegmentWriter", "document_of"]

_FEWEST_ROWS = 256
_MOST_ROWS = 8192
_LEAST_DOCUMENT = 1024  # in bytes, on average
_MOST_DOCUMENTS = 64 * 2**20  # in bytes, unless one alone is larger
_NOTHING = b"\0" * ROW_SIZE


def document_of(trial: Trial) -> bytes:
    """Return the document of a trial as it is stored.

    Raises:
        StoreError: the trial holds a value that cannot be written down.
    """
    try:
        text = json.dumps(trial_to_document(trial), separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"a trial must be made of values that JSON can carry; received trial {trial.number}: "
            f"{error}; give plain values in its details"
        ) from error
    return text.encode("ascii")


class SegmentWriter:
    """What appends to the segments of a folder; its owner holds the lock.

    Args:
        folder: of the store.
        disk: what writes.
        stored: what the folder holds.
        store: digits that all segments of the store share, for a folder that holds none.

    Attributes:
        n_trials: number of trials that are stored.
        identity: of the search, as a document, if it is known.
    """

    def __init__(self, folder: Path, disk: Disk, stored: Stored, store: str) -> None:
        self._folder = folder
        self._disk = disk
        self._header = stored.header
        self._numbers = set(stored.numbers)
        self._store = stored.header.store if stored.header else store
        self._documents_end = stored.last.documents_end
        self._n_bytes = sum(map(len, stored.documents))
        self._broken: str | None = None
        self._descriptor = -1 if stored.path is None else disk.open(stored.path)
        self.n_trials = stored.n_trials
        self.identity: Mapping[str, Any] | None = stored.header.identity if stored.header else None

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # --- appending --------------------------------------------------------------

    def append(self, trial: Trial) -> None:
        """Keep a trial.

        Raises:
            DuplicateTrialError: a trial of that number is stored already.
            StoreError: it cannot be kept; it is not there later.
        """
        self._require_new(trial)
        document = document_of(trial)
        header = self._segment_for(trial, len(document))
        offset = self._documents_end
        row = pack(trial, self.n_trials, document, offset, header.objectives)
        row_at = header.rows_at + (self.n_trials - header.first) * ROW_SIZE
        try:
            self._disk.write(self._descriptor, document, header.documents_at + offset)
            self._disk.write(self._descriptor, row, row_at)
            self._disk.sync(self._descriptor)
        except BaseException as error:  # an interruption too leaves nothing behind
            self._take_back(row_at)
            if isinstance(error, OSError):
                raise self._not_kept(f"trial {trial.number}", error) from error
            raise
        self._documents_end = offset + len(document)
        self._n_bytes += len(document)
        self._numbers.add(trial.number)
        self.n_trials += 1

    def _require_new(self, trial: Trial) -> None:
        if self._broken:
            raise StoreError(self._broken)
        if trial.number in self._numbers:
            raise DuplicateTrialError(
                f"{self._folder}: a trial's number must be new to its store; received number "
                f"{trial.number}, which is stored already; number it {max(self._numbers) + 1}, say"
            )
        if trial.number >= 2**63:
            raise StoreError(
                f"{self._folder}: a trial's number must be below 2**63; received {trial.number}; "
                "number trials from 1"
            )

    def _take_back(self, row_at: int) -> None:
        """Make a row that may have been written empty, so that it is not there later."""
        try:
            self._disk.write(self._descriptor, _NOTHING, row_at)
            self._disk.sync(self._descriptor)
        except OSError as error:
            self._broken = (
                f"{self._folder}: a store that could not take back a trial must be opened anew; "
                f"received {error.strerror or error} while taking back the one after trial "
                f"{self.n_trials} in the order of appends, which may be found there later; mend "
                "the disk and open the store again"
            )

    def _not_kept(self, what: str, error: OSError) -> StoreError:
        space = error.errno in (errno.ENOSPC, errno.EDQUOT)
        to_do = "make room on the disk" if space else "mend the disk or its permissions"
        return StoreError(
            f"{self._folder}: a store must be able to write; received "
            f"{error.strerror or error} while keeping {what}, which is not stored; everything "
            f"stored before is; {to_do}, and go on with the search"
        )

    # --- segments ---------------------------------------------------------------

    def bind(self, identity: Mapping[str, Any]) -> None:
        """Record the identity of the search, durably, in this segment if it is empty.

        Raises:
            StoreError: it cannot be recorded.
        """
        names = identity.get("directions")
        named = tuple(names) if isinstance(names, dict) else ()
        self._begin_segment(identity, self._objectives() or named, 0)

    def _segment_for(self, trial: Trial, n_bytes: int) -> Header:
        """Return the header of the segment that takes a trial, a new one where it is needed."""
        header = self._header
        if header is None:
            return self._begin_segment(self.identity, tuple(trial.objectives), n_bytes)
        if trial.objectives and not header.objectives:
            return self._begin_segment(self.identity, tuple(trial.objectives), n_bytes)
        is_full = self.n_trials - header.first >= header.capacity
        if is_full or self._documents_end + n_bytes > header.documents_size:
            return self._begin_segment(self.identity, header.objectives, n_bytes)
        return header

    def _objectives(self) -> tuple[str, ...]:
        return self._header.objectives if self._header else ()

    def _begin_segment(
        self, identity: Mapping[str, Any] | None, objectives: tuple[str, ...], n_bytes: int
    ) -> Header:
        """Make the next segment, in place of the last one if that is empty."""
        last = self._header
        is_empty = last is not None and last.first == self.n_trials
        index = 1 if last is None else last.index + (not is_empty)
        rows = min(_MOST_ROWS, max(_FEWEST_ROWS, self.n_trials))
        average = self._n_bytes // self.n_trials if self.n_trials else n_bytes
        room = rows * max(_LEAST_DOCUMENT, average + average // 4)
        plan = Plan(
            store=self._store,
            generation=1 if last is None else last.generation,
            index=index,
            first=self.n_trials,
            capacity=rows,
            documents_size=max(min(room, _MOST_DOCUMENTS), 2 * n_bytes),
            objectives=objectives,
            identity=identity,
        )
        header, descriptor = self._made(plan)
        self.close()
        self._header, self._descriptor = header, descriptor
        self._documents_end, self.identity = 0, identity
        return header

    def _made(self, plan: Plan) -> tuple[Header, int]:
        path = segment_path(self._folder, plan.generation, plan.index)
        header, image = segment_image(plan)
        try:
            return header, make_whole(self._disk, path, [(0, image)])
        except BaseException as error:
            if self._was_replaced(path):
                self._broken = (
                    f"{self._folder}: a store must be opened anew when a segment was begun and it "
                    f"is not certain that it is on the disk; received {error!r}; mend the disk and "
                    "open the store again"
                )
            if isinstance(error, OSError):
                raise self._not_kept(f"what comes after trial {self.n_trials}", error) from error
            raise

    def _was_replaced(self, path: Path) -> bool:
        """Whether a file is there that is not the one which this writer has open."""
        with contextlib.suppress(OSError):
            there = path.stat()
            if self._descriptor < 0:
                return True
            mine = os.fstat(self._descriptor)
            return (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino)
        return False
