"""NSGA-II: evolution towards the whole front of what can be traded off."""

from collections import deque
from collections.abc import Hashable, Mapping
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.non_domination import crowding_distances, non_domination_ranks
from hypernets.domain.searchers.objective import Objectives
from hypernets.domain.searchers.searcher import Proposal
from hypernets.domain.searchers.strategy import Strategy, require_count, require_fraction
from hypernets.domain.searchers.surrogate.acquisition import normal_scores
from hypernets.domain.searchers.surrogate.architecture_model import ArchitectureModel
from hypernets.domain.searchers.surrogate.encoding import encoder_for
from hypernets.domain.searchers.surrogate.gaussian_process import Kernel
from hypernets.domain.searchers.variation import crossover, mutate

__all__ = ["NSGA2"]

Array = npt.NDArray[np.float64]

_ROOM = 5  # times the size of the population, for members that none dominates
_TRIES, _MORE = 50, 4  # children drawn in an ask: so many, and more for each one that is wanted
_MEASURED = 200  # of the latest, that the models are made from
_REFIT = 1.5  # growth of the measurements before the kernels are fitted anew
_DIGITS = 6  # of a drawn value; machines round otherwise


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

    Of several children one is evaluated: from a model of each objective (a Gaussian process, as
    `BayesianOptimization` has it) a value is drawn for each child, and the child is taken that
    would be best in the population, by rank and distance.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: of the reward; `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        objectives: name → `"max"` or `"min"`; see `Objectives`.
        population_size: number of members, where there are dominated ones among them.
        n_initial: random proposals before the first child.
        crossover_rate: how often a child is of two parents rather than of one.
        n_children: of how many children one is chosen; 1 is NSGA-II without models, whose asks
            take a fraction of a millisecond rather than some tens of them.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    The defaults were chosen on the tables of HPOLib and NAS-Bench-Graph.

    References:
        Deb, Pratap, Agarwal & Meyarivan (2002), "A fast and elitist multiobjective genetic
        algorithm: NSGA-II"; Durillo, Nebro, Luna & Alba (2009), "On the effect of the steady-state
        selection scheme in multi-objective genetic algorithms"; Lu, Deb, Goodman, Banzhaf & Boddeti
        (2020), "NSGANetV2: evolutionary multi-objective surrogate-assisted neural architecture
        search", for children chosen by models.
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
        n_children: int = 50,
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
            n_children=n_children,
        )
        self._size = require_count(where, "population_size", population_size, 2)
        self._n_initial = require_count(where, "n_initial", n_initial)
        self._crossover_rate = require_fraction(where, "crossover_rate", crossover_rate)
        self._n_children = require_count(where, "n_children", n_children)
        self._encoder = encoder_for(self.space)
        self._measured: deque[tuple[Architecture, tuple[float, ...]]] = deque(maxlen=_MEASURED)
        self._kernels: list[tuple[Kernel | None, tuple[str, ...]]] = []
        self._n_measured, self._n_fitted = 0, 0
        self._population: list[_Member] = []
        self._ranking: list[tuple[int, float]] = []  # rank, minus the distance; of each member

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return a child of the population; `None` while the first ones are drawn."""
        if self.n_seen < self._n_initial or not self._population:
            return None
        children: dict[Hashable, Proposal] = {}
        for _ in range(_TRIES + _MORE * self._n_children):
            child, parent = self._child(rng)
            if child.key not in children and self.is_new(child):
                children[child.key] = Proposal(child, parent=parent.trial.number)
                if len(children) == self._n_children:
                    break
        proposals = list(children.values())
        return proposals[self._chosen(proposals, rng)] if proposals else None

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Let a trial join; the most dominated and most crowded member leaves."""
        costs = self._objectives.costs(trial)
        if costs is None:
            return
        self._measured.append((trial.architecture.without_graph(), costs))
        self._n_measured += 1
        self._population.append(_Member(costs, trial))
        self._rank()
        worst = max(range(len(self._ranking)), key=lambda place: self._ranking[place])
        is_dominated = self._ranking[worst][0] > 0
        if len(self._population) > (self._size if is_dominated else _ROOM * self._size):
            self._population.pop(worst)
            self._rank()

    def _child(self, rng: np.random.Generator) -> tuple[Architecture, _Member]:
        """Return a child, and the parent that it is mostly of."""
        parent = self._winner(rng)
        child = parent.trial.architecture
        if rng.random() < self._crossover_rate:
            child = crossover(child, self._winner(rng).trial.architecture, rng)
        if child.key == parent.trial.architecture.key or rng.random() < 0.5:
            child = mutate(child, rng)
        return child, parent

    def _chosen(self, children: list[Proposal], rng: np.random.Generator) -> int:
        """Return which child would be best in the population, by values drawn from models."""
        if len(children) == 1:
            return 0
        architectures = [architecture for architecture, _ in self._measured]
        costs = np.array([costs for _, costs in self._measured])
        scales = [normal_scores(column) for column in costs.T]
        fit = self._n_measured >= _REFIT * self._n_fitted
        self._kernels = self._kernels or [(None, ())] * len(scales)
        rows = self._encoder.rows([each.architecture for each in children])
        drawn = np.empty((len(children), len(scales)))
        for place, (values, (kernel, used)) in enumerate(zip(scales, self._kernels, strict=True)):
            model = ArchitectureModel(
                self._encoder, architectures, values, kernel=kernel, used=used, fit=fit
            )
            self._kernels[place] = (model.kernel, model.used)
            mean, deviation = model.predict(rows)
            drawn[:, place] = mean + deviation * rng.normal(size=len(children))
        if fit:
            self._n_fitted = self._n_measured
        points = np.concatenate([np.stack(scales, axis=1), np.round(drawn, _DIGITS)])
        ranking = _ranking(points)[len(costs) :]
        return min(range(len(ranking)), key=lambda place: ranking[place])

    def _rank(self) -> None:
        self._ranking = _ranking(np.array([member.costs for member in self._population]))

    def _winner(self, rng: np.random.Generator) -> _Member:
        drawn: list[int] = rng.integers(len(self._population), size=2).tolist()
        return self._population[min(drawn, key=lambda place: self._ranking[place])]


def _ranking(points: Array) -> list[tuple[int, float]]:
    """Return rank of non-domination and minus the distance from neighbours for each point."""
    ranks = non_domination_ranks(points)
    distances = np.zeros(len(points))
    for rank in range(int(ranks.max()) + 1):
        front = np.flatnonzero(ranks == rank)
        distances[front] = crowding_distances(points[front])
    return list(zip(ranks.tolist(), (-distances).tolist(), strict=True))
