"""Grid search: every combination of some values of each decision."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec.unit_interval import from_unit
from hypernets.domain.error import SearchExhausted
from hypernets.domain.history.trial import Direction
from hypernets.domain.searchers.strategy import Strategy, require_count
from hypernets.domain.space.hyperparameter import Decision, Real

__all__ = ["GridSearcher"]


class GridSearcher(Strategy):
    """Proposes every combination of some values of each decision, the last decision fastest.

    Of a range of numbers, `resolution` values are taken, both ends among them, evenly spaced in the
    range or its logarithm, as its prior; of every other decision, all values. Decisions that an
    architecture does not have do not multiply. It ends when the grid does.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: of no consequence; there for uniformity.
        resolution: number of values of a range, at least 2; smaller ranges are taken whole.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: `resolution` is no integer >= 2.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        resolution: int = 5,
    ) -> None:
        super().__init__(space, optimize_direction, seed, resolution=resolution)
        self._resolution = require_count(type(self).__name__, "resolution", resolution, 2)
        self._grid = self._combinations()

    def propose(self, rng: np.random.Generator) -> Architecture:
        """Return the next combination that is new.

        Raises:
            SearchExhausted: there is none.
        """
        architecture = self.first_new(self._grid)
        if architecture is None:
            raise SearchExhausted("each combination of the grid has been proposed")
        return architecture

    def _combinations(self) -> Iterator[Architecture]:
        """Yield the grid: an odometer whose wheels are the decisions that the last answer met."""
        path: list[list[int]] = []  # for each decision met: number of its value shown, how many
        while True:
            met = itertools.count()

            def choose(decision: Decision, met: Iterator[int] = met) -> Any:
                depth = next(met)
                if depth == len(path):
                    path.append([0, self._n_values(decision)])
                return self._value(decision, path[depth][0])

            yield self.space.decide(choose)
            while path and path[-1][0] + 1 == path[-1][1]:
                path.pop()
            if not path:
                return
            path[-1][0] += 1

    def _n_values(self, decision: Decision) -> int:
        ranged = isinstance(decision, Real) or hasattr(decision, "low")
        return int(min(decision.size, self._resolution)) if ranged else int(decision.size)

    def _value(self, decision: Decision, number: int) -> Any:
        n = self._n_values(decision)
        if isinstance(decision, Real) and not decision.is_finite:
            return from_unit(decision, number / (n - 1))
        return decision.value_at(round(number * (int(decision.size) - 1) / max(n - 1, 1)))
