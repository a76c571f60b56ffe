"""Several strategies in one search, of which a bandit chooses who proposes next."""

import math
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import SearchError, SearchExhausted
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.bayesian_optimization import BayesianOptimization
from hypernets.domain.searchers.local_search import LocalSearch
from hypernets.domain.searchers.randomness import rng_for
from hypernets.domain.searchers.regularized_evolution import RegularizedEvolution
from hypernets.domain.searchers.searcher import Proposal, Searcher
from hypernets.domain.searchers.strategy import Strategy, require_count, require_number

__all__ = ["Portfolio"]

_TRIES = 50  # proposals of what other members have proposed, and members that drop out, in an ask
_GOOD = 4  # the best of so many are to somebody's credit
MEMBERS: Mapping[str, Callable[..., Searcher]] = {
    "bayesian": BayesianOptimization,
    "evolution": RegularizedEvolution,
    "local_search": LocalSearch,
}


class Portfolio(Strategy):
    """Lets several strategies propose in turns, those more often that lately found something.

    Each trial is told to all of them, whoever proposed it. A member's credit is the share of its
    trials that are among the best quarter of the latest ones; the member with the largest sum of
    credit and exploration bound proposes next. Members that have nothing left to propose drop out.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        members: name → what makes it: a class of searchers or a function with the same arguments
            `(space, optimize_direction, seed)`; Bayesian optimisation, evolution and local search
            when absent.
        window: number of trials that are looked back at.
        exploration: weight of the bound.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    References:
        Auer, Cesa-Bianchi & Fischer (2002), "Finite-time analysis of the multiarmed bandit problem"
        (UCB1); Fialho, Schoenauer & Sebag (2010), "Toward comparison-based adaptive operator
        selection", for credit by ranks in a sliding window; Ansel, Kamil, Veeramachaneni,
        Ragan-Kelley, Bosboom, O'Reilly & Amarasinghe (2014), "OpenTuner", section 4.2, for
        strategies as arms.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        members: Mapping[str, Callable[..., Searcher]] | None = None,
        window: int = 50,
        exploration: float = 0.3,
    ) -> None:
        where = type(self).__name__
        makers: Any = MEMBERS if members is None else members
        if not isinstance(makers, Mapping) or not makers or not all(map(callable, makers.values())):
            raise SearchError(
                f"{where}: members must map names to classes of searchers; received {members!r}; "
                "write members={'evolution': RegularizedEvolution, 'random': RandomSearcher}, say"
            )
        options = {"members": members, "window": window, "exploration": exploration}
        super().__init__(space, optimize_direction, seed, **options)
        self._makers = makers
        self._window = require_count(where, "window", window)
        self._exploration = require_number(where, "exploration", exploration)
        self._members: dict[str, Searcher] = {}
        self._asked: dict[Hashable, str] = {}  # key of a pending architecture → who proposed it
        self._latest: deque[tuple[str, float]] = deque(maxlen=self._window)  # who, and the cost

    @property
    def members(self) -> Mapping[str, Searcher]:
        """Name → strategy; those that have dropped out are missing."""
        if not self._members and not self.n_asked:
            self._members = {name: self._made(name) for name in self._makers}
        return self._members

    @property
    def options(self) -> dict[str, Any]:
        """What decides what is proposed: the members by their classes and options."""
        told = {name: _told_of(self._made(name)) for name in self._makers}
        return {**super().options, "members": told}

    def keep_within(self, limit: CostLimit) -> None:
        """Propose only architectures that keep within a limit too from now on.

        Raises:
            SpaceError: each network of the space exceeds it.
        """
        super().keep_within(limit)
        for member in self._members.values():
            _keep_within(member, limit)

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return what the most promising member proposes."""
        for _ in range(_TRIES):
            if not self.members:
                break
            name = self._most_promising()
            try:
                answer = self._members[name].ask()
            except SearchExhausted:
                del self._members[name]
                continue
            proposal = answer if isinstance(answer, Proposal) else Proposal(answer)
            if self.is_new(proposal.architecture):  # not another member's, which has not ended
                self._asked[proposal.architecture.key] = name
                return proposal
        return None

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Tell all members; credit the one whose trial it is."""
        for member in self.members.values():
            member.tell(trial)
        name = self._asked.pop(trial.architecture.key, None)
        if name is not None:
            self._latest.append((name, math.inf if cost is None else cost))

    def _most_promising(self) -> str:
        waiting = list(self._asked.values())
        total = len(self._latest) + len(waiting)
        ascending = sorted(cost for _, cost in self._latest)
        good = ascending[(len(ascending) - 1) // _GOOD] if ascending else math.inf

        def bound(name: str) -> float:
            costs = [cost for who, cost in self._latest if who == name]
            n = len(costs) + waiting.count(name)
            if n == 0:
                return math.inf
            credit = sum(cost <= good and math.isfinite(cost) for cost in costs) / n
            return credit + self._exploration * math.sqrt(2.0 * math.log(max(total, 2)) / n)

        return max(self._members, key=bound)  # the first of equal ones

    def _made(self, name: str) -> Searcher:
        number = list(self._makers).index(name)
        seed = int(rng_for(self.seed, number, "member").integers(1 << 31))
        member: Any = self._makers[name](self.space, self.direction, seed)
        if self.limit is not None:
            _keep_within(member, self.limit)
        return member  # type: ignore[no-any-return]


def _keep_within(member: Any, limit: CostLimit) -> None:
    if hasattr(member, "keep_within"):  # what it proposes beyond is passed over anyway
        member.keep_within(limit)


def _told_of(member: Any) -> dict[str, Any]:
    return {"searcher": type(member).__name__, **(getattr(member, "options", None) or {})}
