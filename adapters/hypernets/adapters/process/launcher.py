"""What starts and ends the processes of trials, seen from the coordinator."""

import socket
from collections.abc import Iterable
from typing import Protocol

import attrs

from hypernets.adapters.process.attempt import Attempt

__all__ = ["Died", "Ended", "Happening", "Launcher", "Refused"]


@attrs.frozen
class Ended:
    """The process of an attempt has ended, and nothing of it is left.

    Attributes:
        ticket: of the attempt.
        status: its exit status; a signal as a negative number.
        memory: whether it was ended for taking more memory than it may.
        oom: whether the kernel has killed for want of memory in its time.
    """

    ticket: int
    status: int
    memory: bool = False
    oom: bool = False


@attrs.frozen
class Refused:
    """An attempt has not been begun, for processes cannot be started in this way here."""

    ticket: int
    why: str


@attrs.frozen
class Died:
    """What starts the processes has died, and they with it.

    Attributes:
        why: the end of its log.
    """

    why: str


Happening = Ended | Refused | Died


class Launcher(Protocol):
    """Starts a process for each attempt, and ends it when told to."""

    def begin(self, attempt: Attempt, far_end: socket.socket) -> None:
        """Start a process for an attempt, with the far end of its channel; does not wait for it."""

    def end(self, attempt: Attempt, *, trace: bool) -> None:
        """Kill the process of an attempt; with `trace`, its log says where it was."""

    def release(self, attempt: Attempt) -> None:
        """Take note that an attempt has handed in its outcome."""

    def sockets(self) -> Iterable[socket.socket]:
        """Return what becomes readable when something happens."""

    def happened(self) -> list[Happening]:
        """Return what has happened since this was last asked; does not wait."""

    def kill(self) -> None:
        """Kill what starts the processes, where an order to it was not obeyed."""

    def close(self) -> None:
        """End every process and wait until they are gone."""
