"""Reading IDX files, the format that MNIST is published in.

Source: LeCun, Cortes & Burges, "The MNIST database of handwritten digits", file formats: two zero
bytes, the type of the numbers, the count of dimensions, the size of each as a big-endian 32-bit
integer, then the numbers, big-endian, in C order.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hypernets.adapters.dataset.error import DatasetError

__all__ = ["IDX_PARTS", "find_idx_files", "read_idx"]

IDX_PARTS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The four files of a data set: images and labels, to train and to test with."""

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: Path) -> npt.NDArray[np.generic]:
    """Return the array in an IDX file, compressed or not; read-only.

    Raises:
        DatasetError: the file cannot be read, or is no whole IDX file.
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        raise DatasetError(
            f"an IDX file must begin with 0, 0 and a known type; received {content[:4].hex(' ')!r} "
            f"in {path}; give an IDX file, compressed with gzip or not"
        )
    dtype, dimensions = np.dtype(_TYPES[content[2]]), content[3]
    offset = 4 + 4 * dimensions
    if len(content) < offset:
        raise _incomplete(path, offset, len(content))
    shape = struct.unpack(f">{dimensions}I", content[4:offset])
    expected = offset + dtype.itemsize * math.prod(shape)
    if len(content) != expected:
        raise _incomplete(path, expected, len(content))
    return np.frombuffer(content, dtype, offset=offset).reshape(shape)


def find_idx_files(folder: Path) -> dict[str, Path]:
    """Return which of `IDX_PARTS` a folder holds, and where; the uncompressed file first.

    A name with a dot before `idx`, as some distributions write it, is found too.
    """
    found: dict[str, Path] = {}
    for part in IDX_PARTS:
        dotted = part.replace("-idx", ".idx")
        names = [part, f"{part}.gz", dotted, f"{dotted}.gz"]
        present = [folder / name for name in names if (folder / name).is_file()]
        if present:
            found[part] = present[0]
    return found


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(
            f"a data file must be readable; {path} is not: {error}; "
            "check that it is there, may be read and is complete"
        ) from error


def _incomplete(path: Path, expected: int, received: int) -> DatasetError:
    return DatasetError(
        f"an IDX file must be as long as its header says, {expected} bytes; received {received} "
        f"in {path}; get the file again"
    )
