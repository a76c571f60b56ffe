"""Values of a decision that make no difference to one reader: each class is looked at once.

A decision of thousands of values, from which a few widths are computed, say, matters to a layer
only through these.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from hypernets.domain.architecture.evaluation import UNDECIDED, Evaluation
from hypernets.domain.architecture.switch import read_by
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace
from hypernets.domain.space.hyperparameter import ParameterSpace

__all__ = ["ValueClasses"]

_PLAIN = frozenset({bool, int, float, str, type(None)})


class ValueClasses:
    """Sorts the values of a decision by what hyperparameters come to under them.

    Args:
        frozen: the space.
        options: gives the values of a decision by its rank.
    """

    def __init__(self, frozen: FrozenSpace, options: Callable[[int], list[Any]]) -> None:
        self._frozen = frozen
        self._options = options
        self._read: dict[int, frozenset[int]] = {}
        self._keys: dict[int, list[Hashable]] = {}
        self._known: dict[tuple[int, tuple[int, ...]], Sequence[int]] = {}

    def of(self, rank: int, parameters: Iterable[ParameterSpace]) -> Sequence[int]:
        """Return, by number of the value, the first number that makes no difference to a reader.

        Args:
            rank: of the decision.
            parameters: all that the reader reads.
        """
        readers = [p for p in parameters if rank in self._ranks_read_by(p)]
        key = (rank, tuple(parameter.index for parameter in readers))
        found = self._known.get(key)
        if found is None:
            count = len(self._options(rank))
            if all(len(self._ranks_read_by(parameter)) == 1 for parameter in readers):
                columns = [self._keys_of(rank, parameter) for parameter in readers]
                first: dict[Hashable, int] = {}
                rows = zip(*columns, strict=True) if columns else ((),) * count
                found = [first.setdefault(row, number) for number, row in enumerate(rows)]
            else:  # what they come to depends on other decisions too
                found = range(count)
            self._known[key] = found
        return found

    def _ranks_read_by(self, parameter: ParameterSpace) -> frozenset[int]:
        found = self._read.get(parameter.index)
        if found is None:
            found = self._read[parameter.index] = frozenset(read_by(self._frozen, [parameter]))
        return found

    def _keys_of(self, rank: int, parameter: ParameterSpace) -> list[Hashable]:
        found = self._keys.get(parameter.index)
        if found is None:
            found = [
                self._key(rank, value, parameter, number)
                for number, value in enumerate(self._options(rank))
            ]
            self._keys[parameter.index] = found
        return found

    def _key(self, rank: int, value: Any, parameter: ParameterSpace, number: int) -> Hashable:
        values = [UNDECIDED] * len(self._frozen.decisions)
        values[rank] = value
        try:
            key = _plain(Evaluation(self._frozen.ranks, values).value(parameter))
        except (BuildError, SpaceError):  # the message may name the value
            key = None
        return ("number", number) if key is None else key


def _plain(value: Any) -> Hashable | None:
    """Return what two plain values share exactly if they are the same; of others, `None`."""
    if type(value) in _PLAIN:
        return type(value), repr(value)
    if type(value) not in (list, tuple):
        return None
    items = [_plain(item) for item in value]
    return None if None in items else (type(value), *items)
