"""How far a search of the service has come, as a value."""

import attrs

from hypernets.application.loop.budget import EndReason
from hypernets.application.progress import RunningTrial
from hypernets.application.service.state import SessionState
from hypernets.domain.history import Trial

__all__ = ["ProgressSnapshot"]


@attrs.frozen
class ProgressSnapshot:
    """How far a search has come. Its figures are read one after the other, not at one instant.

    Attributes:
        name: of the search.
        state: what it is doing.
        n_done: number of evaluated trials, failed ones and those of an earlier run included.
        n_failed: how many of these failed.
        n_answered: number of proposals that an earlier trial answered.
        running: the trials that run, with their last reports.
        n_pending: number of proposals that have not begun.
        n_workers: how many trials may run at a time.
        max_trials: how many trials there will be at most, where that is known.
        best: the best trial so far, if any.
        elapsed_s: for how long the search has run on its present budget, pauses left out.
        left_s: for how long it is expected to go on, from the measured pace; `None` where nothing
            tells.
        end_reason: why the last run has ended; `None` while one goes on, and before any.
        error: what has ended the last run, where an error has.
    """

    name: str
    state: SessionState
    n_done: int
    n_failed: int
    n_answered: int
    running: tuple[RunningTrial, ...]
    n_pending: int
    n_workers: int
    max_trials: int | None
    best: Trial | None
    elapsed_s: float
    left_s: float | None
    end_reason: EndReason | None
    error: str | None = None
