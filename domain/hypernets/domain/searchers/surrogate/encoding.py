"""Architectures as rows of numbers, in groups: what is decided, what is computed, what it costs."""

import functools
import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec.unit_interval import to_unit
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.error import HypernetsError
from hypernets.domain.searchers.surrogate.gaussian_process import Columns
from hypernets.domain.searchers.surrogate.path_feature import path_features
from hypernets.domain.space.hyperparameter import Choice, Decision, MultipleChoice, Real

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["Encoder", "encoder_for", "places_of_values"]


_MOST_VALUES = 64  # of a decision that has a column for each; of more, only the place is told
_PATH_COLUMNS = 1_024
_MOST_SECTIONS = 40  # decisions that are told apart
_SHARED = 4  # spaces whose encoders are kept
_REMEMBERED = 50_000  # encoded architectures, about 1.3 kB each


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


class Encoder:
    """Encodes architectures of one space, and remembers what it has encoded lately.

    The groups are

    - `"decisions"`: a column for each value of each decision, `sqrt(1/2)` for the one taken, so
      that two values are 1 apart; a column for each option of a `MultipleChoice`.
    - `"places"`: where a number stands in its range, 0 to 1, the prior's scale.
    - `"paths"`: whether the network has a sequence of layers (see `path_features`); each has one of
      1,024 columns by its number (feature hashing).
    - `"cost"`: logarithms of parameters and multiply-adds, and the depth; NaN where not known.

    A group without columns is left out. A row depends on its architecture alone.

    Args:
        space: the space.

    Attributes:
        sections: name of a group → `(columns,)` which of its columns belong together: those of a
            decision, where there are at most 40.
    """

    def __init__(self, space: "HyperSpace") -> None:
        self._blocks = _blocks_of(space.freeze().decisions)
        self._widths = {
            "decisions": sum(block.width for block in self._blocks),
            "places": sum(block.place >= 0 for block in self._blocks),
            "paths": _PATH_COLUMNS,
            "cost": 3,
        }
        self._forget()
        self.sections = self._sections()

    def rows(self, architectures: Sequence[Architecture]) -> dict[str, Columns]:
        """Return the groups of some architectures, `(n, columns)` each; paths as bytes."""
        if len(self._known) > _REMEMBERED:
            self._forget()
        numbers = [self._number(architecture) for architecture in architectures]
        return {name: table[numbers] for name, table in self._tables.items() if self._widths[name]}

    def _sections(self) -> "dict[str, npt.NDArray[np.int64]]":
        """Return a section for each decision, or for all together where they are many."""
        together = len(self._blocks) > _MOST_SECTIONS
        values = [
            0 if together else number
            for number, block in enumerate(self._blocks)
            for _ in range(block.width)
        ]
        n_places = self._widths["places"]
        places = np.zeros(n_places, dtype=np.int64) if together else np.arange(n_places)
        return {
            "decisions": np.array(values, dtype=np.int64),
            "places": places,
            "cost": np.arange(3),
        }

    def _forget(self) -> None:
        self._known: dict[Hashable, int] = {}
        self._tables = {
            name: np.zeros((64, width), dtype=np.uint8 if name == "paths" else np.float32)
            for name, width in self._widths.items()
        }

    def _number(self, architecture: Architecture) -> int:
        key = architecture.key
        number = self._known.get(key)
        if number is None:
            number = len(self._known)
            if number == len(self._tables["cost"]):
                self._tables = {
                    name: np.concatenate([table, np.zeros_like(table)])
                    for name, table in self._tables.items()
                }
            self._encode(architecture, number)
            self._known[key] = number
        return number

    def _encode(self, architecture: Architecture, number: int) -> None:
        values, places = (self._tables[name][number] for name in ("decisions", "places"))
        for block, value in zip(self._blocks, architecture.values, strict=True):
            if value is not UNDECIDED:
                _write(block, value, values, places)
        bare = architecture.without_graph()  # so that the graph is let go
        self._tables["paths"][number, _path_columns(bare)] = 1
        self._tables["cost"][number] = _cost_of(bare)


def _path_columns(architecture: Architecture) -> list[int]:
    try:
        graph = architecture.graph
        paths = path_features(graph) if graph.nodes else frozenset[int]()
    except HypernetsError:
        return []
    return [path % _PATH_COLUMNS for path in paths]


@functools.lru_cache(maxsize=_SHARED)
def encoder_for(space: "HyperSpace") -> Encoder:
    """Return the encoder of a space: one for all searchers of it, for encoding takes its time.

    Those of the last few spaces are kept.
    """
    return Encoder(space)


def _blocks_of(decisions: Sequence[Decision]) -> list[_Block]:
    blocks, start, place = [], 0, 0
    for decision in decisions:
        ranks = places_of_values(decision)
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


def places_of_values(decision: Decision) -> tuple[float, ...]:
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


def _write(block: _Block, value: Any, values: Any, places: Any) -> None:
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
