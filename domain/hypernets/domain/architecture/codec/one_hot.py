"""One-hot vectors: a column for each value of each decision, for surrogates that need numbers."""

import math
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec.membership import values_of
from hypernets.domain.architecture.codec.unit_interval import from_unit, to_unit
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Decision, MultipleChoice, Real

__all__ = ["OneHotCodec"]

COLUMN_LIMIT = 100_000
"""More columns than this are refused."""

Vector = npt.NDArray[np.float64]


class OneHotCodec:
    """Architectures of one space as one-hot vectors, laid out by rank of the decisions.

    A finite decision has a column for each value, of which one is 1; a `MultipleChoice` one for
    each option, 1 for those chosen. A continuous decision is one column from 0 to 1, linear or
    logarithmic as its prior. Columns of a decision that is not active are all 0 (for a continuous
    one, that is also its lowest value; which one is meant follows from the other decisions).

    Round trips are exact for finite decisions. A continuous value comes back as the shortest number
    with the same column, so to about 15 digits, and that column comes back as it was. A vector does
    not tell which space it is of: one of another space is refused where it encodes nothing here.

    Attributes:
        columns: `(n_columns,)` what each column says, `"units=64"`.

    Raises:
        SpaceError: there would be more than 100,000 columns.

    Example:
        >>> from hypernets.domain.space import Choice, HyperSpace, Identity
        >>> space = HyperSpace()
        >>> with space.as_default():
        ...     _ = Identity(units=Choice([16, 32, 64], name="units"))
        >>> codec = OneHotCodec(space)
        >>> codec.columns
        ('units=16', 'units=32', 'units=64')
        >>> codec.encode(space.architecture({"units": 64}))
        array([0., 0., 1.])
    """

    def __init__(self, space: HyperSpace) -> None:
        self._frozen = space.freeze()
        widths = [_width(decision) for decision in self._frozen.decisions]
        if sum(widths) > COLUMN_LIMIT:
            widest = widths.index(max(widths))
            raise SpaceError(
                f"a one-hot vector must have at most {COLUMN_LIMIT:,} columns; received "
                f"{sum(widths):,}, most of them for {self._frozen.decisions[widest].name!r}; use "
                "VectorCodec"
            )
        ends = np.cumsum([0, *widths]).tolist()
        self._blocks = [
            _Block(decision, start, stop)
            for decision, start, stop in zip(
                self._frozen.decisions, ends[:-1], ends[1:], strict=True
            )
        ]
        self.columns = tuple(name for block in self._blocks for name in block.names())

    def encode(self, architecture: Architecture) -> Vector:
        """Return the vector of an architecture, `(n_columns,)`.

        Raises:
            SpaceError: the architecture is of another space.
        """
        vector = np.zeros(len(self.columns))
        values = values_of(self._frozen, architecture)
        for block, value in zip(self._blocks, values, strict=True):
            if value is not UNDECIDED:
                block.write(value, vector[block.start : block.stop])
        return vector

    def decode(self, vector: npt.ArrayLike) -> Architecture:
        """Return the architecture of a vector, `(n_columns,)`.

        Raises:
            SpaceError: it encodes no architecture of this space.
        """
        numbers = np.asarray(vector)
        n = len(self.columns)
        if numbers.shape != (n,) or (n and numbers.dtype.kind not in "fiu"):
            raise SpaceError(
                f"a one-hot vector of this space must be {n} numbers; received an array of shape "
                f"{numbers.shape} of {numbers.dtype}; decode only what was encoded in this space"
            )
        ranks, blocks = self._frozen.ranks, self._blocks

        def choose(decision: Decision) -> Any:
            block = blocks[ranks[decision.index]]
            return block.read(numbers[block.start : block.stop])

        architecture = self._frozen.decide(choose)
        for block, value in zip(blocks, architecture.values, strict=True):
            columns = numbers[block.start : block.stop]
            if value is UNDECIDED and columns.any():
                raise SpaceError(
                    f"the columns of an inactive decision must be 0; received {_sample(columns)} "
                    f"for {block.decision.name!r} ({block.decision.label}); decode only what was "
                    "encoded in this space"
                )
        return architecture


@attrs.frozen(slots=True)
class _Block:
    """The columns of one decision."""

    decision: Decision
    start: int
    stop: int

    def names(self) -> list[str]:
        decision = self.decision
        if not decision.is_finite:
            return [decision.name]
        if isinstance(decision, MultipleChoice):
            return [f"{decision.name} has {_shown(o, k)}" for k, o in enumerate(decision.options)]
        values = [decision.value_at(k) for k in range(int(decision.size))]
        return [f"{decision.name}={_shown(value, k)}" for k, value in enumerate(values)]

    def write(self, value: Any, columns: Vector) -> None:
        decision = self.decision
        if isinstance(decision, MultipleChoice):
            columns[[decision.index_of([option]) for option in value]] = 1.0  # sets of one go first
        elif decision.is_finite:
            columns[decision.index_of(value)] = 1.0
        else:
            assert isinstance(decision, Real)
            columns[0] = to_unit(decision, value)

    def read(self, columns: npt.NDArray[Any]) -> Any:
        """Return the value that the columns say.

        Raises:
            SpaceError: they say none.
        """
        decision = self.decision
        if not decision.is_finite:
            assert isinstance(decision, Real)
            return from_unit(decision, columns[0].item())
        ones = np.flatnonzero(columns)
        several = isinstance(decision, MultipleChoice)
        if not len(ones) or not (columns[ones] == 1).all() or (len(ones) > 1 and not several):
            rule = "zeros and ones, not too many" if several else "zeros and one 1"
            raise SpaceError(
                f"the columns of an active decision must be {rule}; received {_sample(columns)} "
                f"for {decision.name!r} ({decision.label}); decode only what was encoded in this "
                "space"
            )
        if isinstance(decision, MultipleChoice):
            return decision.normalise([decision.options[k] for k in ones.tolist()])
        return decision.value_at(int(ones[0]))


def _width(decision: Decision) -> int:
    if isinstance(decision, MultipleChoice):
        return len(decision.options)
    return 1 if decision.size == math.inf else int(decision.size)


def _shown(value: Any, number: int) -> str:
    text = repr(value)
    return text if len(text) <= 60 and " at 0x" not in text else f"#{number}"


def _sample(columns: npt.NDArray[Any]) -> str:
    return f"{columns[:8].tolist()}{'' if len(columns) <= 8 else ' and more'}"
