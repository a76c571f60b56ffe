"""TPE: what is likely among the good trials and unlikely among the others."""

import math
from typing import Any

import attrs
import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.parzen import Array, ParzenKernels, ParzenWindows, places
from hypernets.domain.searchers.strategy import Strategy, require_count
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["TPE"]

_GOOD = (0.5, 25)  # good ones: half the square root of the number of trials; at most
_OTHERS = 500  # that the second density is made of, at most: the latest
_WIDTHS = (0.1, 0.5)  # of the kernels, at least and at most
_ROUNDS = 5  # of candidates, until one is new


@attrs.frozen
class _Known:
    cost: float
    number: int
    places: Array


class TPE(Strategy):
    """Draws candidates from the density of the good trials, and takes the least common otherwise.

    The trials are parted in a few good ones and the others, and a density is made of either, a sum
    of kernels around the trials. Kernels span all decisions, so that what goes together stays
    together; of a conditional space a candidate has the decisions that its own choices make active,
    and what a trial does not have it does not speak about. The candidate whose ratio of the two
    densities is largest is proposed: for these densities, the one with the largest expected
    improvement. Failed trials are among the others, and so are those that have not ended.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        n_initial: random architectures before the first density.
        n_candidates: drawn in an ask.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    The defaults were chosen on the tables of HPOLib and NAS-Bench-Graph and on generated ones.

    References:
        Bergstra, Bardenet, Bengio & Kégl (2011), "Algorithms for hyper-parameter optimization",
        section 4; Falkner, Klein & Hutter (2018), "BOHB", section 3.2, for kernels over all
        decisions; Watanabe (2023), "Tree-structured Parzen estimator: understanding its algorithm
        components and their roles for better empirical performance".
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        n_initial: int = 10,
        n_candidates: int = 24,
    ) -> None:
        super().__init__(
            space, optimize_direction, seed, n_initial=n_initial, n_candidates=n_candidates
        )
        where = type(self).__name__
        self._n_initial = require_count(where, "n_initial", n_initial)
        self._n_candidates = require_count(where, "n_candidates", n_candidates)
        self._known: list[_Known] = []

    def propose(self, rng: np.random.Generator) -> Architecture | None:
        """Return the best of the candidates; `None` while the first ones are drawn."""
        succeeded = any(math.isfinite(each.cost) for each in self._known)
        if self.n_seen < self._n_initial or not succeeded:
            return None
        good, others = self._parted()
        n_decisions = good.shape[1]
        width = min(max(len(good) ** (-1.0 / (n_decisions + 4)) * 0.2, _WIDTHS[0]), _WIDTHS[1])
        kernels = ParzenKernels(self.space.freeze().decisions, width)
        likely, unlikely = ParzenWindows(kernels, good), ParzenWindows(kernels, others)
        for _ in range(_ROUNDS):
            drawn = [self._near(likely.draw(rng), kernels, rng) for _ in range(self._n_candidates)]
            fresh = list({each.key: each for each in drawn if self.is_new(each)}.values())
            if fresh:
                at = np.array([places(each) for each in fresh])
                ratios = likely.logs(at) - unlikely.logs(at)
                return fresh[int(np.argmax(np.round(ratios, 6)))]  # machines round otherwise
        return None

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Remember the outcome."""
        value = math.inf if cost is None else cost
        self._known.append(_Known(value, trial.number, places(trial.architecture)))

    def _parted(self) -> tuple[Array, Array]:
        """Return the places of the good trials, and of the others and those that have not ended."""
        ordered = sorted(self._known, key=lambda each: (each.cost, each.number))
        factor, most = _GOOD
        n_succeeded = sum(math.isfinite(each.cost) for each in ordered)
        n_good = min(math.ceil(factor * math.sqrt(len(ordered))), most, n_succeeded)
        others = sorted(ordered[n_good:], key=lambda each: each.number)[-_OTHERS:]
        pending = [places(each.architecture) for each in self.pending.values()]
        return (
            np.array([each.places for each in ordered[:n_good]]),
            np.array([*(each.places for each in others), *pending]).reshape(
                -1, len(ordered[0].places)
            ),
        )

    def _near(self, known: Array, kernels: ParzenKernels, rng: np.random.Generator) -> Architecture:
        """Return an architecture drawn around a known one."""
        ranks = self.space.freeze().ranks

        def choose(decision: Decision) -> Any:
            rank = ranks[decision.index]
            return kernels.draw(rank, float(known[rank]), rng)

        return self.space.decide(choose)
