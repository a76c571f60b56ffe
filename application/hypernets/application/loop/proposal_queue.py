"""Proposals on their way from the searcher to a trial."""

from collections import deque
from collections.abc import Iterable, Iterator

from hypernets.application.log import EventLog
from hypernets.application.loop.candidate import Asked, as_proposal
from hypernets.application.port import Searcher

__all__ = ["ProposalQueue"]

log = EventLog(__name__)


class ProposalQueue:
    """Asks a searcher, numbers what it proposes, and holds what has not begun, in that order.

    Args:
        searcher: the strategy.
        unfinished: proposals of an earlier process that never ended.
        last_number: the largest of the trials that did; 0 where there are none.

    Attributes:
        next_number: of the next proposal.
    """

    def __init__(
        self, searcher: Searcher, unfinished: Iterable[Asked] = (), last_number: int = 0
    ) -> None:
        self._searcher = searcher
        self._waiting = deque(unfinished)
        self.next_number = max([last_number, *map(_number, self._waiting)]) + 1
        self._dropped: tuple[int, ...] = ()  # of those dropped since the last that was not

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Asked]:
        return iter(self._waiting)

    def first(self, n_told: int) -> Asked:
        """Return the proposal that has waited longest; a new one where none waits (see `ask`)."""
        return self._waiting[0] if self._waiting else self.ask(n_told)

    def ask(self, n_told: int) -> Asked:
        """Ask the searcher; its proposal is the last of those that wait.

        Args:
            n_told: of how many trials the searcher has been told.

        Raises:
            SearchExhausted: it has nothing left to propose.
            SearchError: what it answers is no proposal.
        """
        proposal = as_proposal(self._searcher.ask())
        asked = Asked(self.next_number, proposal, n_told, self._dropped)
        self._waiting.append(asked)
        self.next_number += 1
        self._dropped = ()
        return asked

    def remove(self, asked: Asked) -> None:
        """Take out a proposal that begins, or is answered."""
        self._waiting.remove(asked)

    def drop(self, asked: Asked) -> None:
        """Forget the last proposal, which has been taken out; its number goes to the next one."""
        log.debug("known proposal dropped", number=asked.number)
        self._dropped = (*asked.dropped, asked.asked_after)
        self.next_number = asked.number

    def give_back(self, asked: Iterable[Asked]) -> None:
        """Take back proposals that had begun; they wait in the order of their numbers."""
        self._waiting = deque(sorted([*asked, *self._waiting], key=_number))


def _number(asked: Asked) -> int:
    return asked.number
