"""The coordinator's side of the zygote: starts it, asks it to fork, hears how children end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from hypernets.adapters.process.attempt import Attempt
from hypernets.adapters.process.interpreter import start_module
from hypernets.adapters.process.launcher import Died, Ended, Happening, Refused
from hypernets.adapters.process.scratch import Scratch
from hypernets.adapters.process.trial_log import log_tail

__all__ = ["ForkServer"]

_MODULE = "hypernets.adapters.process.zygote"
_LOG = "zygote.log"
_MESSAGE_BYTES = 2**16
_PATIENCE_S = 5.0  # given to the zygote to end everything


@attrs.define
class _Zygote:
    process: subprocess.Popen[bytes]
    control: socket.socket


class ForkServer:
    """Forks a child for each attempt off a zygote, which is started with the first one.

    Args:
        scratch: where its files are; the zygote removes it when this process dies.
        modules: what it imports before it forks.
    """

    def __init__(self, scratch: Scratch, modules: Sequence[str]) -> None:
        self._scratch = scratch
        self._modules = tuple(modules)
        self._zygote: _Zygote | None = None
        self._attempts: dict[int, Attempt] = {}

    def begin(self, attempt: Attempt, far_end: socket.socket) -> None:
        """Have a child forked for an attempt."""
        if self._zygote is None:
            self._zygote = self._started()
        order = {
            "kind": "fork",
            "ticket": attempt.task.ticket,
            "header": str(attempt.header),
            "memory_limit_bytes": attempt.memory_limit_bytes,
        }
        self._attempts[attempt.task.ticket] = attempt
        self._send(order, [far_end.fileno()])

    def end(self, attempt: Attempt, *, trace: bool) -> None:
        """Have the child of an attempt killed."""
        self._send({"kind": "kill", "ticket": attempt.task.ticket, "trace": trace}, [])

    def release(self, attempt: Attempt) -> None:
        """Do nothing: a child ends by itself."""

    def sockets(self) -> Iterable[socket.socket]:
        """Return the line to the zygote."""
        return () if self._zygote is None else (self._zygote.control,)

    def happened(self) -> list[Happening]:
        """Return how children have ended."""
        found: list[Happening] = []
        while self._zygote is not None:
            try:
                message = self._zygote.control.recv(_MESSAGE_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError:
                message = b""
            if not message:
                found.append(self._buried())
                break
            found.extend(self._heard(json.loads(message)))
        return found

    def close(self) -> None:
        """End the zygote and with it every child."""
        for attempt in self._attempts.values():
            attempt.channel.close()
        if self._zygote is None:
            return
        zygote, self._zygote = self._zygote, None
        zygote.control.close()
        try:
            zygote.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            zygote.process.kill()
            zygote.process.wait()
        self._end_groups()

    def kill(self) -> None:
        """Kill the zygote, which does not answer; its children die with it."""
        if self._zygote is not None:
            self._zygote.process.kill()

    def _started(self) -> _Zygote:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = [str(far.fileno()), str(self._scratch.path), str(os.getpid()), *self._modules]
        try:
            log = self._scratch.file(_LOG)
            process = start_module(_MODULE, arguments, [far.fileno()], log)
        except BaseException:
            near.close()
            raise
        finally:
            far.close()
        return _Zygote(process, near)

    def _send(self, order: dict[str, Any], handed: Sequence[int]) -> None:
        if self._zygote is None:
            return
        with contextlib.suppress(OSError):  # if it has died, that is heard next
            socket.send_fds(self._zygote.control, [json.dumps(order).encode()], handed)

    def _heard(self, message: dict[str, Any]) -> list[Happening]:
        kind, ticket = message["kind"], message.get("ticket", 0)
        if kind == "forked":
            self._attempts[ticket].pid = message["pid"]
        elif kind == "ended":
            self._attempts.pop(ticket)
            by_memory = message["reason"] == "memory"
            return [Ended(ticket, message["status"], by_memory, message["oom"])]
        elif kind == "refused":
            self._attempts.pop(ticket)
            return [Refused(ticket, f"the zygote has {message['n_threads']} threads")]
        return []

    def _buried(self) -> Died:
        assert self._zygote is not None
        self._zygote.control.close()
        self._zygote.process.kill()
        self._zygote.process.wait()
        self._zygote = None
        self._end_groups()
        return Died(log_tail(self._scratch.file(_LOG)))

    def _end_groups(self) -> None:
        """Kill what children have started and left, when the zygote cannot do so any more."""
        for attempt in self._attempts.values():
            if attempt.pid is None:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(attempt.pid, signal.SIGKILL)
        self._attempts.clear()
