"""Bringing a fresh searcher to where an earlier one was."""

from collections.abc import Sequence
from typing import Any

import attrs

from hypernets.application.loop.candidate import Asked, as_proposal
from hypernets.domain.error import SearchError, SearchExhausted
from hypernets.domain.history import Trial
from hypernets.domain.history.key import canonical
from hypernets.domain.searchers.searcher import Proposal, Searcher

__all__ = ["replay"]


def replay(searcher: Searcher, trials: Sequence[Trial]) -> tuple[list[Trial], list[Asked]]:
    """Ask and tell a fresh searcher what it was asked and told before, in the same interleaving.

    Number n was asked for when the searcher had been told of `asked_after` trials. A number that
    is missing below the largest one was asked for and never ended: when it was asked for is not on
    record, only that it was before the next number; it is asked for just before that.

    Args:
        searcher: a fresh one, with the space and the seed of the earlier one.
        trials: the records, in the order of tells.

    Returns:
        The records, now with their architectures, and the proposals that never ended.

    Raises:
        SearchError: the searcher does not propose what is on record.
    """
    recorded = {trial.number: trial for trial in trials}
    last = max(recorded, default=0)
    retold: list[Trial] = []
    unfinished: list[Asked] = []
    architectures: dict[int, Any] = {}
    number = 1
    for n_told, trial in enumerate(trials):
        while number <= last and (
            _asked_after(recorded, number) <= n_told or number <= trial.number
        ):
            proposal = _ask(searcher, number, recorded.get(number))
            if number in recorded:
                architectures[number] = proposal.architecture
            else:
                unfinished.append(Asked(number, proposal, n_told))
            number += 1
        told = attrs.evolve(trial, architecture=architectures.pop(trial.number))
        searcher.tell(told)
        retold.append(told)
    return retold, unfinished


def _asked_after(recorded: dict[int, Trial], number: int) -> int:
    while number not in recorded:
        number += 1
    return recorded[number].asked_after


def _ask(searcher: Searcher, number: int, trial: Trial | None) -> Proposal:
    try:
        proposal = as_proposal(searcher.ask())
    except SearchExhausted:
        raise _other_search(number, "nothing", trial) from None
    if trial is not None:
        decisions = dict(proposal.architecture.decisions)
        known = (proposal.fidelity, proposal.replicate, decisions)
        if canonical(known) != canonical((trial.fidelity, trial.replicate, trial.decisions)):
            raise _other_search(number, decisions, trial)
    return proposal


def _other_search(number: int, proposed: Any, trial: Trial | None) -> SearchError:
    on_record = dict(trial.decisions) if trial else "a trial that has not ended"
    return SearchError(
        "store: a search goes on only from its own history, so the space, the searcher and the "
        f"seed must be those of that history; received a searcher that proposes {proposed!r} as "
        f"number {number}, where {on_record!r} is on record; give the same seed, or another store"
    )
