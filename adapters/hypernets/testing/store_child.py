"""A process that appends trials to a store and has an accident: `python -m …`, see `Nursery`.

Kills happen at the boundaries of calls that may write: of functions in C that belong to the system,
to files, to SQLite, or to a package that is not of the standard library. A full disk is twofold:
Python's writing functions say that there is no room, or the system refuses to let any file grow,
which holds for libraries in C as well.
"""

import base64
import contextlib
import ctypes
import errno
import json
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from hypernets.domain.error import StoreError
from hypernets.testing.example import numbered_trial

__all__ = ["FAULTS", "main"]

_say_bytes = os.write  # kept from the faults
_WRITES = ("write", "pwrite")
_INNOCENT = frozenset({"hypernets", "numpy", "attr"})
_READS = frozenset(
    {"fspath", "stat", "lstat", "listdir", "scandir", "getpid", "waitpid", "fetchone", "fetchall"}
    | {"read", "readline", "readlines", "getvalue", "get", "items", "keys", "values"}
)
_SYSTEM = frozenset({"posix", "_io", "sqlite3", "_sqlite3", "mmap", "shutil"})


def main() -> None:
    """Fork a child for each line of the input, after the first, which is the suite."""
    suite = pickle.loads(base64.b64decode(sys.stdin.readline()))  # noqa: S301 - from the parent
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(suite(), json.loads(line))
        _say(f"pid {pid}")
        os.waitpid(pid, 0)
        _say(f"dead {pid}")


def _live(suite: Any, command: Mapping[str, Any]) -> None:
    """Append trials under a fault, then end."""
    try:
        with FAULTS[command["fault"]](command) as worsen:
            _append(suite, command, worsen)
        _say("end")
    except StoreError:
        _say("refused to open")
        _say("end")
    except BaseException as error:
        _say(f"error {error!r}".replace("\n", " "))
    os._exit(0)


def _append(suite: Any, command: Mapping[str, Any], worsen: Callable[[int], None]) -> None:
    store = suite.open(Path(command["folder"]))
    first, n = command["first"], command["n"]
    for number in range(first, first + n):
        worsen(number - first)
        _say(f"begin {number}")
        try:
            store.append(numbered_trial(number))
        except StoreError:
            _say(f"refused {number}")
        else:
            _say(f"kept {number}")
    suite.close(store)


def _say(text: str) -> None:
    with _unwatched():
        _say_bytes(1, (text + "\n").encode())


@contextmanager
def _unwatched() -> Iterator[None]:
    watcher = sys.getprofile()
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.setprofile(watcher)


# --- faults: contexts that give a function to be called before each append ------


@contextmanager
def _killed(command: Mapping[str, Any]) -> Iterator[Callable[[int], None]]:
    """Die at a boundary; where none is asked for, count them."""
    n_passed = n_opening = 0

    def worsen(n: int) -> None:
        nonlocal n_opening
        n_opening = n_opening or n_passed

    def watch(frame: FrameType, event: str, function: Any) -> None:
        nonlocal n_passed
        if event in ("c_call", "c_return") and _may_write(function):
            n_passed += 1
            if n_passed == command["at"]:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    try:
        yield worsen
    finally:
        sys.setprofile(None)
    _say(f"boundaries {n_opening} {n_passed}")


def _may_write(function: Any) -> bool:
    owner = getattr(function, "__module__", None) or type(function.__self__).__module__
    top = str(owner).partition(".")[0]
    if top in _INNOCENT or function.__name__ in _READS:
        return False
    return top in _SYSTEM or top not in sys.stdlib_module_names


@contextmanager
def _torn(command: Mapping[str, Any]) -> Iterator[Callable[[int], None]]:
    """Die in the middle of a write."""
    n_written = 0

    def spoil(write: Callable[..., int], descriptor: int, content: Any, *offset: int) -> int:
        nonlocal n_written
        n_written += 1
        if n_written == command["at"]:
            write(descriptor, bytes(content)[: len(content) // 2], *offset)
            os.kill(os.getpid(), signal.SIGKILL)
        return write(descriptor, content, *offset)

    with _spoilt(spoil):
        yield lambda n: None


@contextmanager
def _short(command: Mapping[str, Any]) -> Iterator[Callable[[int], None]]:
    """Take less than is given, at each write."""

    def spoil(write: Callable[..., int], descriptor: int, content: Any, *offset: int) -> int:
        return write(descriptor, bytes(content)[: max(1, len(content) // 2)], *offset)

    with _spoilt(spoil):
        yield lambda n: None


@contextmanager
def _no_room(command: Mapping[str, Any]) -> Iterator[Callable[[int], None]]:
    """Have room, then none, then room again: each for a third of the trials."""
    is_full = False

    def worsen(n: int) -> None:
        nonlocal is_full
        is_full = command["n"] // 3 <= n < command["n"] * 2 // 3

    def spoil(write: Callable[..., int], descriptor: int, content: Any, *offset: int) -> int:
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content, *offset)

    with _spoilt(spoil):
        yield worsen


@contextmanager
def _no_growth(command: Mapping[str, Any]) -> Iterator[Callable[[int], None]]:
    """Let no file grow during a third of the trials."""
    import resource  # POSIX

    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    def worsen(n: int) -> None:
        if n == command["n"] // 3:
            sizes = [path.stat().st_size for path in Path(command["folder"]).rglob("*")]
            resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes, default=0) + 100, unlimited[1]))
        elif n == command["n"] * 2 // 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    yield worsen


@contextmanager
def _read_only(command: Mapping[str, Any]) -> Iterator[Callable[[int], None]]:
    """Take away the permission to write, of the folder and of all that it holds."""
    _be_no_superuser()
    folder = Path(command["folder"])
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in reversed(paths):
        path.chmod(modes[path] & ~0o222)
    try:
        yield lambda n: None
    finally:
        for path, mode in modes.items():
            with contextlib.suppress(FileNotFoundError):
                path.chmod(mode)


def _be_no_superuser() -> None:
    """Give up the right to write in spite of permissions (Linux), where one has it."""
    if os.geteuid() != 0:
        return
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    rights = (ctypes.c_uint32 * 6)()  # none
    rights[0] = rights[1] = 1 << 3  # but to change modes (CAP_FOWNER)
    if ctypes.CDLL(None, use_errno=True).capset(header, rights) != 0:
        raise OSError(ctypes.get_errno(), "a superuser must give up its rights for this test")


@contextmanager
def _spoilt(spoil: Callable[..., int]) -> Iterator[None]:
    """Put a function between the program and those of `os` that write."""
    kept = {name: getattr(os, name) for name in _WRITES}
    for name, write in kept.items():
        setattr(os, name, _Spoilt(spoil, write))
    try:
        yield
    finally:
        for name, write in kept.items():
            setattr(os, name, write)


class _Spoilt:
    def __init__(self, spoil: Callable[..., int], write: Callable[..., int]) -> None:
        self._spoil, self._write = spoil, write

    def __call__(self, *arguments: Any) -> int:
        return self._spoil(self._write, *arguments)


FAULTS: Mapping[str, Callable[..., Any]] = {
    "none": _killed,
    "kill": _killed,
    "torn": _torn,
    "short": _short,
    "no_room": _no_room,
    "no_growth": _no_growth,
    "read_only": _read_only,
}
"""Name → what happens to the process."""


if __name__ == "__main__":
    main()
