"""Architectures of somebody's choice, before those of a searcher."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from hypernets.domain.searchers.searcher import Proposal, Searcher
from hypernets.domain.searchers.wrapper.wrapper import SearcherWrapper

__all__ = ["SuggestingSearcher"]


class SuggestingSearcher(SearcherWrapper):
    """Proposes some given architectures, and then what another searcher proposes.

    The other searcher is told of all trials. Every other attribute is that of the other searcher.

    Args:
        searcher: the other searcher.
        suggestions: architectures of its space, the first one first.
    """

    def __init__(self, searcher: Searcher, suggestions: Iterable[Any]) -> None:
        super().__init__(searcher)
        self._suggestions = deque(suggestions)

    def ask(self) -> Any:
        """Return the next suggestion; when there is none left, what the other searcher proposes.

        Raises:
            SearchExhausted: the other searcher has nothing left to propose either.
        """
        if self._suggestions:
            return Proposal(self._suggestions.popleft())
        return self._searcher.ask()
