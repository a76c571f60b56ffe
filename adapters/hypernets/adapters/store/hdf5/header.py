"""What a segment says about itself, under a checksum, in the block that HDF5 leaves to its user.

It is read before anything else of the file, and without h5py: rows and documents are found by its
offsets. The first twenty bytes have the same form in every version, so that a newer one is known
for what it is:

    bytes 0-7     "HNTRIALS"
    bytes 8-11    version of the schema, little-endian like all numbers
    bytes 12-15   length of the text that follows, in bytes
    bytes 16-19   CRC-32 of bytes 8-15 and of the text
    bytes 20-     the text: JSON, in ASCII
"""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import attrs

from hypernets.adapters.store.hdf5.row import ROW_SIZE
from hypernets.domain.error import CorruptStoreError, StoreError

__all__ = ["MAGIC", "SCHEMA", "Header", "pack", "unpack"]

MAGIC = b"HNTRIALS"
SCHEMA = 1
"""The schema that is written, and the newest that is read."""

_PREFIX = struct.Struct("<8sIII")
_VERSIONED = struct.Struct("<II")
LONGEST = 64 * 2**20
"""No header is longer, in bytes."""


@attrs.frozen
class Header:
    """What a segment says about itself; places and sizes are in bytes.

    Attributes:
        store: digits that all segments of one store share.
        generation: rises when all segments are written anew.
        index: place among the segments of the generation, from 1.
        first: number of trials in the segments before this one.
        capacity: number of rows.
        documents_size: room of the documents.
        objectives: names of those that have a column.
        identity: of the search, as a document, if it is known.
        versions: of the libraries that wrote the segment.
        room: of this header.
        rows_at: where the rows begin.
        documents_at: where the documents begin.
        size: of the file.
        static_checksum: CRC-32 of everything but the header, the rows and the documents.
    """

    store: str
    generation: int
    index: int
    first: int
    capacity: int
    documents_size: int
    objectives: tuple[str, ...]
    identity: Mapping[str, Any] | None
    versions: Mapping[str, str]
    room: int = 0
    rows_at: int = 0
    documents_at: int = 0
    size: int = 0
    static_checksum: int = 0


def pack(header: Header) -> bytes:
    """Return a header as bytes."""
    text = json.dumps(attrs.asdict(header, recurse=False)).encode("ascii")
    checksum = zlib.crc32(text, zlib.crc32(_VERSIONED.pack(SCHEMA, len(text))))
    return _PREFIX.pack(MAGIC, SCHEMA, len(text), checksum) + text


def unpack(content: bytes, where: str) -> Header:
    """Return the header at the beginning of some bytes.

    Args:
        content: at least all of the header.
        where: the file, for messages.

    Raises:
        CorruptStoreError: there is none, or it does not pass its checksum.
        StoreError: it is of a newer schema.
    """
    if len(content) < _PREFIX.size or not content.startswith(MAGIC):
        raise _corrupt(where, f"{content[:8]!r} as its first bytes")
    _, schema, length, checksum = _PREFIX.unpack_from(content)
    text = content[_PREFIX.size : _PREFIX.size + length]
    if len(text) < length or zlib.crc32(text, zlib.crc32(content[8:16])) != checksum:
        raise _corrupt(where, "a header that does not pass its checksum")
    facts = _parsed(text)
    if schema > SCHEMA:
        wrote = (facts or {}).get("versions", "an unknown release")
        raise StoreError(
            f"{where}: the schema of a store must be at most {SCHEMA}, the newest that this "
            f"release reads; received {schema}, written by {wrote}; update the library"
        )
    read = _READERS.get(schema)
    if read is None or facts is None:
        raise _corrupt(where, f"a header of schema {schema} that cannot be read")
    return read(facts, where)


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def _read_schema_1(facts: Mapping[str, Any], where: str) -> Header:
    try:
        header = Header(**{**facts, "objectives": tuple(facts["objectives"])})
        _require_sound(header)
    except (TypeError, KeyError, ValueError) as error:
        raise _corrupt(where, f"a header without its facts ({error})") from error
    return header


def _require_sound(header: Header) -> None:
    """Check that every place lies within the file, so that nothing huge is ever read."""
    numbers = [getattr(header, name) for name in _NUMBERS]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a place that is no integer >= 0")
    rows_end = header.rows_at + header.capacity * ROW_SIZE
    documents_end = header.documents_at + header.documents_size
    if not header.room <= min(header.rows_at, header.documents_at):
        raise ValueError("data within the room of the header")
    if max(rows_end, documents_end) + header.room > header.size:
        raise ValueError("data beyond the end of the file")
    if not (rows_end <= header.documents_at or documents_end <= header.rows_at):
        raise ValueError("data over data")


_NUMBERS = tuple(field.name for field in attrs.fields(Header) if field.type is int)


_READERS = {1: _read_schema_1}
"""Schema → how its header is read; an older schema keeps its entry."""


def _corrupt(where: str, what: str) -> CorruptStoreError:
    return CorruptStoreError(
        f"{where}: a segment must begin with the header that the library has written; "
        f"received {what}; repair the store, or restore the file from a copy"
    )
