"""The state of one unfinished trial in one file, whose last bytes are the digest of the rest.

Layout: a line that names the format, the length of the header (8 bytes, little-endian), the header
(JSON: facts, and name, type and shape of each array), the bytes of the arrays in that order, and
the SHA-256 of all that (32 bytes). Nothing in it is executed when it is read.
"""

import contextlib
import hashlib
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from hypernets.adapters.checkpoint.durable_file import replacing
from hypernets.application.log import EventLog
from hypernets.application.port import SavedState
from hypernets.domain.error import StoreError

__all__ = ["CheckpointFile"]

_FORMAT = b"hypernets checkpoint 1\n"
_DIGEST_SIZE = hashlib.sha256().digest_size
_BLOCK = 2**20

log = EventLog(__name__)


class CheckpointFile:
    """The place for the state of one trial (see `Checkpoint`).

    Args:
        path: of the file; its folder is made when something is saved.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)

    def save(self, state: SavedState) -> None:
        """Keep a state, durably, in place of an earlier one.

        Raises:
            StoreError: it cannot be kept; an earlier one is still there.
        """
        arrays = {name: np.asarray(array) for name, array in state.arrays.items()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.path) as file:
                _write(file, state, arrays)
        except OSError as error:
            raise StoreError(
                f"a checkpoint must be written to its folder; received {self.path} ({error}); make "
                "room there, or let the search keep none"
            ) from error

    def load(self) -> SavedState | None:
        """Return the state that was saved; `None` where there is none, or it is damaged.

        A damaged file is removed, with a warning in the log.
        """
        try:
            with self.path.open("rb") as file:
                return _read(file)
        except FileNotFoundError:
            return None
        except (OSError, _DamagedError) as error:
            log.warning("checkpoint ignored", path=str(self.path), why=str(error))
            self.discard()
            return None

    def discard(self) -> None:
        """Remove the file; nothing where there is none."""
        # one that stays is recognised as of no use when it is met again
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def __repr__(self) -> str:
        return f"CheckpointFile({str(self.path)!r})"


class _DamagedError(Exception):
    """What a file holds is not what was written."""


def _write(file: BinaryIO, state: SavedState, arrays: dict[str, Any]) -> None:
    header = json.dumps(
        {
            "facts": dict(state.facts),
            "arrays": [[name, a.dtype.name, list(a.shape)] for name, a in arrays.items()],
        }
    ).encode()
    digest = hashlib.sha256()
    for part in (_FORMAT, len(header).to_bytes(8, "little"), header, *map(_bytes, arrays.values())):
        file.write(part)
        digest.update(part)
    file.write(digest.digest())


def _bytes(array: Any) -> Any:
    # types that numpy does not know itself, bfloat16 say, are no buffers; bytes always are
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _read(file: BinaryIO) -> SavedState:
    content_size = os.fstat(file.fileno()).st_size - _DIGEST_SIZE
    digest = hashlib.sha256()
    for block in _blocks(file, content_size):
        digest.update(block)
    if content_size < len(_FORMAT) + 8 or file.read() != digest.digest():
        raise _DamagedError("its digest is not that of its content")
    file.seek(0)
    if file.read(len(_FORMAT)) != _FORMAT:
        raise _DamagedError("it is of a format that this version does not know")
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    arrays = {name: _array(file, dtype, shape) for name, dtype, shape in header["arrays"]}
    return SavedState(header["facts"], arrays)


def _array(file: BinaryIO, dtype: str, shape: list[int]) -> Any:
    array = np.empty(shape, np.dtype(dtype))
    content = file.read(array.nbytes)
    return np.frombuffer(content, np.uint8).view(array.dtype).reshape(shape).copy()


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        size -= len(block)
        yield block
