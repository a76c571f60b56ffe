"""Limits on what a trial may take of the machine, and how that is seen from outside.

Memory is counted beyond what the trial's process begins with, so that a limit means the same
whatever was imported before.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator

__all__ = ["anonymous_bytes", "memory_limited", "oom_kills", "thread_share"]

_PROC = pathlib.Path("/proc")
_KIB = 1024
_ROOM_BYTES = 2**28  # address space that is reserved and not used: stacks of threads, arenas


def anonymous_bytes(pid: int) -> int | None:
    """Return the memory that a process has to itself, without mapped files; `None` if not told."""
    return _status_bytes(pid, "RssAnon")


def oom_kills() -> int:
    """Return how many processes the kernel of this machine has killed for want of memory."""
    with contextlib.suppress(OSError):
        for line in (_PROC / "vmstat").read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


@contextlib.contextmanager
def memory_limited(limit_bytes: int | None) -> Iterator[None]:
    """Make allocations of this process beyond a limit fail, as a `MemoryError` where Python asks.

    One that grows in small steps is stopped from outside first: the room left here is larger, for
    reserving memory is not using it.

    Args:
        limit_bytes: beyond what the process has now; `None` for no limit.
    """
    now = _status_bytes(os.getpid(), "VmData") if limit_bytes is not None else None
    if now is None or limit_bytes is None:
        yield
        return
    import resource  # not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = now + limit_bytes + _ROOM_BYTES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def thread_share(n_workers: int) -> int:
    """Return how many threads each of so many workers gets of this machine, at least one."""
    count = getattr(os, "sched_getaffinity", None)
    n_cores = len(count(0)) if count is not None else os.cpu_count() or 1
    return max(1, n_cores // n_workers)


def _status_bytes(pid: int, name: str) -> int | None:
    try:
        text = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * _KIB
    return None
