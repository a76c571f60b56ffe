"""A temporary folder that goes with its process, or, if that is killed, with the next one's."""

import contextlib
import os
import pathlib
import shutil
import tempfile
import weakref

try:
    import fcntl
except ImportError:  # no locks, so nothing tells whether an owner lives: nothing is swept
    fcntl = None  # type: ignore[assignment]

__all__ = ["TemporaryFolder"]

_LOCK = ".in-use"


class TemporaryFolder:
    """A new folder where the system keeps temporary files.

    It is removed when this object is, or at the end of the process. A process that is killed cannot
    remove anything, so whoever makes the next folder removes those that nobody holds any more:
    each has a file that its owner keeps locked, which the system lets go of when a process ends.

    Args:
        prefix: of the name; folders of one prefix are swept together.

    Attributes:
        path: the folder.
    """

    def __init__(self, prefix: str) -> None:
        _sweep(prefix)
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        descriptor = -1
        if fcntl is not None:
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._finalizer = weakref.finalize(self, _remove, self.path, descriptor, os.getpid())


def _remove(path: pathlib.Path, descriptor: int, owner: int) -> None:
    if os.getpid() != owner:  # forked off: the folder stays the parent's
        return
    shutil.rmtree(path, ignore_errors=True)
    if descriptor >= 0:
        os.close(descriptor)


def _sweep(prefix: str) -> None:
    if fcntl is None:
        return
    for path in pathlib.Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # held, or another user's, or gone in the meantime
            descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)
