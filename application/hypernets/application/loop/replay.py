"""Bringing a fresh searcher to where an earlier one was."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from hypernets.application.loop.candidate import Asked, as_proposal
from hypernets.domain.error import CorruptStoreError, SearchError, SearchExhausted
from hypernets.domain.history import Trial
from hypernets.domain.history.key import canonical
from hypernets.domain.searchers.searcher import Proposal, Searcher

__all__ = ["replay"]


@attrs.frozen
class _Ask:
    """An ask on record.

    Attributes:
        number: of the trial.
        asked_after: number of trials that the searcher had been told of.
        kept: whether its proposal was kept; otherwise it was known, and dropped.
        dropped: `asked_after` of the asks of that number before it, if it was kept.
    """

    number: int
    asked_after: int
    kept: bool
    dropped: tuple[int, ...] = ()


def replay(
    searcher: Searcher, trials: Sequence[Trial], n_taken: int = 0
) -> tuple[list[Trial], list[Asked]]:
    """Ask and tell a fresh searcher what it was asked and told before, in the same interleaving.

    Number n was asked for when the searcher had been told of `asked_after` trials, and before that
    once for each proposal that was dropped (`Trial.dropped`); of a proposal that never ended, the
    records of the trials that ended meanwhile say so (`Trial.pending`).

    Args:
        searcher: a fresh one, with the space and the seed of the earlier one.
        trials: the records, in the order of tells.
        n_taken: how many of the first were taken over from another search: told, and not asked for.

    Returns:
        The records, now with their architectures, and the proposals that never ended.

    Raises:
        SearchError: the searcher does not propose what is on record.
        CorruptStoreError: the records contradict each other.
    """
    retold = _tell_taken(searcher, trials[:n_taken])
    asked_for = trials[n_taken:]
    recorded = {trial.number: trial for trial in asked_for}
    order = deque(_order_of_asks(asked_for))
    proposals: dict[int, Asked] = {}
    for n_told, trial in enumerate(asked_for, n_taken):
        while order and order[0].asked_after <= n_told:
            ask = order.popleft()
            trial_of = recorded.get(ask.number) if ask.kept else None
            proposal = _proposal(searcher, ask.number, trial_of)
            if ask.kept:
                proposals[ask.number] = Asked(ask.number, proposal, ask.asked_after, ask.dropped)
        if trial.number not in proposals:
            raise CorruptStoreError(
                "store: a trial must have been asked for before it ended; received trial "
                f"{trial.number}, asked for after {trial.asked_after} tells, as tell number "
                f"{n_told + 1}; restore the store from a copy, or begin with an empty one"
            )
        architecture = proposals.pop(trial.number).proposal.architecture
        told = attrs.evolve(trial, architecture=architecture)
        searcher.tell(told)
        retold.append(told)
    return retold, list(proposals.values())


def _tell_taken(searcher: Searcher, trials: Sequence[Trial]) -> list[Trial]:
    space: Any = getattr(searcher, "space", None)
    retold = []
    for trial in trials:
        told = attrs.evolve(trial, architecture=space.architecture(trial.decisions))
        searcher.tell(told)
        retold.append(told)
    return retold


def _order_of_asks(trials: Sequence[Trial]) -> Iterator[_Ask]:
    """Yield every ask on record: by number, and those of one number as they were made."""
    last: dict[int, tuple[int, ...]] = {}
    for trial in trials:  # what is known later holds: a pending proposal may have been dropped
        last.update((number, tuple(asks)) for number, *asks in trial.pending)
    last.update((trial.number, (trial.asked_after, *trial.dropped)) for trial in trials)
    for number, (asked_after, *dropped) in sorted(last.items()):
        yield from (_Ask(number, n_told, kept=False) for n_told in dropped)
        yield _Ask(number, asked_after, kept=True, dropped=tuple(dropped))


def _proposal(searcher: Searcher, number: int, trial: Trial | None) -> Proposal:
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
