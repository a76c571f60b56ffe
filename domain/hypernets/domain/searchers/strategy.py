"""What most search strategies have in common, so that a new one is a page."""

import math
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hypernets.domain.architecture.limit import CostLimit, LimitedSampler
from hypernets.domain.error import SearchError
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.random import RandomSearcher
from hypernets.domain.searchers.randomness import rng_for
from hypernets.domain.searchers.searcher import Proposal
from hypernets.domain.searchers.source import space_from

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["Strategy", "require_count", "require_fraction", "require_number"]


class Strategy:
    """A search strategy but for its idea: what to propose, and what to learn from a trial.

    A subclass defines `propose`, mostly `learn`, and hands its options to `__init__` by name:

        class Greedy(Strategy):
            def __init__(self, space, optimize_direction="max", seed=None, *, tries=10):
                super().__init__(space, optimize_direction, seed, tries=tries)
                self._tries, self._best = tries, None

            def propose(self, rng):
                if self._best is None:
                    return None                                  # any new architecture
                return self.first_new(mutated(self._best.architecture, rng)
                                      for _ in range(self._tries))

            def learn(self, trial, cost):
                if cost is not None and (self._best is None or cost < self.cost_of(self._best)):
                    self._best = trial

    The rest is seen to here. Every ask has a random generator of its own, keyed by the seed and the
    number of the ask. No decisions are proposed twice: in place of known ones, and where `propose`
    returns `None`, a random architecture is proposed that is new. So a finite space ends with
    `SearchExhausted` when each of its architectures has been proposed. With limits on the cost
    (`keep_within`), nothing beyond them is proposed. `pending` holds what has been proposed and not
    yet told. `fresh` returns a searcher with the same options that has seen nothing.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one; called once.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        **options: what else the subclass was made with, by the names of its arguments.

    Attributes:
        pending: key of an architecture → the proposal, in the order of asks.
        n_asked: number of proposals so far.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: the direction or the seed is none.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        space = space_from(space, type(self).__name__)
        self._new = RandomSearcher(space, optimize_direction, seed)
        self._options = options
        self.pending: dict[Hashable, Proposal] = {}
        self.n_asked = 0
        self._n_told = 0

    # --- for the subclass -----------------------------------------------------

    def propose(self, rng: np.random.Generator) -> "Architecture | Proposal | None":
        """Return what to evaluate next; `None` for any architecture that is new.

        Args:
            rng: the generator of this ask.

        Raises:
            SearchExhausted: there is nothing left to propose.
        """
        raise NotImplementedError(f"{type(self).__name__} must define propose(rng)")

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Learn from a trial, which may be one that was not proposed by this searcher.

        Args:
            trial: the record, with its architecture.
            cost: what is to be made small: the reward, with its sign changed where a larger one is
                better; `None` where the trial did not succeed, or its reward is not finite.
        """

    def is_new(self, architecture: "Architecture") -> bool:
        """Say whether an architecture may still be proposed: unknown, and within the limits."""
        if self._new.knows(architecture):
            return False
        sampler = self._new.sampler
        return sampler is None or sampler.holds(architecture)

    def first_new(self, candidates: "Iterable[Architecture]") -> "Architecture | None":
        """Return the first of some architectures that may still be proposed, if any."""
        return next(filter(self.is_new, candidates), None)

    def any_new(self) -> "Architecture":
        """Return a random architecture that has not been proposed, and count it as proposed.

        Raises:
            SearchExhausted: there is none.
        """
        return self._new.ask()

    @property
    def n_seen(self) -> int:
        """Number of trials that were told or are pending, whoever proposed them."""
        return self._n_told + len(self.pending)

    def cost_of(self, trial: Trial) -> float | None:
        """Return what is to be made small of a trial; `None` where there is no finite reward."""
        reward = trial.reward
        if not trial.succeeded or reward is None:  # succeeded: it is finite
            return None
        return -reward if self.direction is Direction.MAX else reward

    # --- for the search -------------------------------------------------------

    @property
    def space(self) -> "HyperSpace":
        """The space."""
        return self._new.space

    @property
    def direction(self) -> Direction:
        """Whether a larger or a smaller reward is better."""
        return self._new.direction

    @property
    def seed(self) -> int:
        """What makes it repeatable."""
        return self._new.seed

    @property
    def seed_given(self) -> bool:
        """Whether it was made with a seed."""
        return self._new.seed_given

    @property
    def limit(self) -> CostLimit | None:
        """What a network may cost at most; `None` without a limit."""
        return self._new.limit

    @property
    def sampler(self) -> LimitedSampler | None:
        """What draws under the limit; `None` without one."""
        return self._new.sampler

    @property
    def options(self) -> dict[str, Any]:
        """What else decides what is proposed."""
        limit = None if self.limit is None else str(self.limit)
        return {**self._options, "limit": limit}

    def keep_within(self, limit: CostLimit) -> None:
        """Propose only architectures that keep within a limit too from now on.

        Raises:
            SpaceError: each network of the space exceeds it.
        """
        self._new.keep_within(limit)

    def suggest_seed(self, seed: int) -> None:
        """Take a seed, unless one was given or something has been proposed already."""
        if not self.n_asked:
            self._new.suggest_seed(seed)

    def fresh(self) -> Self:
        """Return one that has seen nothing yet, with the same options."""
        seed = self.seed if self.seed_given else None
        other = type(self)(self.space, self.direction, seed, **self._options)
        if self.limit is not None:
            other.keep_within(self.limit)
        return other

    def ask(self) -> Proposal:
        """Return the next proposal.

        Raises:
            SearchExhausted: everything has been proposed.
        """
        answer = self.propose(rng_for(self.seed, self.n_asked, "propose"))
        proposal = answer if isinstance(answer, Proposal) else None
        if answer is not None and proposal is None:
            proposal = Proposal(answer)
        if proposal is None or not self.is_new(proposal.architecture):
            proposal = Proposal(self.any_new())
        self.n_asked += 1
        self._new.note(proposal.architecture)
        self.pending[proposal.architecture.key] = proposal
        return proposal

    def tell(self, trial: Trial) -> None:
        """Learn the outcome of a trial; one whose architecture is not at hand teaches nothing."""
        if trial.architecture is None:
            return
        self._new.note(trial.architecture)
        self.pending.pop(trial.architecture.key, None)
        self._n_told += 1
        self.learn(trial, self.cost_of(trial))


def require_count(where: str, name: str, value: Any, least: int = 1) -> int:
    """Return an integer option of a searcher.

    Raises:
        SearchError: it is no integer, or less than `least`.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise SearchError(
            f"{where}: {name} must be an integer >= {least}; received {value!r}; leave it out for "
            "the default"
        )
    return int(value)


def require_fraction(where: str, name: str, value: Any) -> float:
    """Return an option of a searcher that is a number from 0 to 1.

    Raises:
        SearchError: it is none.
    """
    if isinstance(value, bool) or not hasattr(value, "__float__") or not 0.0 <= value <= 1.0:
        raise SearchError(
            f"{where}: {name} must be a number from 0 to 1; received {value!r}; leave it out for "
            "the default"
        )
    return float(value)


def require_number(where: str, name: str, value: Any, *, positive: bool = False) -> float:
    """Return an option of a searcher that is a finite number >= 0, or one > 0.

    Raises:
        SearchError: it is none.
    """
    is_number = not isinstance(value, (bool, str)) and hasattr(value, "__float__")
    if not is_number or not math.isfinite(value) or value < 0 or (positive and value == 0):
        raise SearchError(
            f"{where}: {name} must be a {'positive number' if positive else 'number >= 0'}; "
            f"received {value!r}; leave it out for the default"
        )
    return float(value)
