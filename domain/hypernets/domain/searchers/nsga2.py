"""NSGA-II: evolution towards the whole front of what can be traded off."""

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.non_domination import crowding_distances, non_domination_ranks
from hypernets.domain.searchers.objective import Objectives
from hypernets.domain.searchers.searcher import Proposal
from hypernets.domain.searchers.strategy import Strategy, require_count, require_fraction
from hypernets.domain.searchers.variation import crossover, mutate

__all__ = ["NSGA2"]

_ROOM = 5  # times the size of the population, for members that none dominates
_TRIES = 50  # children of one pair of parents before a random architecture takes their place


@attrs.frozen
class _Member:
    costs: tuple[float, ...]
    trial: Trial


class NSGA2(Strategy):
    """Evolves a population that spreads over the Pareto front of several objectives.

    The first proposals are random. Then each is a child of two winners of tournaments, by rank of
    non-domination and, within a rank, by distance from its neighbours. As each trial ends, it joins
    the population, and the worst member leaves (steady state), so that workers never wait for a
    generation; one that none dominates stays, while there are no more than five times as many as
    the population is large. Trials that fail, or lack an objective, do not join.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: of the reward; `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        objectives: name → `"max"` or `"min"`; see `Objectives`.
        population_size: number of members, where there are dominated ones among them.
        n_initial: random proposals before the first child.
        crossover_rate: how often a child is of two parents rather than of one.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    The defaults were chosen on the tables of HPOLib and NAS-Bench-Graph.

    References:
        Deb, Pratap, Agarwal & Meyarivan (2002), "A fast and elitist multiobjective genetic
        algorithm: NSGA-II"; Durillo, Nebro, Luna & Alba (2009), "On the effect of the steady-state
        selection scheme in multi-objective genetic algorithms".
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        objectives: Mapping[str, Direction | str],
        population_size: int = 10,
        n_initial: int = 20,
        crossover_rate: float = 0.5,
    ) -> None:
        where = type(self).__name__
        self._objectives = Objectives(where, objectives)
        super().__init__(
            space,
            optimize_direction,
            seed,
            objectives={k: d.value for k, d in self._objectives.directions.items()},
            population_size=population_size,
            n_initial=n_initial,
            crossover_rate=crossover_rate,
        )
        self._size = require_count(where, "population_size", population_size, 2)
        self._n_initial = require_count(where, "n_initial", n_initial)
        self._crossover_rate = require_fraction(where, "crossover_rate", crossover_rate)
        self._population: list[_Member] = []
        self._ranking: list[tuple[int, float]] = []  # rank, minus the distance; of each member

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return a child of the population; `None` while the first ones are drawn."""
        if self.n_seen < self._n_initial or not self._population:
            return None
        for _ in range(_TRIES):
            parent = self._winner(rng)
            child = parent.trial.architecture
            if rng.random() < self._crossover_rate:
                child = crossover(child, self._winner(rng).trial.architecture, rng)
            if child.key == parent.trial.architecture.key or rng.random() < 0.5:
                child = mutate(child, rng)
            if self.is_new(child):
                return Proposal(child, parent=parent.trial.number)
        return None

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Let a trial join; the most dominated and most crowded member leaves."""
        costs = self._objectives.costs(trial)
        if costs is None:
            return
        self._population.append(_Member(costs, trial))
        self._rank()
        worst = max(range(len(self._ranking)), key=lambda place: self._ranking[place])
        is_dominated = self._ranking[worst][0] > 0
        if len(self._population) > (self._size if is_dominated else _ROOM * self._size):
            self._population.pop(worst)
            self._rank()

    def _rank(self) -> None:
        points = np.array([member.costs for member in self._population])
        ranks = non_domination_ranks(points)
        distances = np.zeros(len(points))
        for rank in range(int(ranks.max()) + 1):
            front = np.flatnonzero(ranks == rank)
            distances[front] = crowding_distances(points[front])
        self._ranking = list(zip(ranks.tolist(), (-distances).tolist(), strict=True))

    def _winner(self, rng: np.random.Generator) -> _Member:
        drawn: list[int] = rng.integers(len(self._population), size=2).tolist()
        return self._population[min(drawn, key=lambda place: self._ranking[place])]
