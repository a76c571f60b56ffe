"""One attempt at a trial: what the coordinator knows of a process that runs it."""

import contextlib
import pathlib
import socket
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from hypernets.adapters.process.frame import FrameReader, ProtocolError, send_frame
from hypernets.adapters.process.result import outcome_of
from hypernets.adapters.process.trial_log import Echo
from hypernets.application.port import Outcome, ReportHandler
from hypernets.domain.history import Report

__all__ = ["Attempt", "Task"]


@attrs.define(eq=False)
class Task:
    """A job that has been taken in and has no outcome yet.

    Attributes:
        ticket: what it is known by.
        number: of the trial.
        report: takes its reports.
        header: what its process is told, without what differs between attempts.
        log: file of what its process writes.
        n_losses: attempts that were lost through no fault of its own.
        not_before_s: when the next attempt may begin.
    """

    ticket: int
    number: int
    report: ReportHandler
    header: Mapping[str, Any]
    log: pathlib.Path
    n_losses: int = 0
    not_before_s: float = 0.0


@attrs.define(eq=False)
class Attempt:
    """A task that a process works on.

    Time in which it waits for an answer is not counted: what the coordinator does meanwhile is not
    the trial's doing.

    Attributes:
        task: what is to be done.
        header: path of what its process is told.
        artifact: where that leaves its artifact.
        channel: to that process.
        echo: shows what it prints, if that is wanted.
        memory_limit_bytes: what it may take beyond what it begins with.
        curve: its reports so far.
        outcome: what it has handed in.
        outcome_s: when.
        killed_for: why we have ended it, if we have; decided once.
        killed_s: when.
        cancelled: whether nobody wants its outcome any more.
        pid: of its process, as soon as that is known.
        begun_s: when it began, by the monotonic clock of the machine.
        memory_before: what its process had to itself then, in bytes, if that can be told.
    """

    task: Task
    header: pathlib.Path
    artifact: pathlib.Path
    channel: socket.socket
    echo: Echo | None
    memory_limit_bytes: int | None
    curve: list[Report] = attrs.field(factory=list)
    outcome: Outcome | None = None
    outcome_s: float = 0.0
    killed_for: str | None = None
    killed_s: float = 0.0
    cancelled: bool = False
    pid: int | None = None
    begun_s: float | None = None
    memory_before: int | None = None
    _waited_s: float = 0.0
    _reader: FrameReader = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reader = FrameReader(self.channel)

    def elapsed_s(self, now_s: float) -> float:
        """Return for how long it has been at work."""
        return 0.0 if self.begun_s is None else now_s - self.begun_s - self._waited_s

    @property
    def has_hung_up(self) -> bool:
        """Whether its process has closed the channel."""
        return self._reader.ended

    def attend(self, clock: Callable[[], float]) -> None:
        """Take in what its process has said by now, and answer.

        Raises:
            ProtocolError: it says what makes no sense.
        """
        for frame in self._reader.frames():
            said = _understood(frame, self.task.ticket)
            if self.echo is not None and "printed" in frame:
                self.echo.show(frame["printed"])
            if isinstance(said, Outcome):
                self.outcome, self.outcome_s = said, clock()
            elif isinstance(said, Report):
                self._answer(said, clock)
                self._waited_s += max(0.0, clock() - frame["at_s"])
            else:
                self.begun_s = min(said, clock())
                self.memory_before = frame.get("memory_bytes")

    def _answer(self, report: Report, clock: Callable[[], float]) -> None:
        self.curve.append(report)
        stop = self.cancelled or self.task.report(report)
        # when it has died meanwhile, that will be seen
        with contextlib.suppress(OSError):
            send_frame(self.channel, {"kind": "answer", "stop": bool(stop)})


def _understood(frame: Mapping[str, Any], ticket: int) -> Outcome | Report | float:
    """Return what a frame says: that the trial has begun (when), reports, or has ended."""
    try:
        kind = frame["kind"]
        if kind == "result":
            return outcome_of(frame["outcome"], ticket)
        at_s = float(frame["at_s"])
        if kind == "begun":
            return at_s
        if kind == "report":
            return Report(frame["step"], dict(frame["values"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"a trial must keep to its part; received {frame}") from error
    raise ProtocolError(f"a frame must be of a known kind; received {kind!r}")
