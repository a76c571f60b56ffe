"""Where histories are kept, whatever the kind: a folder, or a database of many searches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from hypernets.adapters.store import hdf5
from hypernets.adapters.store.folder_catalogue import FolderCatalogue
from hypernets.adapters.store.hdf5.layout import LOCK, segments
from hypernets.adapters.store.report import StoreReport
from hypernets.domain.error import StoreError

__all__ = ["Home", "home_of"]

_PREFIX = "sqlite:"
_SUFFIXES = (".db", ".sqlite", ".sqlite3")


class Home(Protocol):
    """What one can do to a place where histories are kept.

    `search` is the name of one of several; where it is `None`, the only one is meant.
    """

    def names(self) -> Sequence[str]:
        """Return the names of the searches, where several may be."""

    def read(self, search: str | None) -> Any:
        """Return a store, open for reading."""

    def verify(self, search: str | None) -> StoreReport:
        """Return what there is to say about the files."""

    def repair(self, search: str | None) -> StoreReport:
        """Keep what is intact."""

    def compact(self, search: str | None) -> None:
        """Give back the room that is not needed."""


def home_of(place: str) -> Home:
    """Return where stores are: a database for the URL, the file or the name of one, else a folder.

    Raises:
        StoreError: it is a database, and what reads it is not installed.
    """
    path = Path(place)
    is_file = path.is_file() or (not path.exists() and path.suffix in _SUFFIXES)
    return _Database(place) if is_file or place.startswith(_PREFIX) else _Folder(path)


class _Folder:
    """A store in a folder, or a folder of such."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> Sequence[str]:
        if not self._path.is_dir():
            raise StoreError(
                f"{self._path}: stores must be in a folder or a database that exists; received a "
                "path where neither is; give another path"
            )
        names = FolderCatalogue(self._path).names()
        return [name for name in names if _is_store(self._path / name)]

    def read(self, search: str | None) -> Any:
        return hdf5.Hdf5Store(self._of(search), "r")

    def verify(self, search: str | None) -> StoreReport:
        return hdf5.verify(self._of(search))

    def repair(self, search: str | None) -> StoreReport:
        return hdf5.repair(self._of(search))

    def compact(self, search: str | None) -> None:
        with hdf5.Hdf5Store(self._of(search)) as store:
            store.compact()

    def _of(self, search: str | None) -> Path:
        if search is not None:
            return self._path / search
        if _is_store(self._path) or not self._path.is_dir() or not self.names():
            return self._path
        return self._path / _only(self.names(), self._path)


class _Database:
    """Stores in a database, which is verified and repaired as a whole."""

    def __init__(self, url_or_path: str) -> None:
        try:
            from hypernets.adapters.store import sql  # an extra
        except ImportError as error:
            raise StoreError(
                "a database must be read with SQLAlchemy, which is not installed; received "
                f"{url_or_path}; install it with `pip install 'hypernets[sql]'`"
            ) from error
        self._sql = sql
        self._place = url_or_path

    def names(self) -> Sequence[str]:
        return self._sql.names(self._place)

    def read(self, search: str | None) -> Any:
        name = _only(self.names(), self._place) if search is None else search
        return self._sql.SqlStore(self._place, name, "r")

    def verify(self, search: str | None) -> StoreReport:
        return self._sql.verify(self._place)

    def repair(self, search: str | None) -> StoreReport:
        return self._sql.repair(self._place)

    def compact(self, search: str | None) -> None:
        self._sql.compact(self._place)


def _is_store(folder: Path) -> bool:
    return folder.is_dir() and ((folder / LOCK).exists() or bool(segments(folder)))


def _only(names: Sequence[str], place: object) -> str:
    if len(names) != 1:
        there = ", ".join(map(repr, names)) or "none"
        raise StoreError(
            f"{place}: it must be clear which search is meant; received no name, where there are: "
            f"{there}; name one with --search"
        )
    return names[0]
