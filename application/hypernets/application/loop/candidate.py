"""What a searcher has proposed, by what it is known, and what has begun of it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs

from hypernets.application.port.executor import Ticket
from hypernets.domain.error import SearchError, SpaceError, TrialError
from hypernets.domain.history import TrialKey, trial_key
from hypernets.domain.searchers.searcher import Proposal

__all__ = ["Asked", "Begun", "Candidate", "as_proposal", "identify"]


@attrs.frozen
class Asked:
    """A proposal with its number.

    Attributes:
        number: of the trial that it becomes.
        proposal: what the searcher answered.
        asked_after: number of trials that the searcher had been told of.
        dropped: the same for each proposal that had this number before and was dropped.
    """

    number: int
    proposal: Proposal
    asked_after: int
    dropped: tuple[int, ...] = ()


@attrs.frozen
class Candidate:
    """A proposal that has been looked at.

    Attributes:
        asked: the proposal.
        signature: digest of its network; empty where there is no network.
        training: its decided arguments of the training.
        estimator: name of what is to measure it.
        error: why there is no network.
    """

    asked: Asked
    signature: str
    training: Mapping[str, Any]
    estimator: str
    error: Exception | None = None

    @cached_property
    def key(self) -> TrialKey:
        """By what it is known."""
        proposal = self.asked.proposal
        return trial_key(
            self.signature or proposal.architecture.decisions,
            self.training,
            proposal.fidelity,
            proposal.replicate,
            self.estimator,
        )


@attrs.frozen
class Begun:
    """A trial that runs.

    Attributes:
        candidate: what was proposed.
        ticket: of its job.
        seed: of its estimator.
        begun_s: when it began.
    """

    candidate: Candidate
    ticket: Ticket
    seed: int
    begun_s: float


def as_proposal(answer: Any) -> Proposal:
    """Return what a searcher answered as a proposal; a bare architecture is one at full fidelity.

    Raises:
        SearchError: it is neither.
    """
    proposal = answer if isinstance(answer, Proposal) else Proposal(answer)
    if not hasattr(proposal.architecture, "decisions"):
        raise SearchError(
            "a searcher's ask() must return a Proposal or an Architecture; "
            f"received {answer!r}; return what space.sample or space.decide gives"
        )
    return proposal


def identify(asked: Asked, estimator: str) -> Candidate:
    """Return a proposal with its signature, or with the reason why there is no network."""
    architecture = asked.proposal.architecture
    try:
        return Candidate(asked, architecture.signature, dict(architecture.training), estimator)
    except (TrialError, SpaceError) as error:
        return Candidate(asked, "", {}, estimator, error)
