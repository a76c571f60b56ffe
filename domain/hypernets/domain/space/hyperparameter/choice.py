"""Choices among options: one of them, or some."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter.number import is_integer
from hypernets.domain.space.hyperparameter.parameter import (
    Decision,
    ParameterSpace,
    Rng,
    called,
    draw,
)

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["Bool", "Choice", "MultipleChoice"]

_PLAIN = (int, float, str, bool)


class Choice(Decision):
    """One of several options.

    Args:
        options: the options, of any type; at least one, all different.
        name: name of the hyperparameter; made up when absent.
        space: the space it belongs to; the current one when absent.
    """

    def __init__(
        self,
        options: Sequence[Any],
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        self.options = _option_list(called(self, name), options)
        self._places = _Places(self.options)
        super().__init__(name=name, space=space)

    @property
    def size(self) -> int:
        """Number of options."""
        return _length(self.options)

    def value_at(self, index: int) -> Any:
        """Return option number `index`."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self.options[index]

    def index_of(self, value: Any) -> int:
        """Return the position of an option."""
        index = self._places.find(value)
        if index is None:
            raise self._illegal(value)
        return index

    def normalise(self, value: Any) -> Any:
        """Return the option that equals `value`."""
        return self.options[self.index_of(value)]

    def describe(self) -> str:
        """Return the options, the first dozen of many."""
        if self.size <= 12:
            return "[" + ", ".join(repr(option) for option in self.options) + "]"
        shown = ", ".join(repr(self.options[i]) for i in range(12))
        return f"[{shown}, … {self.size} in all]"


class Bool(Choice):
    """`False` or `True`."""

    def __init__(self, *, name: str | None = None, space: "HyperSpace | None" = None) -> None:
        super().__init__([False, True], name=name, space=space)


class MultipleChoice(Decision):
    """Some of several options: a list of at least one, in the order of the options.

    Args:
        options: the options; at least one, all different.
        max_chosen_num: how many may be chosen at most; 0 for any number.
        name: name of the hyperparameter; made up when absent.
        space: the space it belongs to; the current one when absent.

    Raises:
        SpaceError: no options, equal options, or a limit that is negative or too large.
    """

    def __init__(
        self,
        options: Sequence[Any],
        max_chosen_num: int = 0,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        where = called(self, name)
        self.options = _option_list(where, options)
        self._places = _Places(self.options)
        if not is_integer(max_chosen_num) or not 0 <= max_chosen_num <= len(self.options):
            raise SpaceError(
                f"{where}: max_chosen_num must be from 1 to {len(self.options)} (the number of "
                f"options), or 0; received {max_chosen_num!r}; give 0 for any number"
            )
        self.max_chosen_num = int(max_chosen_num)
        self._most = self.max_chosen_num or len(self.options)
        # subsets by size: the values are numbered by size, then lexicographically
        self._counts = [math.comb(len(self.options), k) for k in range(1, self._most + 1)]
        self._size = sum(self._counts)
        super().__init__(name=name, space=space)

    @property
    def size(self) -> int:
        """Number of subsets that may be chosen."""
        return self._size

    def value_at(self, index: int) -> list[Any]:
        """Return subset number `index`."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        n, k = len(self.options), 1
        for k, count in enumerate(self._counts, start=1):  # noqa: B007 - k is read below
            if index < count:
                break
            index -= count
        chosen: list[Any] = []
        for position in range(n):
            if len(chosen) == k:
                break
            with_it = math.comb(n - position - 1, k - len(chosen) - 1)
            if index < with_it:
                chosen.append(self.options[position])
            else:
                index -= with_it
        return chosen

    def index_of(self, value: Any) -> int:
        """Return the number of a subset, given in any order."""
        positions = self._positions(value)
        n, k = len(self.options), len(positions)
        index, start, left = sum(self._counts[: k - 1]), 0, k
        for position in positions:
            for skipped in range(start, position):
                index += math.comb(n - skipped - 1, left - 1)
            start, left = position + 1, left - 1
        return index

    def normalise(self, value: Any) -> list[Any]:
        """Return the subset as a list in the order of the options."""
        return [self.options[position] for position in self._positions(value)]

    def sample(self, rng: Rng) -> list[Any]:
        """Return a subset drawn uniformly from all that may be chosen."""
        if self._most == 1:
            n = len(self.options)
            return [self.options[min(int(rng.random() * n), n - 1)]]
        return self.value_at(draw(rng, self._size))

    def describe(self) -> str:
        """Return the options and how many may be chosen."""
        most = "any number" if self._most == len(self.options) else f"at most {self._most}"
        options = ", ".join(repr(option) for option in self.options[:12])
        more = f", … {len(self.options)} in all" if len(self.options) > 12 else ""
        return f"lists of {most} of [{options}{more}]"

    def _positions(self, value: Any) -> list[int]:
        if not isinstance(value, (list, tuple, set, frozenset)) or not value:
            raise self._illegal(value)
        positions = {self._places.find(item) for item in value}
        found = sorted(position for position in positions if position is not None)
        if None in positions or len(found) != len(value) or len(found) > self._most:
            raise self._illegal(value)
        return found


class _Places:
    """Finds the positions of options, those of plain values without a look at the others."""

    def __init__(self, options: Sequence[Any]) -> None:
        self._options = options
        self._known: dict[tuple[type, Any], int] | None = None  # made when first asked for

    def find(self, value: Any) -> int | None:
        """Return the position of the option that is, or else equals, a value, if any."""
        if _is_plain(value):
            if self._known is None:
                self._known = _plain_places(self._options)
            position = self._known.get((type(value), value))
            if position is not None:
                return position
        return _position(self._options, value)


def _is_plain(value: Any) -> bool:
    """Say whether a value is found by its hash: what equals it in type and hash is the same."""
    kind = type(value)
    if kind is tuple:  # (1, 2) equals (True, 2.0)
        return all(type(item) is int for item in value)
    return kind in _PLAIN


def _plain_places(options: Sequence[Any]) -> dict[tuple[type, Any], int]:
    if not isinstance(options, tuple):  # lazy, and perhaps long
        return {}
    return {(type(o), o): place for place, o in enumerate(options) if _is_plain(o)}


def _option_list(where: str, options: Any) -> Sequence[Any]:
    if hasattr(options, "tolist"):  # an array
        options = options.tolist()
    if isinstance(options, (str, bytes)) or not isinstance(options, Sequence):
        raise SpaceError(
            f"{where}: options must be a list of values; received {options!r} "
            f"of type {type(options).__name__}; put the values in [ ]"
        )
    if not _length(options):
        raise SpaceError(
            f"{where}: options must hold at least one value; received an empty list; "
            "list the values to choose from"
        )
    if isinstance(options, (list, tuple, range)):
        options = tuple(options)
        for option in options:
            if isinstance(option, ParameterSpace):
                raise SpaceError(
                    f"{where}: options must be plain values; received the hyperparameter "
                    f"{option!r}; use Cascade to choose which hyperparameter comes next"
                )
        _check_distinct(where, options)
    return options  # type: ignore[no-any-return]  # any other Sequence (a lazy one) is kept as it is


def _length(options: Sequence[Any]) -> int:
    """Return the length of a sequence, also where it is lazy and longer than `len` can say."""
    length = getattr(options, "length", None)
    return len(options) if length is None else int(length)


def _check_distinct(where: str, options: tuple[Any, ...]) -> None:
    try:
        if len(set(options)) == len(options):
            return
    except TypeError:  # some cannot be hashed
        pass
    for later in range(1, len(options)):
        first = _position(options[:later], options[later])
        if first is not None and type(options[first]) is type(options[later]):
            raise SpaceError(
                f"{where}: options must all be different; received {options[later]!r} at positions "
                f"{first} and {later}; leave one out"
            )


def _position(options: Sequence[Any], value: Any) -> int | None:
    """Return the position of the option that is, or else equals, `value` (1 is not True)."""
    if not isinstance(options, tuple):
        try:
            return options.index(value)
        except ValueError:
            return None
    equal = None
    for position, option in enumerate(options):
        if option is value:
            return position
        if type(option) is type(value):
            if _equal(option, value):
                return position
        elif equal is None and _equal(option, value):
            equal = position  # unless an option of the very type follows
    return equal


def _equal(option: Any, value: Any) -> bool:
    if isinstance(option, bool) != isinstance(value, bool):
        return False
    if isinstance(option, (list, tuple)) and isinstance(value, (list, tuple)):
        # JSON has no tuples: [3, 3] stands for (3, 3)
        return len(option) == len(value) and all(map(_equal, option, value))
    try:
        return bool(option == value)
    except (TypeError, ValueError):  # arrays and other values that compare element by element
        return False
