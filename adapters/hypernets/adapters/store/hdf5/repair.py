"""Looking at every byte of a store, keeping what is intact, and writing all of it anew."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from hypernets.adapters.store.hdf5.disk import Disk, SystemDisk
from hypernets.adapters.store.hdf5.header import Header
from hypernets.adapters.store.hdf5.image import Plan, segment_image
from hypernets.adapters.store.hdf5.layout import (
    LOCK,
    aside_folder,
    leftovers,
    place_of,
    segment_path,
    segments,
)
from hypernets.adapters.store.hdf5.reader import read_folder, unreadable
from hypernets.adapters.store.hdf5.row import ROW_SIZE, pack
from hypernets.adapters.store.hdf5.segment import Segment
from hypernets.adapters.store.hdf5.whole_file import make_whole
from hypernets.adapters.store.lock import WriterLock
from hypernets.adapters.store.report import StoreReport
from hypernets.domain.error import CorruptStoreError, StoreError
from hypernets.domain.history.document import trial_from_document

__all__ = ["compact", "repair", "verify"]

_SPARE_ROWS = 256
_SPARE_BYTES = 2**18


def verify(folder: str | os.PathLike[str]) -> StoreReport:
    """Return what there is to say about a store; nothing is changed.

    Raises:
        StoreError: the folder cannot be read, or holds a newer schema.
    """
    survey = _surveyed(Path(folder))
    return StoreReport(
        Path(folder), len(survey.documents), tuple(survey.problems), tuple(survey.notes)
    )


def repair(folder: str | os.PathLike[str], disk: Disk | None = None) -> StoreReport:
    """Make a store out of every trial that is intact, and return what was wrong.

    The files as they were are kept in a folder within the store's. Where nothing is wrong, nothing
    is done.

    Raises:
        StoreLockedError: a process writes to the store.
        StoreError: the folder cannot be read or written, or holds a newer schema.
    """
    place, disk = Path(folder), disk or SystemDisk()
    try:
        lock = WriterLock(place / LOCK)
        try:
            return _repaired(place, disk)
        finally:
            lock.close()
    except OSError as error:
        raise unreadable(place, error) from error


def _repaired(folder: Path, disk: Disk) -> StoreReport:
    survey = _surveyed(folder)
    report = StoreReport(folder, len(survey.documents), tuple(survey.problems), tuple(survey.notes))
    if report.is_intact:
        return report
    old = segments(folder)
    generation = max((place[0] for path in old if (place := place_of(path))), default=0)
    aside = aside_folder(folder, generation)
    _set_aside(old, aside, disk)
    _write_generation(folder, disk, generation + 1, survey.documents, survey.header)
    for path in old:
        disk.remove(path)
    disk.sync_folder(folder)
    return attrs.evolve(report, set_aside=aside)


def _set_aside(paths: Sequence[Path], folder: Path, disk: Disk) -> None:
    """Give files a second place, which they keep when they lose the first."""
    disk.make_folder(folder)
    for path in paths:
        copy = folder / path.name
        if not copy.exists():  # else a repair was cut short
            try:
                os.link(path, copy)
            except OSError:  # not every file system knows links
                shutil.copy2(path, copy)
    disk.sync_folder(folder)


def compact(folder: Path, disk: Disk) -> None:
    """Write all trials of a store into one new segment; the caller holds the lock.

    Raises:
        CorruptStoreError: something is damaged; nothing is changed.
        StoreError: there is no room; nothing is changed.
    """
    stored = read_folder(folder)
    if stored.header is None:
        return
    old = segments(folder)
    try:
        _write_generation(
            folder, disk, stored.header.generation + 1, stored.documents, stored.header
        )
        for path in old:
            disk.remove(path)
        disk.sync_folder(folder)
    except OSError as error:
        raise StoreError(
            f"{folder}: compacting must be able to write all trials anew; received "
            f"{error.strerror or error}; the store is as it was; make room for it"
        ) from error


# --- writing anew ---------------------------------------------------------------


def _write_generation(
    folder: Path, disk: Disk, generation: int, documents: Sequence[bytes], last: Header | None
) -> None:
    """Write trials as the only segment of a generation: when its file is there, it is the store."""
    n_bytes = sum(map(len, documents))
    plan = Plan(
        store=uuid.uuid4().hex,
        generation=generation,
        index=1,
        first=0,
        capacity=len(documents) + max(_SPARE_ROWS, len(documents) // 4),
        documents_size=n_bytes + max(_SPARE_BYTES, n_bytes // 4),
        objectives=last.objectives if last else (),
        identity=last.identity if last else None,
    )
    header, image = segment_image(plan)
    parts = [(0, image), (header.documents_at, b"".join(documents))]
    parts.append((header.rows_at, b"".join(_rows(documents, header.objectives))))
    os.close(make_whole(disk, segment_path(folder, generation, 1), parts))


def _rows(documents: Sequence[bytes], objectives: Sequence[str]) -> Iterator[bytes]:
    offset = 0
    for position, document in enumerate(documents):
        trial = trial_from_document(json.loads(document))
        row = pack(trial, position, document, offset, objectives)
        assert len(row) == ROW_SIZE
        yield row
        offset += len(document)


# --- looking --------------------------------------------------------------------


@attrs.define
class _Survey:
    documents: list[bytes] = attrs.field(factory=list)
    numbers: set[int] = attrs.field(factory=set)
    problems: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    header: Header | None = None
    place: int = 0  # of the segment that was looked at last


def _surveyed(folder: Path) -> _Survey:
    survey = _Survey()
    try:
        survey.notes += [f"{path.name} is of no account" for path in leftovers(folder)]
        for path in segments(folder):
            _survey_segment(path, survey)
    except OSError as error:
        raise unreadable(folder, error) from error
    if not survey.problems:
        try:
            read_folder(folder)
        except CorruptStoreError as error:  # what only shows between segments
            survey.problems.append(str(error))
    return survey


def _survey_segment(path: Path, survey: _Survey) -> None:
    place = (place_of(path) or (0, 0))[1]
    survey.problems += [
        f"segment {missing} is missing" for missing in range(survey.place + 1, place)
    ]
    survey.place = place
    try:
        Segment(path).close()
    except CorruptStoreError as error:
        survey.problems.append(str(error))
    try:
        segment = Segment(path, salvage=True)
    except CorruptStoreError:
        survey.problems.append(f"{path.name}: neither copy of the header is intact: all is lost")
        return
    with segment:
        _survey_rows(segment, survey)


def _survey_rows(segment: Segment, survey: _Survey) -> None:
    header, scan = segment.header, segment.scan()
    if survey.header is not None and header.store != survey.header.store:
        survey.problems.append(f"{segment.path.name} belongs to another store: it is left out")
        return
    if header.identity is not None or survey.header is None:
        survey.header = header
    passing = {entry.row.slot for entry in scan.entries}
    for slot in range(scan.end):
        if slot not in passing:
            found = "damaged" if slot in scan.damaged else "empty"
            survey.problems.append(f"{segment.path.name}: row {slot} is {found}: a trial is lost")
    if any(slot >= scan.end for slot in scan.damaged):
        survey.notes.append(f"{segment.path.name}: an unfinished trial follows the last one")
    for entry in scan.entries:
        where = f"{segment.path.name}: row {entry.row.slot}"
        if entry.row.number in survey.numbers:
            survey.problems.append(f"{where} repeats number {entry.row.number}: it is left out")
        elif not _is_trial(entry.document, entry.row.number):
            survey.problems.append(f"{where} holds no trial of number {entry.row.number}: lost")
        else:
            survey.numbers.add(entry.row.number)
            survey.documents.append(entry.document)


def _is_trial(document: bytes, number: int) -> bool:
    try:
        facts: Mapping[str, Any] = json.loads(document)
        return trial_from_document(facts).number == number
    except (ValueError, RecursionError, CorruptStoreError):
        return False
