"""The folder in which an executor keeps what it hands to its processes; it goes with them."""

import os
import pathlib
import shutil
import tempfile

__all__ = ["Scratch", "remove_scratch"]

_PREFIX = "hypernets-trials-"


class Scratch:
    """A new folder under `parent`, or where the system keeps temporary files.

    Attributes:
        path: the folder.
    """

    def __init__(self, parent: pathlib.Path | None = None) -> None:
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._owner = os.getpid()

    def file(self, name: str) -> pathlib.Path:
        """Return the path of a file in it."""
        return self.path / name

    def write(self, name: str, content: bytes) -> pathlib.Path:
        """Write a file at once and return its path; one that is there is replaced."""
        path, unfinished = self.file(name), self.file(f"{name}.tmp")
        unfinished.write_bytes(content)
        unfinished.replace(path)
        return path

    def remove(self) -> None:
        """Remove it with all that is in it; nothing in a process that was forked off its owner."""
        if os.getpid() == self._owner:
            remove_scratch(self.path)


def remove_scratch(path: pathlib.Path) -> None:
    """Remove a folder that was made here, as far as it is still there."""
    if path.name.startswith(_PREFIX):
        shutil.rmtree(path, ignore_errors=True)
