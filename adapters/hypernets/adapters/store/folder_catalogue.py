"""A catalogue of durable stores: one folder each within a folder of their own."""

import os
import re
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypernets.adapters.store.hdf5 import Hdf5Store
from hypernets.domain.error import StoreError

__all__ = ["FolderCatalogue"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_DISCARDED = ".discarded-"  # what is about to be removed; no name begins with a dot


class FolderCatalogue:
    """Keeps each store in a folder of its name, on disk (see `Hdf5Store`).

    Several processes may use one catalogue side by side: each step that counts is one operation of
    the file system.

    Args:
        folder: of the catalogue; made where there is none.

    Raises:
        StoreError: the folder cannot be used.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: a catalogue must be a folder that can be made and written; "
                f"received {error.strerror or error}; give another folder, or mend its permissions"
            ) from error

    def create(self, name: str) -> Hdf5Store:
        """Return a new, empty store.

        Raises:
            StoreError: the name is taken or cannot be that of a folder, or the store cannot be
                made.
        """
        path = self._path(name)
        try:
            path.mkdir()
        except FileExistsError:
            raise StoreError(
                f"the name of a new store must be new to its catalogue; received {name!r}, which "
                f"is taken in {self.folder}; open it, delete it, or choose another name"
            ) from None
        except OSError as error:
            raise StoreError(
                f"{path}: a store must be a folder that can be made; received "
                f"{error.strerror or error}; mend the permissions of {self.folder}"
            ) from error
        return Hdf5Store(path)

    def open(self, name: str) -> Hdf5Store:
        """Return the store of that name.

        Raises:
            StoreError: there is none, it is written by another process, or it cannot be read.
        """
        return Hdf5Store(self._require(name))

    def names(self) -> Sequence[str]:
        """Return the names of all stores, in alphabetical order."""
        return sorted(p.name for p in self.folder.iterdir() if p.is_dir() and _is_name(p.name))

    def delete(self, name: str) -> None:
        """Remove a store and all that its folder holds.

        Raises:
            StoreError: there is none, another process writes to it, or it cannot be removed.
        """
        path = self._require(name)
        discarded = self.folder / f"{_DISCARDED}{uuid.uuid4().hex}"
        try:
            with Hdf5Store(path):  # nobody writes to it
                path.rename(discarded)
            shutil.rmtree(discarded)
        except OSError as error:
            raise StoreError(
                f"{path}: a store must be a folder that can be removed; received "
                f"{error.strerror or error}; mend its permissions"
            ) from error

    def _require(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_dir():
            there = ", ".join(map(repr, self.names())) or "none"
            raise StoreError(
                f"a store must be in its catalogue; received {name!r}, where there are: {there}; "
                "create it first"
            )
        return path

    def _path(self, name: str) -> Path:
        if not _is_name(name):
            raise StoreError(
                "the name of a store must be one of 1 to 100 letters, digits, '_', '-' and '.' "
                f"that does not begin with '-' or '.'; received {name!r}; choose another name"
            )
        return self.folder / name


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
