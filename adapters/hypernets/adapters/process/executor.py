"""An executor that runs each trial in a process of its own.

All is done by the caller's thread, within `submit`, `completed`, `cancel` and `close`: there is no
thread and no signal handler, and what has been handed to the operating system is taken back when
the executor is closed, forgotten, or dies.
"""

import contextlib
import json
import os
import pathlib
import select
import socket
import time
import weakref
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Literal, Self

from hypernets.adapters.process.argument import require_count, require_method, require_positive
from hypernets.adapters.process.attempt import Attempt, Task
from hypernets.adapters.process.frame import ProtocolError
from hypernets.adapters.process.house import House, can_fork, whereabouts
from hypernets.adapters.process.launcher import Died, Ended, Happening, Refused
from hypernets.adapters.process.limit import thread_share
from hypernets.adapters.process.scratch import Scratch
from hypernets.adapters.process.trial_log import Echo
from hypernets.adapters.process.verdict import CANCELLED, DEADLINE, GARBLED, lost_outcome, verdict
from hypernets.application.in_process.attempt import failure_of, state_of
from hypernets.application.log import EventLog
from hypernets.application.port import Job, Outcome, ReportHandler, Ticket
from hypernets.domain.error import SearchError, SpaceError, TrialError

__all__ = ["ProcessExecutor"]

_TICK_S = 0.1  # between two looks at what nothing announces
_GRACE_S = 2.0  # given to a process to end when it has handed in its result
_PATIENCE_S = 10.0  # given to whoever starts processes to obey an order to end one
_BACK_OFF_S = 0.2  # before the first repetition of a lost attempt; then twice that, and so on

log = EventLog(__name__)


class ProcessExecutor:
    """Runs each trial in a process of its own, several at a time.

    On Linux a trial is forked off a process that has imported what it needs (see `zygote`). Where
    that cannot be, workers run one trial after another and are replaced now and then.

    What a trial does ends with it: its memory, its threads, a crash. The architecture travels
    without its space (see `Architecture.detached`), the estimator as it is at `submit`.

    Args:
        n_workers: number of trials that run at a time; others wait.
        deadline_s: how long one may take, in seconds, from when it begins; time in which it waits
            for the answer to a report is not counted. `None` for no limit.
        memory_limit_bytes: how much memory one may take beyond what its process begins with
            (Linux); `None` for no limit.
        folder: where the log of each trial stays, as `trial-<number>.log`, and where data are kept
            for the trials meanwhile. When absent, a temporary one, which goes with this object.
        retries: how often a trial is tried again that was lost through no fault of its own.
        preload: modules to import once, before the first trial; when absent, those that the first
            estimator names in its attribute `preload`.
        threads: of each trial; when absent, the machine's are divided among the workers.
        echo: whether to print here what a trial prints.
        method: `"fork"`, `"fresh"` (workers), or `"auto"`.
        recycle_after: number of trials after which a worker is replaced.

    Raises:
        SearchError: an argument makes no sense.
    """

    def __init__(
        self,
        n_workers: int = 1,
        deadline_s: float | None = None,
        memory_limit_bytes: int | None = None,
        folder: str | os.PathLike[str] | None = None,
        retries: int = 2,
        preload: Iterable[str] | None = None,
        threads: int | None = None,
        *,
        echo: bool = False,
        method: Literal["auto", "fork", "fresh"] = "auto",
        recycle_after: int = 20,
    ) -> None:
        self.n_workers = require_count("n_workers", n_workers, 1)
        self._deadline_s = require_positive("deadline_s", deadline_s)
        self._memory_limit = require_positive("memory_limit_bytes", memory_limit_bytes)
        self._retries = require_count("retries", retries, 0)
        self._recycle_after = require_count("recycle_after", recycle_after, 1)
        self._threads = threads if threads is None else require_count("threads", threads, 1)
        if threads is None and n_workers > 1:
            self._threads = thread_share(n_workers)
        self._method = require_method(method)
        self._preload = None if preload is None else tuple(preload)
        self._echo = echo
        self._folder = None if folder is None else pathlib.Path(folder).absolute()
        self._house: House | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None
        self._closed = False
        self._n_submitted = 0
        self._n_begun = 0
        self._waiting: deque[Task] = deque()
        self._running: dict[int, Attempt] = {}
        self._ready: list[Outcome] = []
        self._happenings: deque[Happening] = deque()
        self._clock = time.monotonic

    # --- the port ---------------------------------------------------------------

    def submit(self, job: Job, report: ReportHandler) -> Ticket:
        """Take a job in; it begins now if a worker is free.

        Raises:
            SearchError: the estimator cannot travel to another process, or this is closed.
        """
        if self._closed:
            raise SearchError(
                "an executor must be open to take jobs; received one after close(); make a new one"
            )
        self._n_submitted += 1
        ticket = self._n_submitted
        house = self._moved_in(job.estimator)
        try:
            parcel = house.pack(job, ticket)
        except (TrialError, SpaceError) as error:
            self._ready.append(Outcome(ticket, state_of(error), failure=failure_of(error)))
            return ticket
        log_path = (self._folder or house.scratch.path) / f"trial-{job.number}.log"
        log_path.unlink(missing_ok=True)
        self._waiting.append(
            Task(
                ticket=ticket,
                number=job.number,
                report=report,
                header={
                    **whereabouts(),
                    "job": str(parcel),
                    "log": str(log_path),
                    "seed": job.seed,
                    "threads": self._threads,
                    "memory_limit_bytes": self._memory_limit,
                },
                log=log_path,
            )
        )
        self._begin_waiting()
        return ticket

    def completed(self, timeout_s: float | None = None) -> Iterable[Outcome]:
        """Return outcomes that have not been handed out, after waiting for one if need be."""
        until_s = None if timeout_s is None else self._clock() + timeout_s
        while True:
            self._step()
            in_work = self._waiting or any(not a.cancelled for a in self._running.values())
            if self._ready or not in_work:
                break
            now = self._clock()
            if until_s is not None and now >= until_s:
                break
            self._wait(self._patience_s(now, until_s))
        ready, self._ready = self._ready, []
        return ready

    def cancel(self, ticket: Ticket) -> None:
        """Give a job up; its process is killed."""
        self._ready = [outcome for outcome in self._ready if outcome.ticket != ticket]
        for task in [task for task in self._waiting if task.ticket == ticket]:
            self._waiting.remove(task)
            self._forget(task)
        attempt = self._running.get(ticket) if isinstance(ticket, int) else None
        if attempt is not None and not attempt.cancelled:
            attempt.cancelled = True
            self._kill(attempt, CANCELLED)

    def close(self) -> None:
        """End every process, and remove what was kept for them; jobs have no outcome any more."""
        self._closed = True
        self._running.clear()
        self._waiting.clear()
        self._ready.clear()
        if self._finalizer is not None:
            self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- attempts ---------------------------------------------------------------

    def _moved_in(self, estimator: Any) -> House:
        """Return where the processes live, made for the first job."""
        if self._house is None:
            if self._preload is None:
                self._preload = tuple(getattr(estimator, "preload", ()))
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            forks = can_fork(self._method)
            scratch = Scratch(self._folder)
            self._house = House(scratch, self._preload, self._recycle_after, forks)
            self._finalizer = weakref.finalize(self, self._house.leave)
        return self._house

    def _begin_waiting(self) -> None:
        now = self._clock()
        for task in tuple(self._waiting):
            if len(self._running) >= self.n_workers:
                return
            if task.not_before_s <= now:
                self._waiting.remove(task)
                self._begin(task)

    def _begin(self, task: Task) -> None:
        assert self._house is not None
        scratch = self._house.scratch
        self._n_begun += 1
        name = f"{task.ticket}-{task.n_losses}"
        printed = scratch.file(f"printed-{name}") if self._echo else None
        artifact = scratch.file(f"artifact-{name}")
        own = {"printed": printed and str(printed), "artifact": str(artifact)}
        content = json.dumps({**task.header, **own}).encode()
        near, far = socket.socketpair()
        attempt = Attempt(
            task,
            header=scratch.write(f"header-{name}.json", content),
            artifact=artifact,
            channel=near,
            echo=None if printed is None else Echo(printed),
            memory_limit_bytes=self._memory_limit,
        )
        self._running[task.ticket] = attempt
        try:
            self._house.launcher.begin(attempt, far)
        except BaseException:
            self._running.pop(task.ticket)
            near.close()
            raise
        finally:
            far.close()
        log.debug("attempt begun", number=task.number, attempt=task.n_losses + 1)

    def _kill(self, attempt: Attempt, reason: str) -> None:
        assert self._house is not None
        if attempt.killed_for is None:
            attempt.killed_for = reason
            attempt.killed_s = self._clock()
            self._house.launcher.end(attempt, trace=reason == DEADLINE)

    # --- what happens -----------------------------------------------------------

    def _step(self) -> None:
        """Take in what has happened by now, and do what is due."""
        if self._house is None:
            return
        for attempt in tuple(self._running.values()):
            self._attend(attempt)
        self._happenings.extend(self._house.launcher.happened())
        while self._happenings:
            happening = self._happenings.popleft()
            if isinstance(happening, Died):
                self._bury_all(happening)
            elif isinstance(happening, Refused):
                self._change_method(happening)
            else:
                self._conclude(self._running.pop(happening.ticket), happening)
        now = self._clock()
        for attempt in self._running.values():
            self._enforce(attempt, now)
        self._begin_waiting()

    def _attend(self, attempt: Attempt) -> None:
        had_outcome = attempt.outcome is not None
        try:
            attempt.attend(self._clock)
        except ProtocolError as error:
            log.warning("trial garbled", number=attempt.task.number, error=str(error))
            self._kill(attempt, GARBLED)
        if attempt.outcome is not None and not had_outcome:
            assert self._house is not None
            self._house.launcher.release(attempt)

    def _enforce(self, attempt: Attempt, now: float) -> None:
        assert self._house is not None
        if attempt.killed_for is not None:
            if now - attempt.killed_s > _PATIENCE_S:
                attempt.killed_s = now
                self._house.launcher.kill()
        elif attempt.outcome is not None:
            if now - attempt.outcome_s > _GRACE_S:
                attempt.outcome_s = now
                self._house.launcher.end(attempt, trace=False)
        elif self._deadline_s is not None and attempt.elapsed_s(now) >= self._deadline_s:
            self._kill(attempt, DEADLINE)
        elif attempt.echo is not None:
            attempt.echo.show()

    def _bury_all(self, died: Died) -> None:
        log.warning("processes lost with what started them", log=died.why)
        running, self._running = self._running, {}
        for attempt in running.values():
            self._conclude(attempt, None, died.why)

    def _change_method(self, refused: Refused) -> None:
        """Go over to workers where forking is refused; the attempt begins anew."""
        assert self._house is not None
        log.warning("trials are not forked but given to workers", why=refused.why)
        running, self._running = self._running, {}
        for attempt in reversed(running.values()):
            self._tidy(attempt)
            if not attempt.cancelled:
                self._waiting.appendleft(attempt.task)
        self._house.launcher.kill()  # one that goes in good order takes the folder along
        self._house.launcher.close()
        self._house.hire()

    def _conclude(self, attempt: Attempt, ended: Ended | None, why: str = "") -> None:
        """Decide on an attempt whose process is gone, once it has said its last."""
        with contextlib.suppress(ProtocolError):
            attempt.attend(self._clock)
        if attempt.echo is not None:
            attempt.echo.show()
        outcome = verdict(attempt, ended, self._deadline_s)
        self._tidy(attempt)
        task = attempt.task
        if attempt.cancelled:
            self._forget(task)
        elif outcome is not None:
            self._forget(task)
            self._ready.append(outcome)
        else:
            self._lose(attempt, why or f"signal {-ended.status}" if ended else why)

    def _lose(self, attempt: Attempt, why: str) -> None:
        task = attempt.task
        task.n_losses += 1
        log.warning("attempt lost", number=task.number, n_losses=task.n_losses, why=why)
        if task.n_losses > self._retries:
            self._forget(task)
            self._ready.append(lost_outcome(attempt, task.n_losses, why))
            return
        task.not_before_s = self._clock() + _BACK_OFF_S * 2 ** (task.n_losses - 1)
        self._waiting.append(task)

    def _tidy(self, attempt: Attempt) -> None:
        """Remove what belonged to one attempt; an artifact belongs to its outcome."""
        attempt.channel.close()
        attempt.header.unlink(missing_ok=True)
        if attempt.outcome is None:
            attempt.artifact.unlink(missing_ok=True)
        attempt.artifact.with_name(f"{attempt.artifact.name}.tmp").unlink(missing_ok=True)
        if attempt.echo is not None:
            attempt.echo.remove()

    def _forget(self, task: Task) -> None:
        pathlib.Path(task.header["job"]).unlink(missing_ok=True)

    # --- waiting ----------------------------------------------------------------

    def _patience_s(self, now: float, until_s: float | None) -> float:
        waits = [_GRACE_S]
        if until_s is not None:
            waits.append(until_s - now)
        waits.extend(task.not_before_s - now for task in self._waiting if task.not_before_s > now)
        for attempt in self._running.values():
            if self._deadline_s is not None and attempt.begun_s is not None:
                waits.append(self._deadline_s - attempt.elapsed_s(now))
        if self._echo or self._house is None or not self._house.forks:
            waits.append(_TICK_S)
        return max(0.0, min(waits))

    def _wait(self, seconds: float) -> None:
        """Wait until somebody says something, but no longer."""
        assert self._house is not None
        poll = select.poll()
        for attempt in self._running.values():
            if not attempt.has_hung_up:
                poll.register(attempt.channel, select.POLLIN)
        for line in self._house.launcher.sockets():
            poll.register(line, select.POLLIN)
        poll.poll(seconds * 1_000 + 1)
