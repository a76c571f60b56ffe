"""No network is proposed twice, however often it is decided."""

import attrs

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SearchExhausted
from hypernets.domain.history.trial import Trial
from hypernets.domain.searchers.searcher import Proposal, Searcher
from hypernets.domain.searchers.wrapper.wrapper import SearcherWrapper

__all__ = ["Deduplicating"]

_PATIENCE = 2_000  # proposals in one ask of networks that were proposed already


class Deduplicating(SearcherWrapper):
    """Proposes, of the architectures that compute the same function, only the first.

    What another searcher proposes is known by its signature. For a network that has been proposed
    before, the other searcher is told the earlier result as its own, at once or when it is there,
    and asked again. (A search answers such proposals too, but records each as a trial; here they do
    not count.) Proposals with another fidelity or of another replicate are passed on as they are.

    Args:
        searcher: the other searcher.
    """

    def __init__(self, searcher: Searcher) -> None:
        super().__init__(searcher)
        self._results: dict[str, Trial | None] = {}  # None: has not ended
        self._waiting: dict[str, list[Architecture]] = {}

    def ask(self) -> Proposal:
        """Return the next network that has not been proposed.

        Raises:
            SearchExhausted: the other searcher has nothing left to propose, or proposed nothing new
                in 2,000 proposals.
        """
        for _ in range(_PATIENCE):
            proposal = self.ask_inner()
            if proposal.fidelity or proposal.replicate:
                return proposal
            signature = proposal.architecture.signature
            if signature not in self._results:
                self._results[signature] = None
                return proposal
            known = self._results[signature]
            if known is None:
                self._waiting.setdefault(signature, []).append(proposal.architecture)
            else:
                self._answer(known, proposal.architecture)
        raise SearchExhausted(
            f"{_PATIENCE:,} proposals in a row were networks that had been proposed already, "
            f"{len(self._results):,} different ones in all"
        )

    def tell(self, trial: Trial) -> None:
        """Tell the other searcher, also for what was decided otherwise and computes the same."""
        super().tell(trial)
        if trial.architecture is None or trial.fidelity or trial.replicate:
            return
        signature = trial.architecture.signature
        self._results[signature] = attrs.evolve(trial, architecture=None)
        for architecture in self._waiting.pop(signature, []):
            self._answer(trial, architecture)

    def _answer(self, known: Trial, architecture: Architecture) -> None:
        decisions = architecture.decisions
        super().tell(attrs.evolve(known, decisions=decisions, architecture=architecture))
