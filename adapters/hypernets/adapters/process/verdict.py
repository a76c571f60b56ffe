"""The verdict on an attempt whose process has ended: decided once, in one order.

Our own reason for ending it; else a complete result; else how the process ended. A process that
was ended by a hand from outside (its starter has died, or somebody sent it a signal that ends a
process) is a loss, which is no verdict on the architecture: the trial is tried again. One that
ended itself (`os._exit`, a fault of memory access, an abort) is the architecture's failure.
"""

import signal

import attrs

from hypernets.adapters.process.attempt import Attempt
from hypernets.adapters.process.launcher import Ended
from hypernets.adapters.process.trial_log import log_tail
from hypernets.application.port import Outcome
from hypernets.domain.history import Failure, TrialState

__all__ = ["CANCELLED", "DEADLINE", "GARBLED", "lost_outcome", "verdict"]

DEADLINE = "deadline"
"""Killed for running longer than it may."""

GARBLED = "garbled"
"""Killed for saying what makes no sense."""

CANCELLED = "cancelled"
"""Killed because nobody wants its outcome."""

_FROM_OUTSIDE = frozenset(
    -number for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
)
_WITHOUT_MEMORY = ("bad_alloc", "Cannot allocate memory", "out of memory", "MemoryError")


def verdict(attempt: Attempt, ended: Ended | None, deadline_s: float | None) -> Outcome | None:
    """Return the outcome of an attempt that has ended; `None` where it was lost.

    Args:
        attempt: all that it has said is taken in.
        ended: how its process ended; `None` where what had started it has died.
        deadline_s: how long it was given.
    """
    if attempt.killed_for == DEADLINE:
        return _failed(
            attempt,
            TrialState.TIMED_OUT,
            "TrialTimeoutError",
            f"a trial must end within deadline_s={deadline_s}; received one that was still running "
            "then; raise deadline_s, train for fewer epochs, or narrow the space",
        )
    if attempt.killed_for == GARBLED:
        return _failed(
            attempt,
            TrialState.FAILED,
            "ProtocolError",
            "the process of a trial must keep to its part; received what is no frame on its line "
            "to the search; write nothing to descriptors that the trial has not opened",
        )
    if ended is not None and ended.memory:
        return _out_of_memory(attempt, "more than that")
    if attempt.outcome is not None:
        curve = attempt.outcome.curve or tuple(attempt.curve)
        return attrs.evolve(attempt.outcome, curve=curve)
    return None if ended is None else _by_status(attempt, ended)


def lost_outcome(attempt: Attempt, n_losses: int, why: str) -> Outcome:
    """Return the outcome of a trial that was lost as often as it was tried."""
    return _failed(
        attempt,
        TrialState.LOST,
        "TrialLostError",
        "the process of a trial must be left alone until it ends; received one that was ended from "
        f"outside, in {n_losses} attempts; see what on this machine ends processes ({why})",
    )


def _by_status(attempt: Attempt, ended: Ended) -> Outcome | None:
    status = ended.status
    if status == -signal.SIGKILL and ended.oom:
        return _out_of_memory(attempt, "more than the machine had left")
    if status in _FROM_OUTSIDE:
        return None
    if status >= 0:
        return _failed(
            attempt,
            TrialState.FAILED,
            "ProcessExitError",
            "the process of a trial must hand in a result before it ends; received exit status "
            f"{status} without one; look for os._exit in what the trial runs",
        )
    if attempt.memory_limit_bytes is not None and _speaks_of_memory(attempt):
        return _out_of_memory(attempt, "a request for more")
    name = signal.Signals(-status).name
    return _failed(
        attempt,
        TrialState.FAILED,
        name,
        f"the process of a trial must end by itself; received {name}, which a fault of compiled "
        "code causes; see where in the log of the trial, and leave that layer or operation out",
    )


def _out_of_memory(attempt: Attempt, received: str) -> Outcome:
    limit = attempt.memory_limit_bytes
    allowed = "the memory of the machine" if limit is None else f"memory_limit_bytes={limit}"
    return _failed(
        attempt,
        TrialState.OUT_OF_MEMORY,
        "OutOfMemoryError",
        f"a trial must fit into {allowed}; received {received}; lower batch_size, set "
        "max_model_size, or run fewer trials at a time",
    )


def _speaks_of_memory(attempt: Attempt) -> bool:
    text = log_tail(attempt.task.log)
    return any(sign in text for sign in _WITHOUT_MEMORY)


def _failed(attempt: Attempt, state: TrialState, kind: str, message: str) -> Outcome:
    failure = Failure(kind, message, log_tail(attempt.task.log))
    return Outcome(attempt.task.ticket, state, failure=failure, curve=tuple(attempt.curve))
