"""A search whose trials do not depend on how many workers there are, nor on which is faster.

Trial k is asked for when its searcher has been told of exactly the trials 1 … k-d, in the order of
their numbers. The lag d is a property of the search, like its seed. So the sequence of asks and
tells is fixed:

    ask 1 … ask d, tell 1, ask d+1, tell 2, ask d+2, …

What ends before its turn waits. So a result becomes durable in its turn: killed, a search may
lose up to d-1 results that had no turn yet, and measures these again, to the same values. A lag of
1 is a search with one worker; with a lag of d, up to d workers are kept busy, and the searcher
learns of a result d-1 asks later.

Whatever decides over a trial is read from what is settled when it is asked for: whether the
budget admits it, and whether it is known. One that equals an earlier trial without a turn yet
is answered by that one in its own turn.
"""

from collections.abc import Sequence
from typing import Any

import attrs

from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.candidate import Asked, Begun, Candidate, identify
from hypernets.application.loop.course import Course, Ended
from hypernets.application.loop.search import Search
from hypernets.application.loop.search_argument import require_workers
from hypernets.application.loop.verdict import Pending
from hypernets.application.port import Executor, Outcome
from hypernets.domain.error import SearchError, SearchExhausted
from hypernets.domain.history import Trial, TrialKey

__all__ = ["DeterministicSearch"]


@attrs.define
class _Turn:
    """A proposal that the searcher has not been told of.

    Attributes:
        candidate: the proposal.
        key: by what it is known.
        admitted: whether the budget of the run has room for it.
        is_new: whether nothing known and no earlier turn had its key when it was asked for.
        begun: whether it runs, or has ended.
        ended: what came of it.
    """

    candidate: Candidate
    key: TrialKey
    admitted: bool
    is_new: bool
    begun: bool = False
    ended: Ended | None = None


class DeterministicCourse(Course):
    """Asks and tells in an order that depends on the lag alone.

    Args:
        *parts: of `Course`.
        lag: how many trials may be asked for and not told.
    """

    def __init__(self, *parts: Any, lag: int) -> None:
        super().__init__(*parts)
        self._lag = lag
        self._turns: dict[int, _Turn] = {}  # by number, in its order
        self._reason: EndReason | None = None  # why nothing is admitted any more in this run
        self._exhausted = False

    def begin(self, budget: Budget, executor: Executor) -> None:
        """Begin a run (see `Course.begin`)."""
        super().begin(budget, executor)
        ended = {number: turn for number, turn in self._turns.items() if turn.ended}
        asked = [*self.proposals, *(turn.candidate.asked for turn in ended.values())]
        self._turns, self._reason = {}, None
        for one in sorted(asked, key=_number):
            self._admit(identify(one, self._estimator_name), ended.get(one.number))

    # --- the order of asks and tells --------------------------------------------

    def fill(self) -> EndReason | None:
        """Begin trials until every worker has one; return why no more may begin, if so."""
        self._record_ended()
        while len(self.running) < self.n_workers:
            reason = self._reason_to_wait()
            if reason is not None:
                return reason
            turn = self._next_turn()
            if turn is None:
                return self._reason or (EndReason.EXHAUSTED if self._exhausted else None)
            turn.begun = True
            self._begin(turn.candidate)
            self._record_ended()
        return None

    def _end(self, begun: Begun, outcome: Outcome) -> None:
        """Keep an outcome until its turn."""
        number = begun.candidate.asked.number
        self._turns[number].ended = (begun, outcome, self._clock.now())

    def _record_ended(self) -> None:
        """Tell the trials whose turn has come, and ask ahead."""
        self._ask_ahead()
        while self._tell_turn():
            self._ask_ahead()

    def _tell_turn(self) -> bool:
        """Tell the trial whose turn it is, if it has ended or is known; return whether it was."""
        turn = self._turns.get(len(self._history) + 1)
        if turn is None:
            return False
        if turn.ended is not None:
            self._n_known = 0
            try:
                self._recorder.conclude(*turn.ended, self._pending())
            finally:
                self._forget_if_told(turn)
            return True
        earlier = None if turn.begun or not turn.admitted else self._recorder.answer(turn.candidate)
        if earlier is None:
            return False
        self._n_known += self._recorder.is_own(earlier)
        self._recorder.record_answer(turn.candidate, earlier, self._pending())
        self.proposals.remove(turn.candidate.asked)
        self._forget_if_told(turn)
        return True

    def _forget_if_told(self, turn: _Turn) -> None:
        number = turn.candidate.asked.number
        if self._recorder.is_recorded(number):
            del self._turns[number]

    def _ask_ahead(self) -> None:
        """Ask as far as the lag allows, whatever the budget: it decides over the begin only."""
        while not self._exhausted and self.proposals.next_number - self._lag <= len(self._history):
            if self._reason is EndReason.REPEATING:
                return
            try:
                asked = self.proposals.ask(len(self._history))
            except SearchExhausted:
                self._exhausted = True
                return
            candidate = identify(asked, self._estimator_name)
            known = self._history.lookup(candidate.key) is not None
            if known and asked.proposal.if_known == "propose_anew":
                self._n_known += 1
                self.proposals.remove(asked)
                self.proposals.drop(asked)
                self._reason = self._reason or self._reason_of_budget()
            else:
                self._admit(candidate)

    def _admit(self, candidate: Candidate, before: _Turn | None = None) -> None:
        """Give a proposal its turn; `before` is the one that it had in an earlier run."""
        key = candidate.key
        if before is not None:
            self._turns[candidate.asked.number] = before
            return
        self._reason = self._reason or self._reason_of_budget()
        same = any(turn.key == key and turn.admitted for turn in self._turns.values())
        is_new = not same and self._recorder.answer(candidate) is None
        self._turns[candidate.asked.number] = _Turn(candidate, key, self._reason is None, is_new)

    def _next_turn(self) -> _Turn | None:
        """Return the first proposal that may begin: admitted, and neither known nor about to be."""
        untold: set[TrialKey] = set()
        for turn in self._turns.values():
            if not turn.admitted:
                return None
            if (
                not turn.begun
                and turn.key not in untold
                and self._recorder.answer(turn.candidate) is None
            ):
                return turn
            untold.add(turn.key)
        return None

    # --- what the base class asks -------------------------------------------------

    def _reason_to_wait(self) -> EndReason | None:
        """Return why what was admitted does not begin now, if so."""
        reason = self._reason_of_stop()
        if reason is None and self._budget.is_over(self._elapsed_s()):
            return EndReason.MAX_TIME
        return reason

    def _n_under_way(self) -> int:
        return sum(turn.admitted and turn.is_new for turn in self._turns.values())

    def _pending(self) -> Pending:
        """Return what has been asked for and not told, but for the one whose turn it is."""
        own = len(self._history) + 1
        asked = [turn.candidate.asked for number, turn in self._turns.items() if number != own]
        return tuple((one.number, one.asked_after, *one.dropped) for one in asked)


class DeterministicSearch(Search):
    """A search with the same trials whatever the number of workers.

    Args:
        searcher: as for `Search`.
        estimator: as for `Search`; the same architecture and seed must give the same value.
        lag: how many trials may be asked for and not told; at least `n_workers`.
        **options: of `Search`.

    Raises:
        SearchError: an argument makes no sense, or there are more workers than the lag keeps busy.
    """

    def __init__(self, searcher: Any, estimator: Any, *, lag: int, **options: Any) -> None:
        self.lag = _require_lag(lag, require_workers(options.get("n_workers", 1)))
        super().__init__(searcher, estimator, **options)

    def _make_course(self, *parts: Any) -> Course:
        return DeterministicCourse(*parts, lag=self.lag)

    def restore(self) -> None:
        """Go on from what the store holds (see `Search.restore`).

        Raises:
            SearchError: the store holds the history of another search, or of another lag.
        """
        super().restore()
        n_taken = self.n_taken
        for place, trial in enumerate(self.history[n_taken:], n_taken + 1):
            if trial.number != place or trial.asked_after != max(n_taken, place - self.lag):
                raise SearchError(
                    "store: a deterministic search goes on only from a history of the same lag; "
                    f"received lag={self.lag} where trial {trial.number}, the {place}. one told, "
                    f"was asked for after {trial.asked_after} tells; "
                    f"{_advice(self.history[n_taken:], n_taken)}"
                )


def _advice(trials: Sequence[Trial], n_taken: int) -> str:
    for trial in trials:
        if trial.asked_after > n_taken:
            lag = trial.number - trial.asked_after
            return f"give lag={lag}, leave it out if that is refused too, or give another store"
    return "give another store"


def _require_lag(lag: Any, n_workers: int) -> int:
    if type(lag) is not int or lag < n_workers:
        raise SearchError(
            f"lag must be an integer >= n_workers, which is {n_workers}; received {lag!r}; "
            f"write lag={n_workers}, say; the same lag gives the same trials with fewer workers"
        )
    return lag


def _number(asked: Asked) -> int:
    return asked.number
