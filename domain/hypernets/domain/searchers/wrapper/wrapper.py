"""What searchers around a searcher have in common."""

from typing import Any, Self

from hypernets.domain.history.trial import Trial
from hypernets.domain.searchers.searcher import Proposal, Searcher

__all__ = ["SearcherWrapper"]


class SearcherWrapper:
    """A searcher that passes all on to another one; a subclass changes what it is there to change.

    Every attribute that it lacks is that of the other searcher: `space`, `direction`, `seed`,
    `keep_within`, and so on.

    Args:
        searcher: the other searcher.
        **options: what else the subclass was made with, by the names of its arguments.
    """

    def __init__(self, searcher: Searcher, **options: Any) -> None:
        self._searcher = searcher
        self._own_options = options

    @property
    def searcher(self) -> Searcher:
        """The other searcher."""
        return self._searcher

    @property
    def options(self) -> dict[str, Any]:
        """What decides what is proposed: the other searcher's class and options, and its own."""
        inner = self._searcher
        name = type(inner).__name__
        return {**(getattr(inner, "options", None) or {}), **self._own_options, "searcher": name}

    def fresh(self) -> Self:
        """Return one that has seen nothing yet, around a fresh one of the other searcher."""
        inner: Any = self._searcher
        return type(self)(inner.fresh(), **self._own_options)

    def ask(self) -> Any:
        """Return the other searcher's next proposal.

        Raises:
            SearchExhausted: it has nothing left to propose.
        """
        return self._searcher.ask()

    def ask_inner(self) -> Proposal:
        """Return the other searcher's next proposal as a `Proposal`.

        Raises:
            SearchExhausted: it has nothing left to propose.
        """
        answer = self._searcher.ask()
        return answer if isinstance(answer, Proposal) else Proposal(answer)

    def tell(self, trial: Trial) -> None:
        """Tell the other searcher."""
        self._searcher.tell(trial)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # not yet there, while it is being copied or unpickled
            raise AttributeError(name)
        return getattr(self._searcher, name)
