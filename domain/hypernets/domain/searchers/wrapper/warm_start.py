"""The best of another search first."""

from collections.abc import Hashable
from typing import Any

from hypernets.domain.error import SearchError
from hypernets.domain.history.history import History
from hypernets.domain.history.trial import Trial
from hypernets.domain.searchers.searcher import Searcher
from hypernets.domain.searchers.strategy import require_count
from hypernets.domain.searchers.wrapper.suggesting import SuggestingSearcher

__all__ = ["WarmStart"]


class WarmStart(SuggestingSearcher):
    """Proposes the best of another search again, and then what a searcher proposes.

    For other data, a longer training or a changed space: the trials of the other search are not
    comparable then, but what was good there is likely to be good here. Of each of them the
    decisions are adopted that make an architecture of this space; the others are passed over. (To
    go on with the results themselves, give the search `known=`, or fork it.)

    Args:
        searcher: the searcher; it must have a `space`.
        history: of the other search.
        top: how many of its trials to take, the best ones.

    Attributes:
        n_passed_over: number of these whose decisions are not of this space.

    Raises:
        SearchError: `history` is none, `top` is no integer >= 1, or nothing of it is of this space.
    """

    def __init__(self, searcher: Searcher, history: History, top: int = 10) -> None:
        if not isinstance(history, History):
            raise SearchError(
                f"WarmStart: history must be a History; received {history!r}; give that of a "
                "finished search"
            )
        own: Any = searcher
        best = history.top(require_count("WarmStart", "top", top))
        adopted = [own.space.adopt(trial) for trial in best]
        suggestions = [each for each in adopted if each is not None]
        self.n_passed_over = len(adopted) - len(suggestions)
        if not suggestions:
            raise SearchError(
                f"WarmStart: history must hold a trial of the space that succeeded; received "
                f"{history!r}, of which {len(best)} were looked at; give the history of this "
                "space, or of one that it was made from"
            )
        super().__init__(searcher, suggestions)
        self._own_options = {"history": history, "top": top}
        self._warm = [each.decisions for each in suggestions]
        self._n_suggested = 0
        self._running: set[Hashable] = set()

    def ask(self) -> Any:
        """Return the next of the other search's best; then what the searcher proposes.

        Raises:
            SearchExhausted: the searcher has nothing left to propose.
        """
        while True:  # what was suggested and has not ended, the searcher does not know of
            answer = super().ask()
            key = getattr(answer, "architecture", answer).key
            if key not in self._running:
                if self._n_suggested < len(self._warm):
                    self._n_suggested += 1
                    self._running.add(key)
                return answer

    def tell(self, trial: Trial) -> None:
        """Tell the searcher."""
        if trial.architecture is not None:
            self._running.discard(trial.architecture.key)
        super().tell(trial)

    @property
    def options(self) -> dict[str, Any]:
        """What decides what is proposed; the other search by the decisions that are suggested."""
        options = super().options
        return {k: v for k, v in options.items() if k != "history"} | {"suggested": self._warm}
