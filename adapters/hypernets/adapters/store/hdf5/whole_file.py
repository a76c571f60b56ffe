"""A file that is there whole, or not at all."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from hypernets.adapters.store.hdf5.disk import Disk
from hypernets.adapters.store.hdf5.layout import temporary_path

__all__ = ["make_whole"]


def make_whole(disk: Disk, path: Path, parts: Iterable[tuple[int, bytes]]) -> int:
    """Make a file under a temporary name, and give it its own when all of it is on the disk.

    A file of that name is replaced at once. When this returns, a power cut cannot undo it.

    Args:
        disk: what writes.
        path: of the file.
        parts: offset and bytes; the first begins at 0 and has the size of the file.

    Returns:
        A descriptor for reading and writing.

    Raises:
        OSError: it cannot be made; nothing is left of it.
    """
    temporary = temporary_path(path)
    descriptor = disk.create(temporary)
    try:
        for offset, content in parts:
            disk.write(descriptor, content, offset)
        disk.sync(descriptor)
        disk.rename(temporary, path)
        disk.sync_folder(path.parent)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            disk.remove(temporary)
        raise
    return descriptor
