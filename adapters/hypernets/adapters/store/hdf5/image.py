"""The bytes of an empty segment: an HDF5 file, whole from the first moment, and never grown.

`libver="earliest"`, contiguous data sets allocated early: their places never change, so rows and
documents are written there from outside of HDF5, and what HDF5 has written never has to be written
again. A file of that kind is valid at every instant.

    block of the user    header                        `header`
    HDF5's own           attributes, types, places
    /trials              rows                          `row`
    /documents           one JSON text after another   `hypernets.domain.history.document`
    /identity            what the search is known by, JSON
    after HDF5's end     the header once more, for repair
"""

import functools
import importlib.metadata
import io
import json
import platform
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from hypernets.adapters.store.hdf5.header import SCHEMA, Header, pack
from hypernets.adapters.store.hdf5.row import ROW_SIZE, columns_of

__all__ = ["Plan", "segment_image", "static_parts"]

_PAGE = 4096
_SLACK = 512  # digits of places that are not known when the room for the header is


@attrs.frozen
class Plan:
    """What a segment is to be (see `Header`)."""

    store: str
    generation: int
    index: int
    first: int
    capacity: int
    documents_size: int
    objectives: tuple[str, ...]
    identity: Mapping[str, Any] | None


def segment_image(plan: Plan) -> tuple[Header, bytes]:
    """Return the header and all bytes of an empty segment."""
    draft = Header(**attrs.asdict(plan, recurse=False), versions=_versions())
    room = _power_of_two(len(pack(draft)) + _SLACK)
    content, rows_at, documents_at = _hdf5(plan, draft, room)
    size = len(content) + room  # the copy of the header takes as much
    content = content.ljust(size, b"\0")
    header = attrs.evolve(draft, room=room, rows_at=rows_at, documents_at=documents_at, size=size)
    checksum = 0
    for part in static_parts(header):
        checksum = zlib.crc32(content[part], checksum)
    header = attrs.evolve(header, static_checksum=checksum)
    packed = pack(header).ljust(room, b"\0")
    return header, packed + content[room : size - room] + packed


def static_parts(header: Header) -> Iterator[slice]:
    """Yield the parts of a file that never change, but for the two rooms of the header."""
    data = [
        (header.rows_at, header.rows_at + header.capacity * ROW_SIZE),
        (header.documents_at, header.documents_at + header.documents_size),
    ]
    begin = header.room
    for data_begin, data_end in sorted(data):
        yield slice(begin, data_begin)
        begin = data_end
    yield slice(begin, header.size - header.room)


def _power_of_two(least: int) -> int:
    size = _PAGE
    while size < least:
        size *= 2
    return size


@functools.cache
def _versions() -> dict[str, str]:
    names = ("hypernets", "numpy", "h5py", "keras", "tensorflow")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _hdf5(plan: Plan, draft: Header, block: int) -> tuple[bytes, int, int]:
    """Return the bytes of the HDF5 file, and where its rows and documents begin."""
    import h5py  # takes a tenth of a second, and reading needs none of it

    buffer = io.BytesIO()
    with h5py.File(
        buffer,
        "w",
        libver="earliest",
        userblock_size=block,
        alignment_threshold=_PAGE,
        alignment_interval=_PAGE,
    ) as file:
        rows = _data_set(h5py, file, b"trials", columns_of(plan.objectives), plan.capacity)
        documents = _data_set(h5py, file, b"documents", np.dtype("u1"), plan.documents_size)
        _describe(file, plan, draft)
        file.flush()
        places = (rows.get_offset(), documents.get_offset())
    content = buffer.getvalue()
    end = max(places[0] + plan.capacity * ROW_SIZE, places[1] + plan.documents_size)
    return content.ljust(end, b"\0"), *places


def _data_set(h5py: Any, file: Any, name: bytes, kind: Any, length: int) -> Any:
    """Return a contiguous data set whose bytes are allocated at once, and left as they are."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_layout(h5py.h5d.CONTIGUOUS)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple((length,))
    return h5py.h5d.create(file.id, name, h5py.h5t.py_create(kind, logical=True), space, settings)


def _describe(file: Any, plan: Plan, draft: Header) -> None:
    """Write what a person who opens the file wants to know."""
    file.attrs["schema"] = SCHEMA
    file.attrs["store"] = plan.store
    file.attrs["generation"], file.attrs["segment"] = plan.generation, plan.index
    file.attrs["first_position"] = plan.first
    file.attrs["objectives"] = json.dumps(plan.objectives)
    file.attrs["versions"] = json.dumps(draft.versions)
    identity = plan.identity or {}
    for name in ("space", "searcher", "estimator", "data"):
        if isinstance(identity.get(name), str):
            file.attrs[name] = identity[name][:1000]
    if isinstance(identity.get("seed"), int):
        file.attrs["seed"] = str(identity["seed"])
    if identity:
        file["identity"] = np.bytes_(json.dumps(identity, indent=1).encode("ascii"))
