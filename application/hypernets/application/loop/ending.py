"""What is said when a trial or a search ends, or cannot."""

from typing import Any

from hypernets.application.in_process import MemoryStore
from hypernets.application.log import EventLog
from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.port import HistoryStore
from hypernets.domain.error import SearchError
from hypernets.domain.history import History, Trial
from hypernets.domain.history.summary import commonest_failure

__all__ = ["how_to_go_on", "log_end", "require_end", "require_success"]

_AT_WILL = (EndReason.STOPPED, EndReason.INTERRUPTED)

log = EventLog(__name__)


def require_end(budget: Budget, space: Any) -> None:
    """Refuse a search that would never end.

    Raises:
        SearchError: the budget has no limit, and the space no end.
    """
    if budget.is_unlimited and not getattr(space, "is_finite", False):
        raise SearchError(
            "a search of an infinite space must have a limit: at least one of max_trials, "
            "max_time_s, target_reward and patience; received none; write max_trials=100, say"
        )


def require_success(history: History, reason: EndReason | None) -> None:
    """Refuse a history of failures only; log an end that nobody has wished for.

    Raises:
        SearchError: every trial has failed, and the search was not ended at will.
    """
    if reason is EndReason.REPEATING:
        log.warning("the searcher repeats itself", n_trials=len(history))
    if reason in _AT_WILL or not history.n_evaluated:
        return
    if history.n_failed == history.n_evaluated:
        raise SearchError(
            "at least one trial of a search must succeed; received failures only, in all "
            f"{history.n_failed} trials; most often {commonest_failure(history)}; mend that, "
            "or raise max_failures if it is in the nature of the space"
        )
    if reason is EndReason.FAILING:
        log.warning(
            "too many trials failed: the search has ended",
            n_evaluated=history.n_evaluated,
            n_failed=history.n_failed,
            n_failed_in_a_row=history.n_failed_in_a_row,
            most_often=commonest_failure(history),
        )


def how_to_go_on(history: History, store: HistoryStore) -> str:
    """Return a line for whoever has interrupted a search."""
    kept = f"The search was interrupted after {len(history)} trials, all of which are kept"
    if isinstance(store, MemoryStore):
        return f"{kept} in memory. To go on, run the same search object again."
    return f"{kept} in {store!r}. To go on, run the same search with the same store."


def log_end(trial: Trial, improved: bool) -> None:
    """Log that a trial has ended, and how."""
    if trial.failure is None:
        state, reward = trial.state.value, trial.reward
        log.info("trial ended", number=trial.number, state=state, reward=reward, improved=improved)
    else:
        error = f"{trial.failure.kind}: {trial.failure.message}"
        log.warning("trial failed", number=trial.number, state=trial.state.value, error=error)
