"""A history in plain numbers."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping

import attrs

from hypernets.domain.history.trial import Direction, Trial, TrialState

__all__ = ["HistorySummary", "commonest_failure", "summarise"]


@attrs.frozen
class HistorySummary:
    """What there is to say about a history.

    Attributes:
        direction: which way the reward is better.
        n_trials: number of records.
        n_evaluated: how many of them were measured themselves.
        n_answered: how many were answered by an earlier one, of this history or another.
        states: how many of the evaluated ones ended in each state; no zeros.
        n_signatures: number of different networks.
        best: number of the best trial, if any.
        best_reward: its reward.
        mean_reward: of the trials that succeeded, each network once.
        median_reward: likewise.
        elapsed_s: sum of the trials' times, in seconds.
        commonest_failure: kind and message of the failure met most often, if any.
    """

    direction: Direction
    n_trials: int
    n_evaluated: int
    n_answered: int
    states: Mapping[TrialState, int]
    n_signatures: int
    best: int | None
    best_reward: float | None
    mean_reward: float | None
    median_reward: float | None
    elapsed_s: float
    commonest_failure: str | None

    @property
    def n_succeeded(self) -> int:
        """Number of evaluated trials that completed."""
        return self.states.get(TrialState.COMPLETED, 0)

    @property
    def n_failed(self) -> int:
        """Number of evaluated trials with nothing to show."""
        return self.n_evaluated - self.n_succeeded - self.states.get(TrialState.PRUNED, 0)


def summarise(trials: Iterable[Trial], direction: Direction, best: Trial | None) -> HistorySummary:
    """Return the summary of a history."""
    records = list(trials)
    evaluated = [trial for trial in records if trial.evaluated]
    rewards = [t.reward for t in records if t.ranked and t.succeeded and t.reward is not None]
    return HistorySummary(
        direction=direction,
        n_trials=len(records),
        n_evaluated=len(evaluated),
        n_answered=len(records) - len(evaluated),
        states=dict(Counter(trial.state for trial in evaluated)),
        n_signatures=len({trial.signature for trial in records if trial.signature}),
        best=best.number if best else None,
        best_reward=best.reward if best else None,
        mean_reward=statistics.fmean(rewards) if rewards else None,
        median_reward=statistics.median(rewards) if rewards else None,
        elapsed_s=sum(trial.elapsed_s for trial in evaluated),
        commonest_failure=commonest_failure(evaluated),
    )


def commonest_failure(trials: Iterable[Trial]) -> str | None:
    """Return kind, message and count of the failure met most often, the older of two as frequent.

    Example:
        >>> from hypernets.domain.history.trial import Failure
        >>> trial = Trial(1, {}, "", TrialState.FAILED, failure=Failure("BuildError", "too deep"))
        >>> commonest_failure([trial])
        'BuildError: too deep (1 time)'
    """
    reasons = Counter(
        f"{trial.failure.kind}: {trial.failure.message}" for trial in trials if trial.failure
    )
    if not reasons:
        return None
    reason, count = reasons.most_common(1)[0]
    return f"{reason} ({count} time{'s' if count > 1 else ''})"
