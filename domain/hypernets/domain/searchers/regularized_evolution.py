"""Regularized evolution: tournaments in a population from which the oldest leaves."""

from collections import deque
from typing import Any

import attrs
import numpy as np

from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.searcher import Proposal
from hypernets.domain.searchers.strategy import Strategy, require_count, require_fraction
from hypernets.domain.searchers.variation import crossover, mutate

__all__ = ["RegularizedEvolution"]

_TRIES = 50  # mutations of one parent before a random architecture takes their place


@attrs.frozen
class _Member:
    cost: float
    trial: Trial


class RegularizedEvolution(Strategy):
    """Mutates the best of a few, taken at random from the youngest that succeeded.

    The first proposals are random; the population grows from them. Then each is a child of a
    tournament's winner. A member leaves the population when `population_size` younger ones have
    joined, however good it is: what was merely lucky once is forgotten. Mutation changes one
    decision, of the structure or a value, and does so again until the child is new. Trials that
    fail do not join.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        population_size: number of members.
        sample_size: members of a tournament.
        n_initial: random proposals before the first child.
        crossover_rate: how often a child is of two parents, winners of two tournaments, and mutated
            only where that gives nothing new.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    The defaults were chosen on the tables of HPOLib and NAS-Bench-Graph and on generated ones.

    References:
        Real, Aggarwal, Huang & Le (2019), "Regularized evolution for image classifier architecture
        search", section 3, algorithm 1.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        population_size: int = 50,
        sample_size: int = 25,
        n_initial: int = 10,
        crossover_rate: float = 0.0,
    ) -> None:
        super().__init__(
            space,
            optimize_direction,
            seed,
            population_size=population_size,
            sample_size=sample_size,
            n_initial=n_initial,
            crossover_rate=crossover_rate,
        )
        where = type(self).__name__
        size = require_count(where, "population_size", population_size)
        self._sample_size = require_count(where, "sample_size", sample_size)
        self._n_initial = require_count(where, "n_initial", n_initial)
        self._crossover_rate = require_fraction(where, "crossover_rate", crossover_rate)
        self._population: deque[_Member] = deque(maxlen=size)

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return a child of the population; `None` while the first ones are drawn."""
        if self.n_seen < self._n_initial or not self._population:
            return None
        parent = self._winner(rng)
        architecture = parent.trial.architecture
        child = None
        if rng.random() < self._crossover_rate:
            other = self._winner(rng).trial.architecture
            child = self.first_new([crossover(architecture, other, rng)])
        if child is None:
            child = self.first_new(mutate(architecture, rng) for _ in range(_TRIES))
        return None if child is None else Proposal(child, parent=parent.trial.number)

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Let a trial that succeeded join; the oldest member leaves."""
        if cost is not None:
            self._population.append(_Member(cost, trial))

    def _winner(self, rng: np.random.Generator) -> _Member:
        n = min(self._sample_size, len(self._population))
        places = rng.choice(len(self._population), size=n, replace=False)
        return min((self._population[place] for place in places.tolist()), key=lambda m: m.cost)
