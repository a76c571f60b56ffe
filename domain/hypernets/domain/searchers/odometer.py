"""Walking a search space through its decisions, without copying anything."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.searchers.randomness import rng_for

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture
    from hypernets.domain.space.hyper_space import HyperSpace
    from hypernets.domain.space.hyperparameter import Decision

__all__ = ["Odometer"]

_DRAWS_OF_CONTINUOUS = 10_000


class _LeftOutError(Exception):
    """Nothing that begins with these decisions is to be shown."""


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
        admits: called with values by rank of the decision, `UNDECIDED` where there is none yet;
            says whether anything that begins so is wanted. Each time that nothing is, the walk
            leaves all of it out and shows one `None` in its place.
    """

    def __init__(
        self,
        space: "HyperSpace",
        seed: int,
        admits: Callable[[Sequence[Any]], bool] | None = None,
    ) -> None:
        self._space = space
        self._rng = rng_for(seed, 0, "odometer")
        self._admits = admits
        self._path: list[_Wheel] = []
        self._done = False

    def __iter__(self) -> "Iterator[Architecture | None]":
        return self

    def __next__(self) -> "Architecture | None":
        if self._done:
            raise StopIteration
        try:
            return self._space.decide(self._chooser())
        except _LeftOutError:
            return None
        finally:
            self._advance()

    def _chooser(self) -> "Callable[[Decision], Any]":
        """Return what shows the present values, and adds a wheel for each new decision."""
        depth, old = 0, len(self._path)
        values: list[Any] = []
        if self._admits is not None:
            values = [UNDECIDED] * len(self._space.decisions)

        def choose(decision: "Decision") -> Any:
            nonlocal depth
            if depth == len(self._path):
                self._path.append(_Wheel(decision, self._rng))
            value = self._path[depth].value
            depth += 1
            if self._admits is not None:
                values[self._space.freeze().ranks[decision.index]] = value
                # what is before the wheel that has turned last was admitted earlier
                if depth >= old and not self._admits(values):
                    raise _LeftOutError
            return value

        return choose

    def _advance(self) -> None:
        while self._path and not self._path[-1].turn():
            self._path.pop()
        self._done = not self._path
