"""Densities of decisions as sums of kernels around known ones (Parzen windows)."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec.unit_interval import from_unit, to_unit
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.searchers.surrogate.encoding import places_of_values
from hypernets.domain.searchers.variation import is_ordered
from hypernets.domain.space.hyperparameter import Decision, Real

__all__ = ["ParzenKernels", "ParzenWindows", "places"]

Array = npt.NDArray[np.float64]

_LISTED = 64  # values of a decision whose kernels are kept as a table


class ParzenKernels:
    """How likely each decision is to take a value, given that a known architecture has another.

    A decision without order keeps its value, or takes any with probability `width`. A number moves
    by a normal step with `width` of its range as standard deviation. One that the known
    architecture does not have is drawn uniformly.

    Args:
        decisions: of the space, in the order of their ranks.
        width: of the kernels, above 0, at most 1.
    """

    def __init__(self, decisions: Sequence[Decision], width: float) -> None:
        self._decisions, self._width = decisions, width

    def draw(self, rank: int, known: float, rng: np.random.Generator) -> Any:
        """Return a value of a decision; `known` is where the known architecture has it, or NaN."""
        decision = self._decisions[rank]
        if math.isnan(known):
            return decision.sample(rng)
        if _is_listed(decision):
            chances = self._table(rank)[int(known)]
            number = int(np.searchsorted(np.cumsum(chances), rng.random(), side="right"))
            return decision.value_at(min(number, len(chances) - 1))
        if not _is_on_a_scale(decision):
            keeps = rng.random() >= self._width
            return decision.value_at(int(known)) if keeps else decision.sample(rng)
        unit = known
        for _ in range(20):  # truncated to the range
            unit = known + self._width * rng.normal()
            if 0.0 <= unit <= 1.0:
                break
        return _from_unit(decision, min(max(unit, 0.0), 1.0))

    def logs(self, rank: int, values: Array, known: Array) -> Array:
        """Return the logarithms of densities, `(n_values, n_known)`.

        Args:
            rank: of the decision.
            values: `(n_values,)` places (see `places`); NaN where it is not active: there the
                density is 1.
            known: `(n_known,)` likewise; where it is not active, the density is uniform.
        """
        decision = self._decisions[rank]
        uniform = 0.0 if _is_on_a_scale(decision) else -math.log(decision.size)
        logs = np.full((len(values), len(known)), uniform)
        has, there = np.flatnonzero(~np.isnan(values)), np.flatnonzero(~np.isnan(known))
        x, c = values[has][:, None], known[there][None, :]
        if _is_listed(decision):
            found = np.log(self._table(rank))[c.astype(int), x.astype(int)]
        elif _is_on_a_scale(decision):
            found = -0.5 * ((x - c) / self._width) ** 2 - np.log(_mass(c, self._width))
        else:
            other = self._width / float(decision.size)
            found = np.where(x == c, math.log(1.0 - self._width + other), math.log(other))
        logs[np.ix_(has, there)] = found
        logs[np.isnan(values)] = 0.0
        return logs

    def _table(self, rank: int) -> Array:
        return _table_of(self._decisions[rank], self._width)


class ParzenWindows:
    """A density over the architectures of a space, made of known ones and the uniform one.

    Args:
        kernels: of the decisions.
        known: `(n_known, n_decisions)` the places of known architectures.
    """

    def __init__(self, kernels: ParzenKernels, known: Array) -> None:
        self._kernels = kernels
        self._known = np.concatenate([known, np.full((1, known.shape[1]), np.nan)])

    def draw(self, rng: np.random.Generator) -> Array:
        """Return the places of one of the architectures that it is made of, `(n_decisions,)`."""
        return np.asarray(self._known[int(rng.integers(len(self._known)))])

    def logs(self, places: Array) -> Array:
        """Return the logarithm of the density at some places, `(n,)`, but for a constant."""
        total = np.zeros((len(places), len(self._known)))
        for rank in range(places.shape[1]):
            total += self._kernels.logs(rank, places[:, rank], self._known[:, rank])
        most = total.max(axis=1, keepdims=True)
        means = np.exp(total - most).mean(axis=1)
        return np.asarray(most[:, 0] + np.log(means))


def places(architecture: Architecture) -> Array:
    """Return where an architecture has each decision, `(n_decisions,)`; NaN where inactive.

    Of a decision with at most 64 values the number of the value; of a longer or a continuous scale
    the place from 0 to 1; of any other the number of the value.
    """
    found = np.full(len(architecture.values), np.nan)
    decisions = architecture.frozen.decisions
    for rank, value in enumerate(architecture.values):
        if value is not UNDECIDED:
            found[rank] = _place(decisions[rank], value)
    return found


def _place(decision: Decision, value: Any) -> float:
    if isinstance(decision, Real) and not decision.is_finite:
        return to_unit(decision, value)
    number = float(decision.index_of(value))
    return number / (float(decision.size) - 1.0) if _is_on_a_scale(decision) else number


def _from_unit(decision: Decision, unit: float) -> Any:
    if isinstance(decision, Real) and not decision.is_finite:
        return from_unit(decision, unit)
    return decision.value_at(round(unit * (int(decision.size) - 1)))


def _is_listed(decision: Decision) -> bool:
    return bool(decision.is_finite) and decision.size <= _LISTED


def _is_on_a_scale(decision: Decision) -> bool:
    """Say whether its kernels are normal ones on the range from 0 to 1."""
    if isinstance(decision, Real) and not decision.is_finite:
        return True
    return not _is_listed(decision) and is_ordered(decision)


def _mass(centres: Array, width: float) -> Array:
    """Return how much of normal distributions, not normalised, lies between 0 and 1."""
    scale = 1.0 / (width * math.sqrt(2.0))
    erf = np.vectorize(math.erf, otypes=[float])
    half = width * math.sqrt(math.pi / 2.0)
    return np.asarray(half * (erf((1.0 - centres) * scale) + erf(centres * scale)))


@functools.lru_cache(maxsize=1_024)
def _table_of(decision: Decision, width: float) -> Array:
    """Return `(size, size)` chances of each value, in a row for each known value."""
    size = int(decision.size)
    ranks = places_of_values(decision)
    if not ranks and is_ordered(decision) and size > 2:
        ranks = tuple(number / (size - 1) for number in range(size))
    uniform = np.full((size, size), 1.0 / size)
    if not ranks:
        return np.asarray((1.0 - width) * np.eye(size) + width * uniform)
    where = np.array(ranks)
    near = np.exp(-0.5 * ((where[:, None] - where[None, :]) / width) ** 2)
    near /= near.sum(axis=1, keepdims=True)
    return np.asarray(0.99 * near + 0.01 * uniform)
