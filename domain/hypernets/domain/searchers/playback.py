"""Playback: the best of another history again, best first."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SearchError, SearchExhausted
from hypernets.domain.history.history import History
from hypernets.domain.history.trial import Direction
from hypernets.domain.searchers.strategy import Strategy, require_count

__all__ = ["PlaybackSearcher"]


class PlaybackSearcher(Strategy):
    """Proposes what another search found, the best first, and ends.

    For a longer training of the best, on other data or in another space: of each of its trials
    the decisions are adopted that make an architecture of this space, the others are passed over.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: of no consequence; there for uniformity.
        history: of the other search.
        top: how many trials to take; all that succeeded when absent.

    Attributes:
        n_passed_over: number of trials whose decisions are not of this space.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: `history` is none, or nothing in it is of this space.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        history: History,
        top: int | None = None,
    ) -> None:
        super().__init__(space, optimize_direction, seed, history=history, top=top)
        if not isinstance(history, History):
            raise SearchError(
                f"PlaybackSearcher: history must be a History; received {history!r}; give that of "
                "a finished search"
            )
        n_wanted = len(history) if top is None else require_count(type(self).__name__, "top", top)
        best = history.top(n_wanted)
        adopted = [self.space.adopt(trial) for trial in best]
        self._architectures = [each for each in adopted if each is not None]
        self.n_passed_over = len(adopted) - len(self._architectures)
        if not self._architectures:
            raise SearchError(
                f"PlaybackSearcher: history must hold a trial of the space that succeeded; "
                f"received {history!r}, of which {len(best)} were looked at; give the history of "
                "this space, or of one that it was made from"
            )
        self._left: Iterable[Architecture] = iter(self._architectures)

    @property
    def options(self) -> dict[str, Any]:
        """What decides what is proposed: the decisions that are played back."""
        limit = None if self.limit is None else str(self.limit)
        return {"decisions": [each.decisions for each in self._architectures], "limit": limit}

    def propose(self, rng: np.random.Generator) -> Architecture:
        """Return the next best.

        Raises:
            SearchExhausted: all have been proposed.
        """
        architecture = self.first_new(self._left)
        if architecture is None:
            raise SearchExhausted(
                f"each of the {len(self._architectures)} architectures played back was proposed"
            )
        return architecture
