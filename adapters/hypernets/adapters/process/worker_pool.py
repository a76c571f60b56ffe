"""The coordinator's side of workers that run one trial after another, and are then replaced."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence

import attrs

from hypernets.adapters.process.attempt import Attempt
from hypernets.adapters.process.child import TRACE_SIGNAL
from hypernets.adapters.process.frame import send_frame
from hypernets.adapters.process.interpreter import start_module
from hypernets.adapters.process.launcher import Ended, Happening
from hypernets.adapters.process.limit import anonymous_bytes, oom_kills
from hypernets.adapters.process.scratch import Scratch

__all__ = ["WorkerPool"]

_MODULE = "hypernets.adapters.process.worker"
_LOG = "worker.log"
_TRACE_S = 1.0  # given to a worker to say where it is before it is killed
_PATIENCE_S = 5.0  # given to a worker to go


@attrs.define(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    near_end: socket.socket
    lifeline: int
    n_served: int = 0
    attempt: Attempt | None = None
    oom_kills_before: int = 0
    over_memory: bool = False
    kill_at_s: float | None = None


class WorkerPool:
    """Gives attempts to fresh interpreters, and replaces each after a number of trials.

    What a trial leaves in its worker, the next one finds; a worker that dies takes one trial along.

    Args:
        scratch: where its files are; workers remove it when this process dies.
        modules: what a worker imports before its first trial.
        recycle_after: number of trials after which a worker is replaced.
    """

    def __init__(self, scratch: Scratch, modules: Sequence[str], recycle_after: int) -> None:
        self._scratch = scratch
        self._modules = tuple(modules)
        self._recycle_after = recycle_after
        self._workers: list[_Worker] = []
        self._ended: list[Happening] = []

    def begin(self, attempt: Attempt, far_end: socket.socket) -> None:
        """Give an attempt to a worker that is idle, or to a new one."""
        worker = next((each for each in self._workers if each.attempt is None), None)
        if worker is None:
            worker = self._started()
        worker.attempt = attempt
        worker.oom_kills_before = oom_kills()
        attempt.pid = worker.process.pid
        with contextlib.suppress(OSError):  # if it has died, that is seen next
            send_frame(worker.near_end, {"header": str(attempt.header)})
            socket.send_fds(worker.near_end, [b"c"], [far_end.fileno()])

    def end(self, attempt: Attempt, *, trace: bool) -> None:
        """Kill the worker of an attempt."""
        worker = self._worker_of(attempt)
        if worker is None:
            return
        if trace:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.process.pid, TRACE_SIGNAL)
            worker.kill_at_s = time.monotonic() + _TRACE_S
        else:
            _kill_group(worker.process.pid)

    def release(self, attempt: Attempt) -> None:
        """Take the worker of an attempt back, or let it go if it has served often enough."""
        worker = self._worker_of(attempt)
        if worker is None or worker.kill_at_s is not None:
            return
        worker.attempt = None
        worker.n_served += 1
        self._ended.append(Ended(attempt.task.ticket, 0))
        if worker.n_served >= self._recycle_after:
            self._workers.remove(worker)
            worker.near_end.close()
            _buried(worker)

    def sockets(self) -> Iterable[socket.socket]:
        """Return nothing: workers are looked after again and again."""
        return ()

    def happened(self) -> list[Happening]:
        """Return which attempts have ended."""
        now = time.monotonic()
        for worker in tuple(self._workers):
            self._watch(worker, now)
        found, self._ended = self._ended, []
        return found

    def kill(self) -> None:
        """Kill every worker."""
        for worker in self._workers:
            _kill_group(worker.process.pid)

    def close(self) -> None:
        """End every worker."""
        self.kill()
        for worker in self._workers:
            if worker.attempt is not None:
                worker.attempt.channel.close()
            worker.near_end.close()
            _buried(worker)
        self._workers.clear()

    def _started(self) -> _Worker:
        near, far = socket.socketpair()
        ours, theirs = _pipe()
        arguments = [str(far.fileno()), str(theirs), str(self._scratch.path), *self._modules]
        log = self._scratch.file(_LOG)
        try:
            process = start_module(_MODULE, arguments, [far.fileno(), theirs], log)
        except BaseException:
            near.close()
            os.close(ours)
            raise
        finally:
            far.close()
            os.close(theirs)
        worker = _Worker(process, near, ours)
        self._workers.append(worker)
        return worker

    def _worker_of(self, attempt: Attempt) -> _Worker | None:
        return next((each for each in self._workers if each.attempt is attempt), None)

    def _watch(self, worker: _Worker, now: float) -> None:
        pid, attempt = worker.process.pid, worker.attempt
        if worker.kill_at_s is not None and now >= worker.kill_at_s:
            _kill_group(pid)
        if attempt is not None and _exceeds_memory(attempt, pid):
            worker.over_memory = True
            _kill_group(pid)
        if worker.process.poll() is None:
            return
        self._workers.remove(worker)
        worker.near_end.close()
        _buried(worker)
        if attempt is not None:
            oom = oom_kills() > worker.oom_kills_before
            status = worker.process.returncode
            self._ended.append(Ended(attempt.task.ticket, status, worker.over_memory, oom))


def _exceeds_memory(attempt: Attempt, pid: int) -> bool:
    limit, before = attempt.memory_limit_bytes, attempt.memory_before
    if limit is None or before is None:
        return False
    has = anonymous_bytes(pid)
    return has is not None and has - before > limit


def _pipe() -> tuple[int, int]:
    """Return the end of a lifeline that stays here, and the end that a worker reads."""
    read, write = os.pipe()
    return write, read


def _buried(worker: _Worker) -> None:
    """Wait until a worker is gone, with all that it has started."""
    try:
        worker.process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        worker.process.kill()
        worker.process.wait()
    _kill_group(worker.process.pid)
    os.close(worker.lifeline)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
