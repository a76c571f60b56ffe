"""Cheapest or largest first: a baseline that needs no training at all to rank a network."""

import functools
import heapq
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import BuildError, SearchError
from hypernets.domain.history.trial import Direction
from hypernets.domain.searchers.strategy import Strategy, require_count

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["CostOrderSearcher"]

_MEASURES = ("parameters", "multiply_adds", "depth", "activation_bytes", "weight_bytes")


class CostOrderSearcher(Strategy):
    """Proposes architectures by what they cost, the largest (or the cheapest) first.

    The cost is computed from the graph; nothing is learned from trials. Of a space with at most
    `pool` architectures all are ranked, once; of a larger one, as many random ones, and when these
    are used up, as many others. Those whose cost is not known come last, in a random order, as do
    those of equal cost among each other.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`; of no consequence.
        seed: a non-negative integer; `None` draws one.
        measure: which attribute of `Cost`.
        largest: whether the largest comes first.
        pool: architectures that are ranked together.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    References:
        White, Khodak, Tu, Shah, Bubeck & Dey (2022), "A deeper look at zero-cost proxies for
        lightweight NAS", where parameters and FLOPs are strong baselines.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        measure: str = "parameters",
        largest: bool = True,
        pool: int = 20_000,
    ) -> None:
        super().__init__(
            space, optimize_direction, seed, measure=measure, largest=largest, pool=pool
        )
        where = type(self).__name__
        if measure not in _MEASURES:
            raise SearchError(
                f"{where}: measure must be one of {', '.join(map(repr, _MEASURES))}; received "
                f"{measure!r}; leave it out for the parameters"
            )
        self._pool = require_count(where, "pool", pool)
        self._measure, self._largest = measure, bool(largest)
        self._heap: list[tuple[float, float, int, Architecture]] = []

    def propose(self, rng: np.random.Generator) -> Architecture | None:
        """Return the largest (or the cheapest) of the pool that is new."""
        while True:
            if not self._heap and not self._fill(rng):
                return None
            *_, architecture = heapq.heappop(self._heap)
            if self.is_new(architecture):
                return architecture

    def _fill(self, rng: np.random.Generator) -> bool:
        """Rank a new pool; say whether anything is in it."""
        if self.space.is_finite and self.space.count() <= self._pool:
            costs = _costs_of_all(self.space, self._measure)
        else:
            drawn = {each.key: each for each in (self.space.sample(rng) for _ in range(self._pool))}
            costs = [(each.without_graph(), _cost(each, self._measure)) for each in drawn.values()]
        sign = -1.0 if self._largest else 1.0
        ties = rng.random(len(costs)).tolist()
        self._heap = [
            (math.inf if cost is None else sign * cost, tie, place, each)
            for place, ((each, cost), tie) in enumerate(zip(costs, ties, strict=True))
            if self.is_new(each)
        ]
        heapq.heapify(self._heap)
        return bool(self._heap)


@functools.lru_cache(maxsize=4)
def _costs_of_all(space: "HyperSpace", measure: str) -> list[tuple[Architecture, float | None]]:
    """Return each architecture of a small space with its cost, for all searchers of it."""
    return [(each.without_graph(), _cost(each, measure)) for each in space.enumerate(0)]


def _cost(architecture: Architecture, measure: str) -> float | None:
    try:
        return float(getattr(architecture.cost(), measure))
    except BuildError:
        return None
