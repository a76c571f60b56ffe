"""What a trial leaves beside its numbers, such as weights: a file, its digest, its owner.

A trial writes it under a temporary name, forces it to the disk and renames it, all before it hands
its result in. So a file that a result speaks of is complete.
"""

import hashlib
import os
import pathlib
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hypernets.domain.error import TrainingError

__all__ = ["ArtifactFile", "save_arrays", "write_artifact"]

_BLOCK = 2**20


class ArtifactFile:
    """A file that a trial has left. It is removed when nobody holds this object any more.

    Attributes:
        path: where it is.
        sha256: digest of its content, in hexadecimal.
        n_bytes: its size.
    """

    def __init__(self, path: pathlib.Path, sha256: str, n_bytes: int) -> None:
        self.path = path
        self.sha256 = sha256
        self.n_bytes = n_bytes
        self._finalizer = weakref.finalize(self, _unlink, path, os.getpid())

    def move_to(self, path: pathlib.Path) -> None:
        """Move it, in one step on one file system; it stays there."""
        path = pathlib.Path(path)
        try:
            self.path.replace(path)
        except OSError:  # another file system
            unfinished = path.with_name(f"{path.name}.tmp")
            _copy(self.path, unfinished)
            unfinished.replace(path)
            self.path.unlink()
        self._finalizer.detach()
        self.path = path

    def arrays(self) -> list[Any]:
        """Return the arrays of a list of arrays, in order; nothing in the file is executed."""
        with np.load(self.path, allow_pickle=False) as stored:
            return [stored[f"arr_{index}"] for index in range(len(stored.files))]

    def is_intact(self) -> bool:
        """Say whether the content is still what the trial has written."""
        return self.path.exists() and _digest(self.path) == self.sha256

    def __repr__(self) -> str:
        return f"ArtifactFile({str(self.path)!r}, {self.n_bytes} bytes)"


def write_artifact(estimator: Any, artifact: Any, path: pathlib.Path) -> dict[str, Any]:
    """Write the artifact of a measurement, durably, and return what the result says of it.

    An estimator that has `save_artifact(artifact, path)` writes it; else it must be arrays.

    Raises:
        TrainingError: it is neither.
    """
    unfinished = path.with_name(f"{path.name}.tmp")
    save = getattr(estimator, "save_artifact", save_arrays)
    save(artifact, unfinished)
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)
    return {"path": str(path), "sha256": _digest(path), "n_bytes": path.stat().st_size}


def save_arrays(artifact: Any, path: pathlib.Path) -> None:
    """Write a list of arrays, or a mapping of names to arrays, as numpy's `.npz`.

    Raises:
        TrainingError: it is neither.
    """
    if not isinstance(artifact, (Mapping, Sequence)):
        raise _no_arrays(artifact)
    values = artifact.values() if isinstance(artifact, Mapping) else artifact
    arrays = [np.asarray(value) for value in values]
    if any(array.dtype.hasobject for array in arrays):
        raise _no_arrays(artifact)
    with path.open("wb") as file:
        if isinstance(artifact, Mapping):
            named: dict[str, Any] = dict(zip(map(str, artifact), arrays, strict=True))
            np.savez(file, **named)
        else:
            np.savez(file, *arrays)


def _no_arrays(artifact: Any) -> TrainingError:
    return TrainingError(
        "an artifact must be a list of arrays, or a mapping of names to arrays, to be handed over "
        f"as a file; received {type(artifact).__name__}; give the estimator a method "
        "save_artifact(artifact, path) that writes it"
    )


def _digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    with source.open("rb") as read, target.open("wb") as write:
        while block := read.read(_BLOCK):
            write.write(block)
        write.flush()
        os.fsync(write.fileno())


def _unlink(path: pathlib.Path, owner: int) -> None:
    if os.getpid() == owner:
        path.unlink(missing_ok=True)
