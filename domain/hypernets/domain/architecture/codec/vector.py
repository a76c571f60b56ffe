"""Numeric vectors: one entry for each decision of the space, by its rank."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec.membership import values_of
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["VectorCodec"]

_EXACT = 2**53  # beyond, a float does not hold every integer


class VectorCodec:
    """Architectures of one space as vectors of numbers with a mask of activity.

    The entry of a finite decision is the number of its value, from 0; that of a continuous one is
    the value itself. Round trips are exact. A vector does not tell which space it is of: one of
    another space is refused where it encodes nothing in this one.

    Attributes:
        names: `(n,)` names of the decisions, by rank.

    Raises:
        SpaceError: a decision has more values than a float can number.

    Example:
        >>> from hypernets.domain.space import Choice, HyperSpace, Identity
        >>> space = HyperSpace()
        >>> with space.as_default():
        ...     _ = Identity(units=Choice([16, 32, 64], name="units"))
        >>> VectorCodec(space).encode(space.architecture({"units": 64}))
        (array([2.]), array([ True]))
    """

    def __init__(self, space: HyperSpace) -> None:
        self._frozen = space.freeze()
        self.names = tuple(decision.name for decision in self._frozen.decisions)
        for decision in self._frozen.decisions:
            if decision.is_finite and decision.size > _EXACT:
                raise SpaceError(
                    f"a decision must have at most 2**53 values to be one number of a vector; "
                    f"received {decision.name!r} with {decision.size}; use JSON, or make the "
                    "decision smaller"
                )

    def encode(
        self, architecture: Architecture
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Return `values`, `(n,)`, and `mask`, `(n,)`: which decisions are active.

        The entries of the others are 0.

        Raises:
            SpaceError: the architecture is of another space.
        """
        values = np.zeros(len(self.names))
        mask = np.zeros(len(self.names), dtype=bool)
        for rank, value in enumerate(values_of(self._frozen, architecture)):
            if value is not UNDECIDED:
                decision = self._frozen.decisions[rank]
                values[rank] = decision.index_of(value) if decision.is_finite else value
                mask[rank] = True
        return values, mask

    def decode(self, values: npt.ArrayLike, mask: npt.ArrayLike) -> Architecture:
        """Return the architecture of `values`, `(n,)`, and `mask`, `(n,)`.

        Raises:
            SpaceError: they encode no architecture of this space.
        """
        numbers, active = np.asarray(values), np.asarray(mask)
        self._check(numbers, active)
        ranks = self._frozen.ranks

        def choose(decision: Decision) -> Any:
            rank = ranks[decision.index]
            if not active[rank]:
                raise SpaceError(
                    f"a mask must hold every active decision; received False for "
                    f"{decision.name!r} ({decision.label}), which the others make active; decode "
                    "only what was encoded in this space"
                )
            return _value(decision, numbers[rank].item())

        architecture = self._frozen.decide(choose)
        for rank, value in enumerate(architecture.values):
            if value is UNDECIDED and (active[rank] or numbers[rank] != 0):
                decision = self._frozen.decisions[rank]
                raise SpaceError(
                    f"the entry of an inactive decision must be 0 and masked; received "
                    f"{numbers[rank].item()!r} and {bool(active[rank])} for {decision.name!r} "
                    f"({decision.label}); decode only what was encoded in this space"
                )
        return architecture

    def _check(self, numbers: npt.NDArray[Any], active: npt.NDArray[Any]) -> None:
        n = len(self.names)
        if numbers.shape != (n,) or (n and numbers.dtype.kind not in "fiu"):
            raise SpaceError(
                f"the values of a vector must be {n} numbers, one a decision; received an array of "
                f"shape {numbers.shape} of {numbers.dtype}; decode only what was encoded in this "
                "space"
            )
        if active.shape != (n,) or (n and active.dtype != np.bool_):
            raise SpaceError(
                f"the mask of a vector must be {n} booleans, one a decision; received an array of "
                f"shape {active.shape} of {active.dtype}; give the mask that came with the values"
            )


def _value(decision: Decision, number: float) -> Any:
    if not decision.is_finite:
        return decision.normalise(number)
    if not math.isfinite(number) or number != int(number) or not 0 <= number < decision.size:
        raise SpaceError(
            f"the entry of a finite decision must be the number of its value, from 0 to "
            f"{int(decision.size) - 1}; received {number!r} for {decision.name!r} "
            f"({decision.label}); decode only what was encoded in this space"
        )
    return decision.value_at(int(number))
