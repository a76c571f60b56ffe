"""The row of one trial: fixed columns that anyone can plot, under a checksum.

A row repeats what is good to plot; the whole trial stands in its document, whose place and checksum
the row holds. So a row that passes vouches for its document too.
"""

import contextlib
import math
import struct
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hypernets.domain.history import Trial

__all__ = ["COLUMNS", "N_OBJECTIVES", "ROW_SIZE", "Row", "columns_of", "pack", "read_rows"]

N_OBJECTIVES = 8
"""How many objectives have a column."""

ROW_SIZE = 256
"""In bytes; a page of the file system holds whole rows, so that none is torn between two."""

_FORMAT = struct.Struct(f"<IIIi7q2d{N_OBJECTIVES}d16s64s")

COLUMNS: tuple[tuple[str, str, int], ...] = (
    ("checksum", "<u4", 0),
    ("document_checksum", "<u4", 4),
    ("document_length", "<u4", 8),
    ("replicate", "<i4", 12),
    ("position", "<i8", 16),
    ("document_offset", "<i8", 24),
    ("number", "<i8", 32),
    ("seed", "<i8", 40),
    ("asked_after", "<i8", 48),
    ("parent", "<i8", 56),
    ("answered_by", "<i8", 64),
    ("elapsed_s", "<f8", 72),
    ("reward", "<f8", 80),
    ("state", "S16", 152),
    ("signature", "S64", 168),
)
"""Name, type and offset of every column but those of the objectives, which stand from byte 88."""

_OBJECTIVES_AT = 88
_INTEGERS = (-(2**63), 2**63 - 1)
_PLACE = struct.Struct("<III4x3q")  # the first columns, to `number`


class Row(NamedTuple):
    """What a valid row says about where things are.

    Attributes:
        slot: place among the rows of its segment, from 0.
        number: of the trial.
        offset: of its document, from the beginning of the documents.
        length: of its document, in bytes.
        checksum: of its document.
    """

    slot: int
    number: int
    offset: int
    length: int
    checksum: int


def columns_of(objectives: Sequence[str]) -> np.dtype[Any]:
    """Return the type of a row as HDF5 shows it, with a column for each of these objectives."""
    names = [name for name, _, _ in COLUMNS]
    kinds = [kind for _, kind, _ in COLUMNS]
    offsets = [offset for _, _, offset in COLUMNS]
    for i, objective in enumerate(objectives[:N_OBJECTIVES]):
        names.append(_column_name(objective, i, names))
        kinds.append("<f8")
        offsets.append(_OBJECTIVES_AT + 8 * i)
    return np.dtype({"names": names, "formats": kinds, "offsets": offsets, "itemsize": ROW_SIZE})


def _column_name(objective: str, index: int, taken: Sequence[str]) -> str:
    usable = objective.isprintable() and objective and objective.isascii()
    name = objective if usable else f"objective.{index}"
    return f"objective.{index}.{name}" if name in taken else name


def pack(
    trial: Trial, position: int, document: bytes, offset: int, objectives: Sequence[str]
) -> bytes:
    """Return the row of a trial.

    Args:
        trial: whose row it is.
        position: number of trials that are stored before it, in all segments.
        document: the trial in full.
        offset: of the document, from the beginning of the documents of its segment.
        objectives: names of those that have a column.
    """
    values = [_float(trial.objectives.get(name)) for name in objectives[:N_OBJECTIVES]]
    values += [math.nan] * (N_OBJECTIVES - len(values))
    row = _FORMAT.pack(
        0,
        zlib.crc32(document),
        len(document),
        _integer(trial.replicate, -(2**31), 2**31 - 1),
        position,
        offset,
        trial.number,
        _integer(-1 if trial.seed is None else trial.seed),
        _integer(trial.asked_after),
        _integer(trial.parent or 0),
        _integer(trial.answered_by or 0),
        _float(trial.elapsed_s),
        _float(trial.reward),
        *values,
        trial.state.value.encode(),
        trial.signature.encode("ascii", "replace"),
    ).ljust(ROW_SIZE, b"\0")
    return struct.pack("<I", zlib.crc32(row[4:])) + row[4:]


def _integer(value: int, low: int = _INTEGERS[0], high: int = _INTEGERS[1]) -> int:
    return min(max(int(value), low), high)  # the document has it exactly


def _float(value: Any) -> float:
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        return float(value)
    return math.nan


def read_rows(content: bytes, first_slot: int, first_position: int) -> tuple[list[Row], list[int]]:
    """Return the rows that pass their checksum, and the slots that are neither empty nor pass.

    Args:
        content: whole rows, one after the other.
        first_slot: place of the first of them among the rows of the segment.
        first_position: number of trials that are stored before the first row of the segment.
    """
    used = np.flatnonzero(np.frombuffer(content, np.uint64).reshape(-1, ROW_SIZE // 8).any(axis=1))
    view = memoryview(content)
    valid: list[Row] = []
    damaged: list[int] = []
    for i in used.tolist():
        at, slot = i * ROW_SIZE, first_slot + i
        checksum, of_document, length, position, offset, number = _PLACE.unpack_from(view, at)
        if (
            checksum == zlib.crc32(view[at + 4 : at + ROW_SIZE])
            and position == first_position + slot
        ):
            valid.append(Row(slot, number, offset, length, of_document))
        else:
            damaged.append(slot)
    return valid, damaged
