"""A benchmark that has been measured beforehand: for every architecture, its row in a table."""

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hypernets.domain.history.direction import parse_direction
from hypernets.domain.history.trial import Direction
from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["TabularBenchmark"]

Column = npt.NDArray[np.float64]


@attrs.frozen(slots=False, eq=False)
class TabularBenchmark:
    """A space, and what each of its architectures is worth.

    Attributes:
        name: what it is known by.
        space: the space, finite.
        row_of: of an architecture, the number of its row; `None` for one that cannot be trained.
        objectives: name → `(n_rows,)` values, the mean over seeds; the first is the reward.
        direction: whether more or less of the reward is better.
        directions: name → direction of each objective.
        seconds: `(n_rows,)` how long training takes; zeros where that is not known.
        replicates: `(n_rows, n_seeds)` the reward from each seed; NaN where there is none.
        n_failing: number of architectures (not rows) that cannot be trained.
        rows_are_architectures: whether each row is that of exactly one architecture, so that what
            random search is expected to find follows from the table.
    """

    name: str
    space: HyperSpace
    row_of: Callable[[Any], int | None]
    objectives: Mapping[str, Column]
    direction: Direction = attrs.field(converter=parse_direction)
    directions: Mapping[str, str] = attrs.field(factory=dict)
    seconds: Column | None = None
    replicates: npt.NDArray[np.float64] | None = None
    n_failing: int = 0
    rows_are_architectures: bool = True

    @property
    def rewards(self) -> Column:
        """The reward of each row, `(n_rows,)`."""
        return next(iter(self.objectives.values()))

    @cached_property
    def regrets(self) -> Column:
        """By how much each row is worse than the best one, `(n_rows,)`, at least 0."""
        rewards = self.rewards
        worse = (
            self.optimum - rewards if self.direction is Direction.MAX else rewards - self.optimum
        )
        return np.asarray(worse)

    @cached_property
    def optimum(self) -> float:
        """The best reward of the table."""
        best = np.nanmax if self.direction is Direction.MAX else np.nanmin
        return float(best(self.rewards))

    @cached_property
    def spread_at_optimum(self) -> float:
        """Standard deviation of the best row's reward from one seed to the next; 0 if unknown.

        The best row of a table is the luckiest among many as good; whatever is within this is as
        good as the best.
        """
        if self.replicates is None:
            return 0.0
        values = self.replicates[int(np.nanargmin(self.regrets))]
        values = values[np.isfinite(values)]
        return float(values.std(ddof=1)) if len(values) > 1 else 0.0

    def regret_of_random(self, n_queries: int) -> float:
        """Return the regret that random search without replacement has after some queries.

        Exactly: the expected smallest of `n_queries` rows drawn from the table.

        Args:
            n_queries: at least 1, at most the number of rows.
        """
        ascending = np.sort(self.regrets)
        n = len(ascending)
        # P(smallest is row i of the ascending ones) = C(n-1-i, k-1) / C(n, k)
        total, chance = 0.0, n_queries / n
        for place in range(n - n_queries + 1):
            total += chance * float(ascending[place])
            if chance < 1e-15:
                break
            left = n - 1 - place
            chance *= (left - n_queries + 1) / left if left else math.nan
        return total
