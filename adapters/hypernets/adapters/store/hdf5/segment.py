"""One segment, read and checked by its own header, without h5py."""

import os
import zlib
from pathlib import Path
from typing import NamedTuple, Self

import attrs

from hypernets.adapters.store.hdf5.header import LONGEST, MAGIC, Header, unpack
from hypernets.adapters.store.hdf5.image import static_parts
from hypernets.adapters.store.hdf5.layout import place_of
from hypernets.adapters.store.hdf5.row import ROW_SIZE, Row, read_rows
from hypernets.domain.error import CorruptStoreError, StoreError

__all__ = ["Scan", "Segment"]

_PREFIX = 20


class Entry(NamedTuple):
    """A row that passes, and its document, which passes too."""

    row: Row
    document: bytes


@attrs.frozen
class Scan:
    """What stands in the rows of a segment.

    Attributes:
        entries: what passes, by slot.
        damaged: slots that are neither empty nor pass.
    """

    entries: tuple[Entry, ...]
    damaged: tuple[int, ...]

    @property
    def end(self) -> int:
        """Number of slots up to the last that passes, that one included."""
        return self.entries[-1].row.slot + 1 if self.entries else 0

    @property
    def documents_end(self) -> int:
        """Where the documents end, from their beginning, in bytes."""
        return max((entry.row.offset + entry.row.length for entry in self.entries), default=0)

    def first_bad(self, begin: int, end: int) -> int | None:
        """Return the first of the slots from `begin` to before `end` that does not pass."""
        passing = {entry.row.slot for entry in self.entries}
        return next((slot for slot in range(begin, end) if slot not in passing), None)


class Segment:
    """A segment that is open for reading. Close it, or use it as a context.

    Args:
        path: of the file.
        salvage: take what there is: the copy of the header where the header is damaged, any size,
            any static part. For repair.

    Raises:
        CorruptStoreError: header, size or static parts are not what they must be.
        StoreError: it is of a newer schema.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path, *, salvage: bool = False) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.header = self._salvaged_header() if salvage else self._checked_header()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def scan(self, first_slot: int = 0) -> Scan:
        """Return what stands in the rows from a slot on, each checked together with its document.

        Raises:
            OSError: the file cannot be read.
        """
        header = self.header
        size = (header.capacity - first_slot) * ROW_SIZE
        rows = self._read(header.rows_at + first_slot * ROW_SIZE, size)
        whole = len(rows) - len(rows) % ROW_SIZE  # less where the file has been cut off
        passing, damaged = read_rows(rows[:whole], first_slot, header.first)
        entries, without_document = self._with_documents(passing)
        return Scan(tuple(entries), tuple(sorted(damaged + without_document)))

    def _with_documents(self, rows: list[Row]) -> tuple[list[Entry], list[int]]:
        room = self.header.documents_size
        begin = min((row.offset for row in rows), default=0)
        end = max((row.offset + row.length for row in rows), default=0)
        if begin < 0 or end > room:
            begin, end = 0, room
        content = self._read(self.header.documents_at + begin, end - begin)
        entries, damaged = [], []
        for row in rows:
            at = row.offset - begin
            document = content[at : at + row.length] if at >= 0 else b""
            if len(document) == row.length and zlib.crc32(document) == row.checksum:
                entries.append(Entry(row, document))
            else:
                damaged.append(row.slot)
        return entries, damaged

    # --- the header -----------------------------------------------------------

    def _checked_header(self) -> Header:
        header = self._header_at(0)
        size = os.fstat(self._descriptor).st_size
        if size != header.size:
            raise self._corrupt(f"have the {header.size} bytes that it was made with", f"{size}")
        if place_of(self.path) not in (None, (header.generation, header.index)):
            place = f"that of generation {header.generation}, segment {header.index}"
            raise self._corrupt("have the name that it was made with", place)
        checksum = 0
        for part in static_parts(header):
            checksum = zlib.crc32(self._read(part.start, part.stop - part.start), checksum)
        if checksum != header.static_checksum:
            raise self._corrupt("keep what HDF5 has written in it", "other bytes")
        return header

    def _salvaged_header(self) -> Header:
        try:
            return self._header_at(0)
        except CorruptStoreError:
            size = os.fstat(self._descriptor).st_size
            begin = max(0, size - 2**20)
            found = self._read(begin, size - begin).rfind(MAGIC)
            if found < 0:
                raise
            return self._header_at(begin + found)

    def _header_at(self, offset: int) -> Header:
        prefix = self._read(offset, _PREFIX)
        length = int.from_bytes(prefix[12:16], "little")
        if length > LONGEST:
            length = 0  # no header; its checksum will say so
        return unpack(prefix + self._read(offset + _PREFIX, length), str(self.path))

    def _read(self, offset: int, size: int) -> bytes:
        parts = []
        while size > 0:
            part = os.pread(self._descriptor, size, offset)
            if not part:
                break
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)

    def _corrupt(self, rule: str, received: str) -> StoreError:
        return CorruptStoreError(
            f"{self.path}: a segment must {rule}; received {received}; repair the store, which "
            "keeps every trial that is intact, or restore the file from a copy"
        )
