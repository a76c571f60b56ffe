"""The process that trials are forked off: it has imported what they need, and does nothing else.

It stays single-threaded: it imports, and never runs an operation of a framework nor a line of the
user's. It watches each child from outside, ends what is left of it, and goes when the coordinator
goes, by whatever death, with every child and the folder of the executor.

Run as `python -P -m hypernets.adapters.process.zygote CONTROL SCRATCH PARENT MODULE...`.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pathlib
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import attrs

from hypernets.adapters.process.child import TRACE_SIGNAL, read_header, run_trial
from hypernets.adapters.process.limit import anonymous_bytes, oom_kills
from hypernets.adapters.process.scratch import remove_scratch

__all__ = ["main", "preload"]

_MESSAGE_BYTES = 2**16
_LOOK_S = 0.1  # between two looks at the memory of the children
_PARENT_S = 1.0  # between two looks at whether the coordinator lives
_TRACE_S = 1.0  # given to a child to say where it is before it is killed
_PDEATHSIG = 1
_SUBREAPER = 36
_OOM_SCORE = "500"  # the kernel takes a trial before it takes the coordinator


@attrs.define
class _Child:
    ticket: int
    pidfd: int
    memory_limit: int | None
    memory_before: int
    oom_kills_before: int
    kill_at_s: float | None = None
    reason: str | None = None


def preload(modules: Sequence[str]) -> None:
    """Import modules for all that is to be forked; one that is not there is left out."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:  # it is not needed here: a trial that needs it will say so
            traceback.print_exc()
    gc.collect()
    gc.freeze()  # what is there is for good: collecting would copy its pages into every child


class _Zygote:
    def __init__(self, control: socket.socket, scratch: pathlib.Path, parent: int) -> None:
        self._control = control
        self._scratch = scratch
        self._parent = parent
        self._children: dict[int, _Child] = {}
        self._pid = os.getpid()

    def serve(self) -> None:
        """Fork and watch until the coordinator has gone."""
        _prctl(_SUBREAPER, 1)
        self._tell({"kind": "ready"})
        try:
            while self._attend():
                self._look()
        except ConnectionError:
            pass  # the coordinator has gone
        finally:
            self._end_all()
            remove_scratch(self._scratch)

    def _attend(self) -> bool:
        """Wait for what happens next and see to it; return whether the coordinator is there."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        for child in self._children.values():
            poll.register(child.pidfd, select.POLLIN)
        ready = {number for number, _ in poll.poll(self._patience_s() * 1_000)}
        if self._control.fileno() in ready and not self._obey():
            return False
        for pid in [pid for pid, child in self._children.items() if child.pidfd in ready]:
            self._bury(pid)
        return os.getppid() == self._parent

    def _patience_s(self) -> float:
        now = time.monotonic()
        waits = [child.kill_at_s - now for child in self._children.values() if child.kill_at_s]
        if any(child.memory_limit is not None for child in self._children.values()):
            waits.append(_LOOK_S)
        return max(0.0, min([_PARENT_S, *waits]))

    # --- what the coordinator wants ---------------------------------------------

    def _obey(self) -> bool:
        message, handed, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 1)
        if not message:
            return False
        order = json.loads(message)
        if order["kind"] == "fork":
            self._fork(order, socket.socket(fileno=handed[0]))
        else:
            self._kill(order["ticket"], order["trace"])
        return True

    def _fork(self, order: dict[str, Any], channel: socket.socket) -> None:
        n_threads = len(os.listdir("/proc/self/task"))
        if n_threads > 1:
            # a lock that another thread holds would be held in the child for ever
            channel.close()
            self._tell({"kind": "refused", "ticket": order["ticket"], "n_threads": n_threads})
            return
        oom_before = oom_kills()
        pid = os.fork()
        if not pid:
            self._become_child(order["header"], channel)
        channel.close()
        with contextlib.suppress(OSError):  # the child has done so itself, and gone on
            os.setpgid(pid, pid)
        limit = order["memory_limit_bytes"]
        before = 0 if limit is None else anonymous_bytes(os.getpid()) or 0
        pidfd = os.pidfd_open(pid)
        self._children[pid] = _Child(order["ticket"], pidfd, limit, before, oom_before)
        self._tell({"kind": "forked", "ticket": order["ticket"], "pid": pid})

    def _kill(self, ticket: int, trace: bool) -> None:
        for pid, child in self._children.items():
            if child.ticket == ticket and trace:
                os.kill(pid, TRACE_SIGNAL)
                child.kill_at_s = time.monotonic() + _TRACE_S
            elif child.ticket == ticket:
                _kill_group(pid)

    # --- the children -------------------------------------------------------------

    def _look(self) -> None:
        now = time.monotonic()
        for pid, child in self._children.items():
            if child.kill_at_s is not None and now >= child.kill_at_s:
                child.kill_at_s = None
                _kill_group(pid)
            if child.memory_limit is None or child.reason is not None:
                continue
            has = anonymous_bytes(pid)
            if has is not None and has - child.memory_before > child.memory_limit:
                child.reason = "memory"
                _kill_group(pid)

    def _bury(self, pid: int) -> None:
        """End what a child has left, and tell how it ended."""
        child = self._children.pop(pid)
        _kill_group(pid)  # while the number is taken: once reaped, it may be another's
        _, status = os.waitpid(pid, 0)
        os.close(child.pidfd)
        if not self._children:
            self._end_orphans()
        message = {
            "kind": "ended",
            "ticket": child.ticket,
            "status": os.waitstatus_to_exitcode(status),
            "reason": child.reason,
            "oom": oom_kills() > child.oom_kills_before,
        }
        self._tell(message)

    def _end_all(self) -> None:
        for pid in self._children:
            _kill_group(pid)
        for pid in self._children:
            os.waitpid(pid, 0)
        self._end_orphans()

    def _end_orphans(self) -> None:
        """End processes that have left the group of their trial; they are children here then."""
        path = pathlib.Path(f"/proc/{self._pid}/task/{self._pid}/children")
        while path.exists():
            orphans = [int(pid) for pid in path.read_text().split()]
            if not orphans:
                return
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def _tell(self, message: dict[str, Any]) -> None:
        self._control.send(json.dumps(message).encode())

    def _become_child(self, header: str, channel: socket.socket) -> NoReturn:
        status = 1
        try:
            os.setpgid(0, 0)
            _prctl(_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self._pid:  # it died before that was asked for
                os._exit(1)
            for child in self._children.values():
                os.close(child.pidfd)
            self._control.close()
            with contextlib.suppress(OSError):
                pathlib.Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
            run_trial(read_header(header), channel)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def main(arguments: Sequence[str]) -> None:
    """Serve a coordinator (see the module)."""
    control, scratch, parent, *modules = arguments
    preload(modules)
    connection = socket.socket(fileno=int(control))
    _Zygote(connection, pathlib.Path(scratch), int(parent)).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
