"""Only architectures that keep a condition are proposed."""

from collections.abc import Callable
from typing import Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SearchError, SearchExhausted
from hypernets.domain.history.trial import Failure, Trial, TrialState
from hypernets.domain.searchers.searcher import Proposal, Searcher
from hypernets.domain.searchers.wrapper.wrapper import SearcherWrapper

__all__ = ["Constrained"]

_PATIENCE = 10_000  # refused proposals in one ask


class Constrained(SearcherWrapper):
    """Passes on only proposals that keep a condition of yours.

    The other searcher is told that a refused one failed, so that it learns where not to look. For
    what a network costs, `keep_within` (or the limits of `search`) does the same sooner: it prunes
    the space instead of refusing one proposal after another.

    Args:
        searcher: the other searcher.
        accepts: called with an `Architecture`; returns whether it may be proposed. Must always say
            the same of the same architecture.

    Raises:
        SearchError: `accepts` cannot be called.

    Example:
        >>> def is_narrowing(architecture):
        ...     widths = list(architecture.decisions.values())
        ...     return widths == sorted(widths, reverse=True)
        >>> searcher = Constrained(RegularizedEvolution(space), is_narrowing)  # doctest: +SKIP
    """

    def __init__(self, searcher: Searcher, accepts: Callable[[Architecture], bool]) -> None:
        if not callable(accepts):
            raise SearchError(
                f"Constrained: accepts must be a function of an architecture; received {accepts!r};"
                " write lambda architecture: ..., which says whether it may be proposed"
            )
        super().__init__(searcher, accepts=accepts)
        self._accepts = accepts
        self._name = getattr(accepts, "__qualname__", type(accepts).__name__)
        self._latest = 1

    @property
    def options(self) -> dict[str, Any]:
        """What decides what is proposed; the condition by its name."""
        return {**super().options, "accepts": self._name}

    def ask(self) -> Proposal:
        """Return the next proposal that keeps the condition.

        Raises:
            SearchExhausted: the other searcher has nothing left to propose, or 10,000 proposals in
                a row were refused.
        """
        for _ in range(_PATIENCE):
            proposal = self.ask_inner()
            if self._accepts(proposal.architecture):
                return proposal
            self._refuse(proposal.architecture)
        raise SearchExhausted(
            f"{_PATIENCE:,} proposals in a row did not keep the condition {self._name!r}"
        )

    def tell(self, trial: Trial) -> None:
        """Tell the other searcher."""
        self._latest = trial.number
        super().tell(trial)

    def _refuse(self, architecture: Architecture) -> None:
        failure = Failure("Refused", f"does not keep the condition {self._name!r}")
        state = TrialState.FAILED
        values = (self._latest, architecture.decisions, "", state)
        super().tell(Trial(*values, failure=failure, architecture=architecture))
