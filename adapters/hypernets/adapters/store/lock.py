"""One writer at a time: a lock that the system lets go of when its holder dies, however it dies.

The lock is `flock` on a file that names the holder. The name is for people; what counts is the
lock. A process that is forked from the holder does not inherit it.
"""

import contextlib
import datetime
import errno
import json
import os
import socket
import sys
import weakref
from pathlib import Path
from typing import Any

import attrs

from hypernets.domain.error import StoreError, StoreLockedError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Holder", "WriterLock"]

_HELD_BY_ANOTHER = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


@attrs.frozen
class Holder:
    """Who holds a lock.

    Attributes:
        host: name of the machine.
        pid: of the process.
        started: when the process started, in the units of the system; `None` where it does not say.
        since: when it took the lock, in UTC.
        command: what the process runs.
    """

    host: str
    pid: int
    started: int | None
    since: str
    command: str

    @classmethod
    def this_process(cls) -> "Holder":
        """Return this process as the holder."""
        return cls(
            host=socket.gethostname(),
            pid=os.getpid(),
            started=_start_of(os.getpid()),
            since=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            command=" ".join(sys.argv)[:200],
        )

    @property
    def is_dead(self) -> bool:
        """Whether the process is gone, as far as this machine can tell."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return self.started is not None and _start_of(self.pid) != self.started

    def __str__(self) -> str:
        """Return who it is, for a message."""
        command = f", running {self.command!r}" if self.command else ""
        return f"process {self.pid} on {self.host} since {self.since}{command}"


def _start_of(pid: int) -> int | None:
    """Return when a process started, in ticks since the machine did (Linux)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(stat.rpartition(")")[2].split()[19])  # a command may hold spaces and brackets
    return None


class WriterLock:
    """The lock of a store, held until it is closed or the process dies.

    Args:
        path: of the file that is locked, beside what the store writes.
        where: what the store calls itself, for messages; the folder of the file when absent.
        shared: whether others may hold it as well, who share it too; their names are not known.

    Raises:
        StoreLockedError: another writer holds it.
        OSError: the file cannot be made or locked.
    """

    def __init__(self, path: Path, where: str | None = None, *, shared: bool = False) -> None:
        self._path = path
        self._shared = shared
        self._where = where or str(path.parent)
        if fcntl is None:
            raise StoreError(
                f"{self._where}: writing to a store needs POSIX locks; received {sys.platform}; "
                "keep the history in a store of another kind, or run under Linux, macOS or WSL"
            )
        self._descriptor = self._acquired()
        _held.add(self)

    def close(self) -> None:
        """Let the next writer in."""
        _held.discard(self)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _acquired(self) -> int:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                self._lock(descriptor)
                if self._is_the_file(descriptor):
                    _write_holder(descriptor, None if self._shared else Holder.this_process())
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # someone removed it in the meantime: the lock is another file

    def _lock(self, descriptor: int) -> None:
        try:
            kind = fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _HELD_BY_ANOTHER:
                raise
            raise self._locked(_read_holder(descriptor)) from None

    def _is_the_file(self, descriptor: int) -> bool:
        mine = os.fstat(descriptor)
        with contextlib.suppress(FileNotFoundError):
            there = self._path.stat()
            return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)
        return False

    def _locked(self, holder: Holder | None) -> StoreLockedError:
        what_to_do = "wait until it ends, end it, or give the search a store of its own"
        if holder is not None and holder.is_dead:
            what_to_do = (
                "that process is dead, but one that it left behind keeps the lock: end that, or "
                f"remove {self._path} if you know that nobody writes"
            )
        return StoreLockedError(
            f"{self._where}: a store must have one writer at a time; received a second one "
            f"while {holder or 'another process'} writes; {what_to_do}; to read it only, open it "
            'with mode="r"'
        )


def _write_holder(descriptor: int, holder: Holder | None) -> None:
    text = json.dumps(attrs.asdict(holder), indent=1).encode("ascii") if holder else b""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)


def _read_holder(descriptor: int) -> Holder | None:
    try:
        facts: Any = json.loads(os.pread(descriptor, 10_000, 0))
        return Holder(**facts)
    except (OSError, ValueError, TypeError):
        return None  # it has the lock, and has not yet written its name


_held: weakref.WeakSet[WriterLock] = weakref.WeakSet()


def _let_go_in_child() -> None:
    """Close the descriptors in a forked process, which would keep the lock alive."""
    for lock in list(_held):
        lock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)
