"""Walking a search space through its decisions, without copying anything."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hypernets.domain.searchers.randomness import rng_for

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture
    from hypernets.domain.space.hyper_space import HyperSpace
    from hypernets.domain.space.hyperparameter import Decision

__all__ = ["Odometer"]

_DRAWS_OF_CONTINUOUS = 10_000


class _Wheel:
    """One decision in the walk: which of its values it shows."""

    def __init__(self, decision: "Decision", rng: Any) -> None:
        self._decision = decision
        self._rng = rng
        self._size = int(decision.size) if decision.is_finite else _DRAWS_OF_CONTINUOUS
        # The walk starts anywhere, so that its first answers favour no option.
        self._start = int(rng.random() * self._size) % self._size
        self._turned = 0
        self.value: Any = self._show()

    def turn(self) -> bool:
        """Show the next value; return `False` when all have been shown."""
        self._turned += 1
        if self._turned == self._size:
            return False
        self.value = self._show()
        return True

    def _show(self) -> Any:
        if not self._decision.is_finite:
            return self._decision.sample(self._rng)
        return self._decision.value_at((self._start + self._turned) % self._size)


class Odometer:
    """Iterates over every architecture of a finite space, each once, the last decision fastest.

    A walk in depth first order over the answers to a chooser. What is remembered is one path: the
    values of the decisions that the present architecture has. A continuous decision shows 10,000
    draws wherever the walk meets it, so of an infinite space it gives a part.

    Args:
        space: the space.
        seed: where each decision starts.
    """

    def __init__(self, space: "HyperSpace", seed: int) -> None:
        self._space = space
        self._rng = rng_for(seed, 0, "odometer")
        self._path: list[_Wheel] = []
        self._done = False

    def __iter__(self) -> "Iterator[Architecture]":
        return self

    def __next__(self) -> "Architecture":
        if self._done:
            raise StopIteration
        depth = 0

        def choose(decision: "Decision") -> Any:
            nonlocal depth
            if depth == len(self._path):
                self._path.append(_Wheel(decision, self._rng))
            wheel = self._path[depth]
            depth += 1
            return wheel.value

        architecture = self._space.decide(choose)
        self._advance()
        return architecture

    def _advance(self) -> None:
        while self._path and not self._path[-1].turn():
            self._path.pop()
        self._done = not self._path
