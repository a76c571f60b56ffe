"""ParEGO: the model-based searcher on several objectives, weighed anew at each ask."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import attrs
import numpy as np

from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.bayesian_optimization import BayesianOptimization
from hypernets.domain.searchers.objective import Objectives
from hypernets.domain.searchers.searcher import Proposal

__all__ = ["ParEGO"]

_SUM = 0.05  # weight of the sum beside the largest of the weighed objectives


class ParEGO(BayesianOptimization):
    """Weighs the objectives at random at each ask, and improves what they come to then.

    Each objective is brought to the range from 0 (the best measured) to 1 (the worst); what is made
    small is the largest of the weighed ones plus a twentieth of their sum (augmented Chebyshev), by
    weights drawn uniformly from those that sum to 1. So each ask looks at another part of the
    front, convex or not. All else is `BayesianOptimization`'s. Trials that lack an objective count
    as failed.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: of the reward; `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        objectives: name → `"max"` or `"min"`; see `Objectives`.
        **options: those of `BayesianOptimization`.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    References:
        Knowles (2006), "ParEGO: a hybrid algorithm with on-line landscape approximation for
        expensive multiobjective optimization problems", section III.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        objectives: Mapping[str, Direction | str],
        **options: Any,
    ) -> None:
        self._objectives = Objectives(type(self).__name__, objectives)
        super().__init__(space, optimize_direction, seed, **options)
        self._options["objectives"] = {k: d.value for k, d in self._objectives.directions.items()}
        self._points: dict[Hashable, tuple[float, ...]] = {}

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return what is expected to improve most by the weights of this ask."""
        if self._points:
            weights = rng.dirichlet(np.ones(len(self._objectives.directions)))
            keys = list(self._points)
            costs = weighed(np.array(list(self._points.values())), weights)
            for key, cost in zip(keys, costs.tolist(), strict=True):
                self._known[key] = attrs.evolve(self._known[key], cost=cost)
        return super().propose(rng)

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Remember the outcome."""
        point = self._objectives.costs(trial)
        super().learn(trial, None if point is None else math.fsum(point))
        if point is not None:
            self._points[trial.architecture.key] = point


def weighed(points: Any, weights: Any) -> Any:
    """Return augmented weighed Chebyshev values, `(n,)`.

    Args:
        points: `(n, n_objectives)`, to be made small.
        weights: `(n_objectives,)`, summing to 1.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    parts = weights * (points - low) / np.where(high > low, high - low, 1.0)
    return parts.max(axis=1) + _SUM * parts.sum(axis=1)
