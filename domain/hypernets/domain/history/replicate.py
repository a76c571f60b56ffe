"""Several evaluations of one architecture: mean, spread, and which is best beyond luck.

The best of many noisy rewards is mostly a lucky one. Where each architecture is trained from
several seeds, its mean is a better guide, and the more so the more there are. Three or so rewards
say little about their own spread, though: by chance they may lie close together. So one spread is
estimated for all architectures together, and a mean is trusted less the fewer rewards it is made
of.
"""

import math
import statistics
from collections.abc import Hashable, Iterable, Sequence

import attrs

from hypernets.domain.error import SearchError
from hypernets.domain.history.trial import Direction, Trial

__all__ = ["ReplicateSummary", "pooled_spread", "summarise_replicates"]


@attrs.frozen
class ReplicateSummary:
    """What several evaluations of one architecture say about it.

    Attributes:
        trials: those that succeeded, in the order of tells.
        mean: of their rewards.
        spread: sample standard deviation of their rewards; `None` of a single one.
        standard_error: of the mean, by the spread of all architectures together; `None` where no
            architecture has been evaluated twice.
        bound: the mean, less (in the direction of the search) so many standard errors as the
            summary was asked to be cautious by. By this, architectures are compared.
    """

    trials: tuple[Trial, ...]
    mean: float
    spread: float | None
    standard_error: float | None
    bound: float

    @property
    def n(self) -> int:
        """Number of evaluations that succeeded."""
        return len(self.trials)


def summarise_replicates(
    trials: Iterable[Trial], direction: Direction, caution: float = 1.0
) -> list[ReplicateSummary]:
    """Return a summary of each architecture that succeeded, the best bound first.

    Trials belong together that differ in nothing but the replicate (see `Trial.key`), and so in
    their seed. Of equal bounds the older architecture comes first.

    Args:
        trials: records; those that failed or were answered by an earlier one are passed over.
        direction: which way the reward is better.
        caution: by how many standard errors a mean is discounted; 0 compares the means.

    Raises:
        SearchError: `caution` is no finite number >= 0.
    """
    if isinstance(caution, bool) or not 0 <= caution < math.inf:
        raise SearchError(
            f"caution must be a finite number >= 0, in standard errors; received {caution!r}; "
            "write caution=1.0, say"
        )
    groups = _groups(trials)
    pooled = pooled_spread([_rewards(group) for group in groups])
    sign = 1.0 if direction is Direction.MAX else -1.0
    summaries = [_summary(group, pooled, sign * caution) for group in groups]
    return sorted(summaries, key=lambda summary: -sign * summary.bound)


def pooled_spread(groups: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation within groups, estimated from all of them together.

    The square root of the mean of the variances, each weighted by its degrees of freedom; `None`
    where no group has two values.

    Example:
        >>> pooled_spread([[1.0, 3.0], [5.0, 7.0], [9.0]])
        1.4142135623730951
    """
    degrees = sum(len(group) - 1 for group in groups)
    if not degrees:
        return None
    squares = sum(statistics.variance(group) * (len(group) - 1) for group in groups if group[1:])
    return math.sqrt(squares / degrees)


def _groups(trials: Iterable[Trial]) -> list[list[Trial]]:
    groups: dict[Hashable, list[Trial]] = {}
    for trial in trials:
        if trial.ranked and trial.succeeded:
            groups.setdefault(attrs.evolve(trial, replicate=0).key, []).append(trial)
    return list(groups.values())


def _rewards(group: list[Trial]) -> list[float]:
    return [trial.reward or 0.0 for trial in group]


def _summary(group: list[Trial], pooled: float | None, discount: float) -> ReplicateSummary:
    rewards = _rewards(group)
    mean = statistics.fmean(rewards)
    error = None if pooled is None else pooled / math.sqrt(len(rewards))
    spread = statistics.stdev(rewards) if rewards[1:] else None
    return ReplicateSummary(tuple(group), mean, spread, error, mean - discount * (error or 0.0))
