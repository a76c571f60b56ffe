"""Quasi-random search: points that fill the unit cube evenly, as architectures."""

from typing import Any

import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec.unit_interval import from_unit
from hypernets.domain.history.trial import Direction
from hypernets.domain.searchers.randomness import rng_for
from hypernets.domain.searchers.strategy import Strategy
from hypernets.domain.space.hyperparameter import Decision, Real

__all__ = ["Halton", "QuasiRandomSearcher"]

_TRIES = 20  # points that lead to known architectures before a random one takes their place
_BITS = 32  # of a coordinate


class QuasiRandomSearcher(Strategy):
    """Proposes the points of a scrambled Halton sequence, a coordinate for each decision.

    Random points leave gaps and heap up; these are spread evenly in each decision and in pairs of
    them, which pays where a few decisions matter. A decision takes the value at its coordinate: of
    a finite one each has an equal share, of a continuous one the coordinate is the share of the
    range (or of its logarithm) below.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`; of no consequence.
        seed: a non-negative integer; scrambles the sequence. `None` draws one.

    Raises:
        SpaceError: `space` is no space and gives none.

    References:
        Halton (1960), "On the efficiency of certain quasi-random sequences of points"; Owen (2017),
        "A randomized Halton algorithm in R", whose random digit permutations scramble it. Bousquet
        et al. (2017), "Critical hyper-parameters: no random, no cry", for its use here.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
    ) -> None:
        super().__init__(space, optimize_direction, seed)
        self._sequence: Halton | None = None
        self._next_point = 0

    def propose(self, rng: np.random.Generator) -> Architecture | None:
        """Return the architecture of the next point that is new."""
        for _ in range(_TRIES):
            architecture = self._at(self._next_point)
            self._next_point += 1
            if self.is_new(architecture):
                return architecture
        return None

    def _at(self, number: int) -> Architecture:
        ranks = self.space.freeze().ranks
        if self._sequence is None:  # the seed is certain now
            self._sequence = Halton(len(ranks), self.seed)
        point = self._sequence.point(number)

        def choose(decision: Decision) -> Any:
            unit = point[ranks[decision.index]]
            if isinstance(decision, Real) and not decision.is_finite:
                return from_unit(decision, unit)
            size = int(decision.size)
            return decision.value_at(min(int(unit * size), size - 1))

        return self.space.decide(choose)


class Halton:
    """The points of a scrambled Halton sequence.

    Coordinate `j` is the radical inverse of the number of the point in the `j`-th prime as base,
    every digit (the zeros that lead as well) permuted by a permutation that depends on the seed,
    `j` and its place.

    Args:
        n_dimensions: number of coordinates.
        seed: what scrambles.
    """

    def __init__(self, n_dimensions: int, seed: int) -> None:
        self._tables = [
            _digit_shares(base, rng_for(seed, j, "halton"))
            for j, base in enumerate(_primes(n_dimensions))
        ]

    def point(self, number: int) -> list[float]:
        """Return point `number`, from 0: its coordinates, each in `[0, 1)`."""
        return [_radical_inverse(number, shares) for shares in self._tables]


def _digit_shares(base: int, rng: np.random.Generator) -> list[list[float]]:
    """Return, for each place of a digit, what each digit adds to the coordinate."""
    n_places = int(_BITS / np.log2(base)) + 1
    return [
        (rng.permutation(base) / float(base) ** place).tolist() for place in range(1, n_places + 1)
    ]


def _radical_inverse(number: int, shares: list[list[float]]) -> float:
    total, rest = 0.0, number
    base = len(shares[0])
    for share in shares:
        rest, digit = divmod(rest, base)
        total += share[digit]
    return min(total, 1.0 - 2**-53)


def _primes(n: int) -> list[int]:
    primes: list[int] = []
    candidate = 2
    while len(primes) < n:
        if all(candidate % prime for prime in primes if prime * prime <= candidate):
            primes.append(candidate)
        candidate += 1
    return primes
