"""What a folder holds, checked from one end to the other."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import attrs

from hypernets.adapters.store.hdf5.header import Header
from hypernets.adapters.store.hdf5.layout import segments
from hypernets.adapters.store.hdf5.segment import Scan, Segment
from hypernets.domain.error import CorruptStoreError, StoreError

__all__ = ["Stored", "read_folder", "unreadable"]

_ATTEMPTS = 3  # enough for a writer that replaces the files, or is in the middle of a row

_NOTHING = Scan((), ())

Answer = TypeVar("Answer")


@attrs.frozen
class Stored:
    """What a folder holds.

    Attributes:
        path: of the last segment; `None` where there is none.
        header: of the last segment.
        last: what stands in the last segment.
        n_trials: number of trials, in all segments.
        numbers: of the trials that were asked for, in the order of appends.
        documents: of the trials that were asked for, in the order of appends.
        torn: whether there is an unfinished row after the last trial.
    """

    path: Path | None = None
    header: Header | None = None
    last: Scan = _NOTHING
    n_trials: int = 0
    numbers: tuple[int, ...] = ()
    documents: tuple[bytes, ...] = ()
    torn: bool = False


def read_folder(folder: Path, since: int = 0) -> Stored:
    """Return what a folder holds, with the trials from a position on.

    Args:
        folder: of a store; another process may write to it meanwhile.
        since: how many trials are left out, from the beginning.

    Raises:
        CorruptStoreError: something before the last trial is damaged or missing.
        StoreError: the folder cannot be read, or holds a newer schema.
    """
    try:
        return _again_while(folder, lambda: _read(folder, since))
    except OSError as error:
        raise unreadable(folder, error) from error


def _again_while(folder: Path, read: Callable[[], Answer]) -> Answer:
    """Return what a function reads, called again where files went away or changed under it.

    A row that was being written when it was read, and stood before one that was read whole, looks
    damaged; it does no longer when it is read again, unless it is.
    """
    for _ in range(_ATTEMPTS):
        try:
            return read()
        except (FileNotFoundError, CorruptStoreError):
            if not folder.is_dir():
                break
    return read()


def _read(folder: Path, since: int) -> Stored:
    opened: list[Segment] = []
    try:
        for path in segments(folder):
            opened.append(Segment(path))
        _require_chain(folder, opened)
        return _scan(folder, opened, since)
    finally:
        for segment in opened:
            segment.close()


def _require_chain(folder: Path, opened: list[Segment]) -> None:
    """Check that the segments are those of one store, and that none is missing."""
    first = 0
    for place, segment in enumerate(opened, 1):
        header = segment.header
        if header.index != place:
            raise CorruptStoreError(
                f"{folder}: the segments of a store must be all there; received segment "
                f"{header.index} where {place} should be ({segment.path.name}); restore the "
                "missing file from a copy, or repair the store, which keeps what is there"
            )
        if header.store != opened[0].header.store or header.first < first:
            raise CorruptStoreError(
                f"{segment.path}: the segments of a store must be made by the same one, in order; "
                "received a file of another store; take it away, or restore the right one"
            )
        first = header.first


def _scan(folder: Path, opened: list[Segment], since: int) -> Stored:
    numbers: list[int] = []
    documents: list[bytes] = []
    stored = Stored()
    ends: list[int | None] = [*(segment.header.first for segment in opened[1:]), None]
    for segment, end in zip(opened, ends, strict=False):
        header = segment.header
        if end is not None and end <= since:
            continue
        begin = max(0, since - header.first) if end is not None else 0
        scan = segment.scan(begin)
        n_rows = scan.end if end is None else end - header.first
        _require_whole(segment, scan, begin, n_rows)
        wanted = [entry for entry in scan.entries if header.first + entry.row.slot >= since]
        numbers += [entry.row.number for entry in wanted]
        documents += [entry.document for entry in wanted]
        torn = any(slot >= n_rows for slot in scan.damaged)
        stored = Stored(segment.path, header, scan, header.first + n_rows, torn=torn)
    _require_distinct(folder, numbers)
    return attrs.evolve(stored, numbers=tuple(numbers), documents=tuple(documents))


def _require_whole(segment: Segment, scan: Scan, begin: int, n_rows: int) -> None:
    bad = scan.first_bad(begin, n_rows)
    if bad is None and scan.end > n_rows:
        bad = n_rows
    if bad is not None:
        header = segment.header
        found = "a damaged one" if bad in scan.damaged else "an empty one"
        if bad >= n_rows:
            found = "one that the next segment does not know"
        raise CorruptStoreError(
            f"{segment.path}: every row before the last must be intact; received {found} as row "
            f"{bad} (trial {header.first + bad + 1} in the order of appends), with "
            f"{len(scan.entries)} intact ones in this file; nothing has been changed: repair the "
            "store, which keeps every trial that is intact, or restore the file from a copy"
        )


def _require_distinct(folder: Path, numbers: Iterable[int]) -> None:
    seen: set[int] = set()
    for number in numbers:
        if number in seen:
            raise CorruptStoreError(
                f"{folder}: a number must be stored once; received number {number} twice; repair "
                "the store, which keeps the first, or restore it from a copy"
            )
        seen.add(number)


def unreadable(folder: Path, error: OSError) -> StoreError:
    """Return the error to raise where a folder cannot be read."""
    return StoreError(
        f"{folder}: a store must be a folder that can be read; received "
        f"{error.strerror or error} ({error.filename or folder}); give another folder, or mend "
        "its permissions or its disk"
    )
