"""Every proposal of a searcher, evaluated several times."""

import statistics
from collections import deque
from collections.abc import Hashable
from typing import Any

import attrs

from hypernets.domain.error import SearchError
from hypernets.domain.history.key import canonical
from hypernets.domain.history.trial import Trial, TrialState
from hypernets.domain.searchers.searcher import Proposal, Searcher
from hypernets.domain.searchers.wrapper.wrapper import SearcherWrapper

__all__ = ["ReplicatingSearcher"]

# After any other, the seed may have been to blame, and another one may do better.
_BEYOND_LUCK = (
    TrialState.FAILED,
    TrialState.OUT_OF_MEMORY,
    TrialState.TIMED_OUT,
    TrialState.PRUNED,
)


@attrs.define
class _Group:
    """The evaluations of one proposal.

    Attributes:
        missing: the replicates that have not ended.
        told: the trials that have.
    """

    missing: set[int]
    told: list[Trial] = attrs.field(factory=list)


class ReplicatingSearcher(SearcherWrapper):
    """Has each proposal of another searcher evaluated several times, from different seeds.

    The other searcher is told once of each of its proposals, when the last evaluation has ended:
    the record of the first that succeeded, with the means of what all those measured. An evaluation
    that fails of itself (an error, memory, the deadline) or is stopped early is not repeated. One
    that is known already is answered, whatever the other searcher wishes for that case.

    Every other attribute is that of the other searcher.

    Args:
        searcher: the other searcher.
        replicates: how often to evaluate each proposal.

    Raises:
        SearchError: `replicates` is no integer >= 1.
    """

    def __init__(self, searcher: Searcher, replicates: int) -> None:
        if type(replicates) is not int or replicates < 1:
            raise SearchError(
                f"replicates must be an integer >= 1; received {replicates!r}; write replicates=3, "
                "say, to train every architecture from three seeds"
            )
        super().__init__(searcher, replicates=replicates)
        self.replicates = replicates
        self._queue: deque[Proposal] = deque()  # the rest of the last proposal
        self._groups: dict[Hashable, list[_Group]] = {}

    def ask(self) -> Proposal:
        """Return the next evaluation of the last proposal, or the first one of a new proposal.

        Raises:
            SearchExhausted: the other searcher has nothing left to propose.
        """
        if self._queue:
            return self._queue.popleft()
        first = self.ask_inner()
        if first.replicate:  # it sees to replicates itself
            return first
        first = attrs.evolve(first, if_known="answer")  # one that is dropped would never end
        key = _key(first.architecture.decisions, first.fidelity)
        self._groups.setdefault(key, []).append(_Group(set(range(self.replicates))))
        self._queue.extend(
            attrs.evolve(first, replicate=each) for each in range(1, self.replicates)
        )
        return first

    def tell(self, trial: Trial) -> None:
        """Note an evaluation; tell the other searcher when it was the last of its proposal."""
        key = _key(trial.decisions, trial.fidelity)
        waiting = self._groups.get(key, [])
        group = next((each for each in waiting if trial.replicate in each.missing), None)
        if group is None:  # not a proposal of this one
            self._searcher.tell(trial)
            return
        group.missing.discard(trial.replicate)
        group.told.append(trial)
        if trial.state in _BEYOND_LUCK:
            self._give_up(key, group)
        if not group.missing:
            waiting.remove(group)
            if not waiting:
                del self._groups[key]
            self._searcher.tell(_mean_of(group.told))

    def _give_up(self, key: Hashable, group: _Group) -> None:
        """Take the evaluations of a group that have not been asked for out of the queue."""
        ours = self._groups[key][-1] is group  # the queue is of the proposal asked for last
        if not ours or not self._queue:
            return
        queued = self._queue[0]
        if _key(queued.architecture.decisions, queued.fidelity) == key:
            group.missing -= {proposal.replicate for proposal in self._queue}
            self._queue.clear()


def _key(decisions: Any, fidelity: Any) -> Hashable:
    return canonical((decisions, fidelity))


def _mean_of(trials: list[Trial]) -> Trial:
    succeeded = [trial for trial in trials if trial.succeeded]
    if not succeeded:
        return trials[0]
    names = [
        name for name in succeeded[0].objectives if all(name in t.objectives for t in succeeded)
    ]
    means = {name: statistics.fmean(t.objectives[name] for t in succeeded) for name in names}
    return attrs.evolve(succeeded[0], objectives=means)
