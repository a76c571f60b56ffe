"""What all hyperparameters have in common, and what all decisions have."""

import math
from typing import TYPE_CHECKING, Any, Protocol

from hypernets.domain.error import SpaceError
from hypernets.domain.space.context import current_space

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["Constant", "Decision", "ParameterSpace", "Rng", "called", "draw"]


class Rng(Protocol):
    """A source of random numbers: `numpy.random.Generator` and `random.Random` both are one."""

    def random(self) -> float:
        """Return a float in `[0, 1)`."""


class ParameterSpace:
    """A hyperparameter of a space.

    Attributes:
        name: its own name, the key of decisions.
        space: the space it was made in.
        index: position among the hyperparameters of its space, in the order of creation.
    """

    def __init__(self, *, name: str | None = None, space: "HyperSpace | None" = None) -> None:
        kind = type(self).__name__
        self.space = space if space is not None else current_space(f"the hyperparameter {kind}")
        self._label: str | None = None
        self.name, self.index = self.space.register_hyperparameter(self, name)

    @property
    def label(self) -> str:
        """What a log prints for it: its owners' names and keywords, once the space is frozen."""
        return self._label or self.name

    def give_label(self, label: str) -> None:
        """Set the label; called when the space is frozen."""
        self._label = label

    @property
    def is_decision(self) -> bool:
        """Whether there is something to decide."""
        return False

    @property
    def size(self) -> int | float:
        """Number of values, or `inf`."""
        return 1

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class Decision(ParameterSpace):
    """A hyperparameter whose value a search decides, if it has more than one."""

    @property
    def is_decision(self) -> bool:
        """Whether there is more than one value."""
        return self.size != 1

    @property
    def is_finite(self) -> bool:
        """Whether the values can be counted."""
        return self.size != math.inf

    def value_at(self, index: int) -> Any:
        """Return value number `index`, `0 <= index < size`.

        Raises:
            SpaceError: the hyperparameter is continuous.
            IndexError: there is no such value.
        """
        raise NotImplementedError

    def index_of(self, value: Any) -> int:
        """Return the number of a value.

        Raises:
            SpaceError: it is not a value of this hyperparameter, or that is continuous.
        """
        raise NotImplementedError

    def normalise(self, value: Any) -> Any:
        """Return the value as this hyperparameter holds it (a list for a tuple from JSON, say).

        Raises:
            SpaceError: it is not a value of this hyperparameter.
        """
        return self.value_at(self.index_of(value))

    def sample(self, rng: Rng) -> Any:
        """Return a value drawn uniformly."""
        return self.value_at(draw(rng, int(self.size)))

    def describe(self) -> str:
        """Return the values as a person would write them."""
        raise NotImplementedError

    def _illegal(self, value: Any) -> SpaceError:
        return SpaceError(
            f"a value of {self.label!r} must be one of {self.describe()}; received {value!r}; "
            "choose one of these"
        )


class Constant(ParameterSpace):
    """A value that is given, where a hyperparameter is expected."""

    def __init__(
        self, value: Any, *, name: str | None = None, space: "HyperSpace | None" = None
    ) -> None:
        self.value = value
        super().__init__(name=name, space=space)


def called(parameter: ParameterSpace, name: object) -> str:
    """Return what a message calls a hyperparameter that is being made."""
    kind = type(parameter).__name__
    return kind if name is None else f"{kind} {name!r}"


def draw(rng: Rng, size: int) -> int:
    """Return an integer drawn uniformly from `[0, size)`, however large that is."""
    if size <= 1 << 50:
        return min(int(rng.random() * size), size - 1)
    # More values than a float can tell apart: 64 bits more than needed, 32 at a time.
    words = (size.bit_length() + 64 + 31) // 32
    number = 0
    for _ in range(words):
        number = number << 32 | int(rng.random() * 2**32)
    return number * size >> 32 * words
