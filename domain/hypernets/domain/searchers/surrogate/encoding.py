"""Architectures as rows of numbers, in groups: what is decided, what is computed, what it costs."""

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import attrs
import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec.unit_interval import to_unit
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.error import HypernetsError
from hypernets.domain.searchers.surrogate.path_feature import path_features
from hypernets.domain.space.hyperparameter import Choice, Decision, MultipleChoice, Real

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["Encoder", "encoder_for"]

Rows = npt.NDArray[np.float32]

_MOST_VALUES = 64  # of a decision that has a column for each; of more, only the place is told
_MOST_PATHS = 2_048  # columns of paths; later ones are left out


@attrs.frozen
class _Block:
    """Columns of one decision: which value, and where among ordered ones.

    Attributes:
        decision: the decision.
        start: first column of the values.
        width: number of these.
        place: column among the ordered ones; -1 where values have no order.
        ranks: of an ordered finite decision, number of a value → its place from 0 to 1.
    """

    decision: Decision
    start: int
    width: int
    place: int
    ranks: tuple[float, ...] = ()


class _Table:
    """A matrix that grows."""

    def __init__(self, n_columns: int) -> None:
        self.n_rows = 0
        self._rows: Rows = np.zeros((64, n_columns), dtype=np.float32)

    def new_row(self, n_columns: int) -> Rows:
        rows, columns = self._rows.shape
        if self.n_rows == rows or n_columns > columns:
            larger = (max(rows, 2 * self.n_rows), max(columns, n_columns))
            grown = np.zeros(larger, dtype=np.float32)
            grown[: self.n_rows, :columns] = self._rows[: self.n_rows]
            self._rows = grown
        self.n_rows += 1
        return np.asarray(self._rows[self.n_rows - 1])

    def take(self, places: Sequence[int] | npt.NDArray[np.int64], n_columns: int) -> Rows:
        return np.asarray(self._rows[: self.n_rows, :n_columns][places])


class Encoder:
    """Encodes architectures of one space, each once.

    The groups are

    - `"decisions"`: a column for each value of each decision, 1 for the one taken (divided so that
      two values are 1 apart); a column for each option of a `MultipleChoice`.
    - `"places"`: where a number stands in its range, 0 to 1, the prior's scale.
    - `"paths"`: a column for each path of the network that was met (see `path_features`).
    - `"cost"`: logarithms of parameters and multiply-adds, and the depth; NaN where not known.

    A group without columns is left out of what `rows` returns.

    Args:
        space: the space.
    """

    def __init__(self, space: "HyperSpace") -> None:
        self._frozen = space.freeze()
        self._blocks = _blocks_of(self._frozen.decisions)
        n_values = sum(block.width for block in self._blocks)
        n_places = sum(block.place >= 0 for block in self._blocks)
        self._widths = {"decisions": n_values, "places": n_places, "paths": 0, "cost": 3}
        self._tables = {name: _Table(width) for name, width in self._widths.items()}
        self._columns: dict[int, int] = {}  # number of a path → its column
        self._known: dict[Hashable, int] = {}

    def __len__(self) -> int:
        """Return the number of architectures that have been encoded."""
        return len(self._known)

    def knows(self, architecture: Architecture) -> bool:
        """Say whether an architecture has been encoded already."""
        return architecture.key in self._known

    def number(self, architecture: Architecture) -> int:
        """Return the number of an architecture, encoding it if it is new."""
        key = architecture.key
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = len(self._known)
            self._encode(architecture)
        return known

    def rows(self, numbers: Sequence[int] | npt.NDArray[np.int64]) -> dict[str, Rows]:
        """Return the groups of some architectures, `(n, columns)` each.

        Args:
            numbers: what `number` has returned for each.
        """
        return {
            name: table.take(numbers, self._widths[name])
            for name, table in self._tables.items()
            if self._widths[name]
        }

    def _encode(self, architecture: Architecture) -> None:
        values = self._tables["decisions"].new_row(self._widths["decisions"])
        places = self._tables["places"].new_row(self._widths["places"])
        for block, value in zip(self._blocks, architecture.values, strict=True):
            if value is not UNDECIDED:
                _write(block, value, values, places)
        bare = architecture.without_graph()  # so that the graph is let go
        self._encode_paths(bare)
        cost = self._tables["cost"].new_row(3)
        cost[:] = _cost_of(bare)

    def _encode_paths(self, architecture: Architecture) -> None:
        try:
            graph = architecture.graph
            paths = path_features(graph) if graph.nodes else frozenset[int]()
        except HypernetsError:
            paths = frozenset[int]()
        found = []
        for path in sorted(paths):
            column = self._columns.get(path)
            if column is None and len(self._columns) < _MOST_PATHS:
                column = self._columns[path] = len(self._columns)
            if column is not None:
                found.append(column)
        self._widths["paths"] = len(self._columns)
        row = self._tables["paths"].new_row(max(64, 1 << (len(self._columns) - 1).bit_length()))
        row[found] = 1.0


_encoders: "WeakKeyDictionary[HyperSpace, Encoder]" = WeakKeyDictionary()


def encoder_for(space: "HyperSpace") -> Encoder:
    """Return the encoder of a space: one for all searchers of it, for encoding takes its time."""
    encoder = _encoders.get(space)
    if encoder is None:
        encoder = _encoders[space] = Encoder(space)
    return encoder


def _blocks_of(decisions: Sequence[Decision]) -> list[_Block]:
    blocks, start, place = [], 0, 0
    for decision in decisions:
        ranks = _ranks(decision)
        ordered = bool(ranks) or not decision.is_finite or decision.size > _MOST_VALUES
        width = _width(decision)
        blocks.append(_Block(decision, start, width, place if ordered else -1, ranks))
        start += width
        place += ordered
    return blocks


def _width(decision: Decision) -> int:
    if isinstance(decision, MultipleChoice):
        return len(decision.options)
    if not decision.is_finite or decision.size > _MOST_VALUES:
        return 1  # whether it is active
    return int(decision.size)


def _ranks(decision: Decision) -> tuple[float, ...]:
    """Return the place of each value among the others where they are numbers, else nothing."""
    if isinstance(decision, MultipleChoice) or not 2 < decision.size <= _MOST_VALUES:
        return ()
    values = [decision.value_at(number) for number in range(int(decision.size))]
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        return ()
    if isinstance(decision, Choice) and values == list(range(len(values))):
        return ()  # positions among alternatives, which have no order
    by_size = sorted(values)
    return tuple(by_size.index(value) / (len(values) - 1) for value in values)


def _write(block: _Block, value: Any, values: Rows, places: Rows) -> None:
    decision = block.decision
    if isinstance(decision, MultipleChoice):
        for option in value:
            values[block.start + decision.index_of([option])] = 1.0
        return
    if isinstance(decision, Real) and not decision.is_finite:
        values[block.start] = math.sqrt(0.5)
        places[block.place] = to_unit(decision, value)
        return
    number = decision.index_of(value)
    if decision.size > _MOST_VALUES:
        values[block.start] = math.sqrt(0.5)
        places[block.place] = number / (int(decision.size) - 1)
        return
    values[block.start + number] = math.sqrt(0.5)
    if block.place >= 0:
        places[block.place] = block.ranks[number]


def _cost_of(architecture: Architecture) -> tuple[float, float, float]:
    try:
        cost = architecture.cost()
    except HypernetsError:
        return (math.nan, math.nan, math.nan)
    if cost.uncounted:
        return (math.nan, math.nan, math.nan)
    return (math.log1p(cost.parameters), math.log1p(cost.multiply_adds), float(cost.depth))
