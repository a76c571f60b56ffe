"""The few system calls that write, in one place, so that tests can count, cut and break them."""

import os
from pathlib import Path
from typing import Protocol

__all__ = ["Disk", "SystemDisk"]


class Disk(Protocol):
    """What a store does to a disk. Every method raises `OSError` where the system does."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder, and those above it, durably; nothing where it is there."""

    def open(self, path: Path) -> int:
        """Return a descriptor for reading and writing a file that exists."""

    def create(self, path: Path) -> int:
        """Return a descriptor for reading and writing a new, empty file."""

    def write(self, descriptor: int, content: bytes, offset: int) -> None:
        """Write all of some bytes at an offset."""

    def sync(self, descriptor: int) -> None:
        """Return when the content of a file is on the disk."""

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of any file of that name, at once."""

    def remove(self, path: Path) -> None:
        """Remove a file; nothing where it is gone."""

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in a folder are on the disk."""


class SystemDisk:
    """The disk of the machine (POSIX)."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder, and those above it, durably; nothing where it is there."""
        if folder.is_dir():
            return
        self.make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        self.sync_folder(folder.parent)

    def open(self, path: Path) -> int:
        """Return a descriptor for reading and writing a file that exists."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def create(self, path: Path) -> int:
        """Return a descriptor for reading and writing a new, empty file."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)

    def write(self, descriptor: int, content: bytes, offset: int) -> None:
        """Write all of some bytes at an offset."""
        done = os.pwrite(descriptor, content, offset)
        while done < len(content):  # the system may take less than it is given
            done += os.pwrite(descriptor, memoryview(content)[done:], offset + done)

    def sync(self, descriptor: int) -> None:
        """Return when the content of a file is on the disk."""
        _sync_content(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of any file of that name, at once."""
        os.replace(source, target)

    def remove(self, path: Path) -> None:
        """Remove a file; nothing where it is gone."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in a folder are on the disk."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_sync_content = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync
