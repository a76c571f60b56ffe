"""Exhaustive search: every architecture of a finite space, each once."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SearchExhausted
from hypernets.domain.history.trial import Direction
from hypernets.domain.searchers.strategy import Strategy

__all__ = ["ExhaustiveSearcher"]


class ExhaustiveSearcher(Strategy):
    """Proposes every architecture of a finite space once, in a pseudo-random order.

    The order is that of `space.enumerate(seed)`: it takes constant memory, and a part of it is a
    sample of the space without replacement.

    Args:
        space: a `HyperSpace` that can be counted, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.

    Raises:
        SpaceError: `space` is no space and gives none; it is infinite, or too entangled to be
            counted.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
    ) -> None:
        super().__init__(space, optimize_direction, seed)
        self._left: Iterator[Architecture] | None = None
        self.space.enumerate(0)  # an infinite space is refused here

    def propose(self, rng: np.random.Generator) -> Architecture:
        """Return the next architecture of the order that is new.

        Raises:
            SearchExhausted: there is none.
        """
        if self._left is None:  # the seed is certain now
            self._left = self.space.enumerate(self.seed)
        architecture = self.first_new(self._left)
        if architecture is None:
            raise SearchExhausted("each architecture of the space has been proposed")
        return architecture
