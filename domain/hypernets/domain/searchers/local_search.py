"""Local search: from the best known architecture to its best neighbour, and on."""

from collections.abc import Hashable, Iterator
from typing import Any

import attrs
import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.searcher import Proposal
from hypernets.domain.searchers.strategy import Strategy, require_count
from hypernets.domain.searchers.variation import neighbours

__all__ = ["LocalSearch"]


@attrs.define
class _Climb:
    """Where a climb stands.

    Attributes:
        trial: of the architecture it stands on.
        cost: of that.
        around: its neighbours that have not been looked at.
        waiting: keys of those that were proposed and have not ended.
        better: the best neighbour that is better, with its cost, if any.
    """

    trial: Trial
    cost: float
    around: Iterator[Architecture]
    waiting: set[Hashable] = attrs.field(factory=set)
    better: tuple[float, Trial] | None = None


class LocalSearch(Strategy):
    """Climbs: proposes the neighbours of an architecture, and goes to a better one.

    It starts at the best of a few random architectures. A neighbour differs in one decision. With
    `first_improvement` it goes to the first neighbour that is better, otherwise to the best of all.
    Where no neighbour is better, it starts again from new random architectures. What is known
    already is not proposed again, but counts as a neighbour. While the last neighbours are being
    evaluated, other workers are given random architectures.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        n_initial: random architectures of which a climb starts at the best.
        first_improvement: whether to go to the first better neighbour.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    The defaults were chosen on the tables of HPOLib and NAS-Bench-Graph and on generated ones.

    References:
        White, Nolen & Savani (2021), "Exploring the loss landscape in neural architecture search",
        algorithm 1, and its variant that goes to the first better neighbour.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        n_initial: int = 10,
        first_improvement: bool = True,
    ) -> None:
        super().__init__(
            space,
            optimize_direction,
            seed,
            n_initial=n_initial,
            first_improvement=first_improvement,
        )
        self._n_initial = require_count(type(self).__name__, "n_initial", n_initial)
        self._first_improvement = bool(first_improvement)
        self._known: dict[Hashable, tuple[float, Trial] | None] = {}
        self._climb: _Climb | None = None
        self._n_started = 0  # random proposals of the present start
        self._n_before = 0  # trials known before it
        self._start: tuple[float, Trial] | None = None

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return the next neighbour; `None` where a random architecture is wanted."""
        if self._climb is None:
            n_told = len(self._known) - self._n_before
            if max(self._n_started, n_told) < self._n_initial or self._start is None:
                self._n_started += 1
                return None
            self._climb_from(self._start, rng)
        while self._climb is not None:
            climb = self._climb
            architecture = self._next_neighbour(climb)
            if architecture is not None:
                climb.waiting.add(architecture.key)
                return Proposal(architecture, parent=climb.trial.number)
            if climb.waiting and climb.better is None:
                return None
            self._move(rng)
        self._n_started += 1
        return None

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Remember the outcome; note whether it is better than where the climb stands."""
        key = trial.architecture.key
        outcome = None if cost is None else (cost, trial)
        self._known[key] = outcome
        if self._climb is None:
            if outcome is not None and (self._start is None or outcome[0] < self._start[0]):
                self._start = outcome
            return
        if key in self._climb.waiting:
            self._climb.waiting.discard(key)
            self._weigh(self._climb, outcome)

    def _next_neighbour(self, climb: _Climb) -> Architecture | None:
        """Return a neighbour to propose, weighing those that are known on the way."""
        if self._first_improvement and climb.better is not None:
            return None
        for architecture in climb.around:
            if self.is_new(architecture):
                return architecture
            self._weigh(climb, self._known.get(architecture.key))
            if self._first_improvement and climb.better is not None:
                return None
        return None

    @staticmethod
    def _weigh(climb: _Climb, outcome: tuple[float, Trial] | None) -> None:
        bar = climb.cost if climb.better is None else climb.better[0]
        if outcome is not None and outcome[0] < bar:
            climb.better = outcome

    def _climb_from(self, start: tuple[float, Trial], rng: np.random.Generator) -> None:
        cost, trial = start
        self._climb = _Climb(trial, cost, neighbours(trial.architecture, rng))

    def _move(self, rng: np.random.Generator) -> None:
        """Go to the better neighbour, or end the climb and start again."""
        assert self._climb is not None
        better = self._climb.better
        if better is not None:
            self._climb_from(better, rng)
            return
        self._climb, self._start, self._n_started = None, None, 0
        self._n_before = len(self._known)
