"""Sampling under limits on the cost: by rejection, and where that fails, by propagation."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.architecture.limit.bound import CostBound, LeastCost
from hypernets.domain.architecture.limit.cost_limit import CostLimit
from hypernets.domain.error import BuildError, SpaceError

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace
    from hypernets.domain.space.hyperparameter import Decision, Rng

__all__ = ["LimitedSampler"]

_PLAIN_DRAWS = 50
_LISTED = 64  # values of a decision that are all looked at; of more, so many are drawn
_CHECKS = 4  # how often a plain draw is compared with the limits before it is complete


class _GivenUpError(Exception):
    """Whatever is still decided, a limit is exceeded."""


class LimitedSampler:
    """Draws architectures of a space that keep within limits.

    The first draws are plain ones, and what exceeds a limit is rejected, often long before it is
    complete. Rejection keeps the distribution: what is accepted is drawn as `space.sample` would
    have drawn it, given that it keeps within the limits.

    If `plain_draws` in a row are rejected, the limits are rare in the space. From then on a value
    after which no network could keep within the limits is not offered. That finds architectures
    where one in a million keeps within the limits, but not all of them are equally likely: each
    decision is uniform over what is still offered, so a value with few acceptable continuations
    is chosen as often as one with many. Where that matters, raise `plain_draws`.

    An architecture that makes no network is rejected as well.

    Args:
        space: the space.
        limit: the limits.
        max_attempts: draws in a row without success after which the space counts as empty.
        plain_draws: how many of them are plain.

    Attributes:
        attempts: architectures drawn so far, those given up included.
        accepted: those of them that were accepted.
        propagated: those of the accepted that were not drawn plainly.
        unbuildable: those of them that make no network.
        exceeded: name of a limit → how many exceeded it, possibly along with others.

    Raises:
        SpaceError: a number is no integer >= 1 (`plain_draws`: >= 0); or the limits are such that
            every network exceeds them, which is known before any is drawn.

    Example:
        >>> from hypernets.domain.space.hyperparameter import Choice
        >>> from hypernets.domain.space.hyper_space import HyperSpace
        >>> from hypernets.domain.space.layer import LayerModule
        >>> class Input(LayerModule):
        ...     is_input = True
        >>> class Dense(LayerModule):
        ...     pass
        >>> space = HyperSpace()
        >>> with space.as_default():
        ...     units = Choice([1, 1000], name="units")
        ...     _ = Dense({"units": units})(Input({"shape": (3,)}))
        >>> sampler = LimitedSampler(space, CostLimit(max_params=100))
        >>> sampler.sample(0).decisions
        {'units': 1}
    """

    def __init__(
        self,
        space: "HyperSpace",
        limit: CostLimit,
        *,
        max_attempts: int = 1_000,
        plain_draws: int = _PLAIN_DRAWS,
    ) -> None:
        self.space = space
        self.limit = limit
        self._max_attempts = _require_count(max_attempts, "max_attempts", 1)
        self._plain_draws = _require_count(plain_draws, "plain_draws", 0)
        self._frozen = space.freeze()
        self._bound: CostBound = space.cost_bound()
        self.attempts = 0
        self.accepted = 0
        self.propagated = 0
        self.unbuildable = 0
        self.exceeded = dict.fromkeys(limit.limits, 0)
        self._plain = [0, 0]  # plain draws, and those of them that were accepted
        self._smallest: dict[str, float] = {}
        self._failure = ""
        self._require_possible()

    # --- what is known ------------------------------------------------------

    @property
    def acceptance_rate(self) -> float:
        """Share of the plain draws so far that were accepted; 1 before the first.

        So it estimates which share of the space keeps within the limits.
        """
        drawn, accepted = self._plain
        return accepted / drawn if drawn else 1.0

    @property
    def least(self) -> dict[str, float]:
        """Name of each limit → what every network of the space costs at least, as far as known."""
        return self.limit.costs(self._least(self._undecided()))

    @property
    def smallest(self) -> dict[str, float]:
        """Name of each limit → the smallest cost of that kind that was seen; empty before any."""
        return dict(self._smallest)

    def report(self) -> str:
        """Return what the draws have come to, in a few lines."""
        lines = [
            f"limits: {self.limit}",
            f"accepted: {self.accepted:,} of {self.attempts:,} draws, {self.propagated:,} of them "
            "by propagation",
        ]
        if self._plain[0]:
            lines.append(
                f"of the plain draws: {self.acceptance_rate:.2%} ({self._plain[1]:,} of "
                f"{self._plain[0]:,})"
            )
        lines.extend(
            f"exceeding {name}: {count:,}" for name, count in self.exceeded.items() if count
        )
        if self.unbuildable:
            lines.append(f"without a network: {self.unbuildable:,}")
        return "\n".join(lines)

    __str__ = report

    # --- drawing ------------------------------------------------------------

    def sample(self, seed: "int | Rng | None" = None) -> Architecture:
        """Return a random architecture within the limits.

        Args:
            seed: as for `HyperSpace.sample`; the same seed gives the same architecture.

        Raises:
            SpaceError: none of `max_attempts` architectures keeps within the limits; the message
                says which limit is exceeded and by how much at least.
        """
        from hypernets.domain.space.hyper_space import generator_of

        rng = generator_of(seed)
        for number in range(self._max_attempts):
            architecture = self.draw(rng, propagate=number >= self._plain_draws)
            if architecture is not None:
                return architecture
        raise SpaceError(self.refusal(self._max_attempts))

    def draw(self, rng: "Rng", *, propagate: bool = False) -> Architecture | None:
        """Return a random architecture if it keeps within the limits, else `None`.

        Args:
            rng: source of random numbers.
            propagate: whether to offer only values after which that is still possible.
        """
        self.attempts += 1
        self._plain[0] += not propagate
        try:
            architecture = self._decided(self._offered(rng) if propagate else self._checked(rng))
        except _GivenUpError:
            return None
        if not self._accepts(architecture):
            return None
        self.accepted += 1
        self.propagated += propagate
        self._plain[1] += not propagate
        return architecture

    def may_hold(self, values: Sequence[Any]) -> bool:
        """Say whether some completion of decisions may keep within the limits.

        Args:
            values: by rank of the decision, its value or `UNDECIDED`.
        """
        return not self._too_much(values)

    def holds(self, architecture: Architecture) -> bool:
        """Say whether an architecture makes a network that keeps within the limits."""
        try:
            return self.limit.accepts(architecture)
        except BuildError:
            return False

    def _decided(self, chooser: "Callable[[Decision], Any]") -> Architecture:
        architecture = self._frozen.decide(chooser)
        self._give_up_beyond(architecture.values)
        return architecture

    def _checked(self, rng: "Rng") -> "Callable[[Decision], Any]":
        """Return a chooser that gives up where no completion can keep within the limits."""
        values, made = self._undecided(), 0
        period = max(1, len(values) // _CHECKS)

        def choose(decision: "Decision") -> Any:
            nonlocal made
            if made and made % period == 0:
                self._give_up_beyond(values)
            made += 1
            value = values[self._frozen.ranks[decision.index]] = decision.sample(rng)
            return value

        return choose

    def _offered(self, rng: "Rng") -> "Callable[[Decision], Any]":
        """Return a chooser that draws among values after which the limits can be kept."""
        values = self._undecided()

        def choose(decision: "Decision") -> Any:
            rank = self._frozen.ranks[decision.index]
            excess: dict[str, float] = {}
            for value in _shuffled(decision, rng):
                values[rank] = value
                excess = self._too_much(values)
                if not excess:
                    return value
            self._note(excess)
            raise _GivenUpError

        return choose

    def _give_up_beyond(self, values: Sequence[Any]) -> None:
        excess = self._too_much(values)
        # what cannot be built at all is left to the exact check, which says why
        if any(map(math.isfinite, excess.values())):
            self._note(excess)
            raise _GivenUpError

    def _note(self, excess: dict[str, float]) -> None:
        finite = [name for name, value in excess.items() if math.isfinite(value)]
        for name in finite:
            self.exceeded[name] += 1
        self.unbuildable += not finite

    def _undecided(self) -> list[Any]:
        return [UNDECIDED] * len(self._frozen.decisions)

    def _least(self, values: Sequence[Any]) -> LeastCost:
        return self._bound.least(values, depth=self.limit.max_depth is not None)

    def _too_much(self, values: Sequence[Any]) -> dict[str, float]:
        return self.limit.exceeded(self._least(values))

    def _accepts(self, architecture: Architecture) -> bool:
        try:
            cost = architecture.cost()
        except BuildError as error:
            self.unbuildable += 1
            self._failure = str(error)
            return False
        for name, value in self.limit.costs(cost).items():
            self._smallest[name] = min(value, self._smallest.get(name, value))
        excess = self.limit.excess(cost)
        if excess:
            self._note(excess)
        return not excess

    # --- refusing -----------------------------------------------------------

    def _require_possible(self) -> None:
        """Refuse limits that every network exceeds."""
        limits = self.limit.limits
        rows = [
            f"{name}={limits[name]:,}, where every network takes at least {value:,}"
            for name, value in self.least.items()
            if limits[name] < value < math.inf
        ]
        if rows:
            raise SpaceError(
                f"a space must hold networks within the limits; received {self.space!r} with "
                f"{' and '.join(rows)}; raise the limit, or give the space smaller options"
            )

    def refusal(self, attempts: int) -> str:
        """Return why so many draws in a row have found nothing, as a message."""
        drawn = f"{attempts:,} architectures"
        if not any(self.exceeded.values()):
            why = f" ({self._failure})" if self._failure else ""
            return (
                f"a space must hold networks whose cost is known; received {self.space!r}, where "
                f"none of {drawn} is one{why}; call space.verify()"
            )
        limits, least = self.limit.limits, self.least
        rows = []
        for name, count in self.exceeded.items():
            if count:
                seen = self._smallest.get(name)
                smallest = "" if seen is None else f", the smallest seen is {seen:,}"
                rows.append(
                    f"{name}={limits[name]:,} (exceeded by {count:,} of {self.attempts:,}"
                    f"{smallest}; at least {least[name]:,} for certain)"
                )
        return (
            f"a space must hold networks within the limits; received {self.space!r}, where none "
            f"of the last {drawn} keeps within {', '.join(rows)}; raise the limit, or give the "
            "space smaller options"
        )


def _shuffled(decision: "Decision", rng: "Rng") -> Iterator[Any]:
    """Yield the values of a decision in a random order, or draws where they are many."""
    if not decision.is_finite or decision.size > _LISTED:
        for _ in range(_LISTED):
            yield decision.sample(rng)
        return
    numbers = list(range(int(decision.size)))
    while numbers:
        place = min(int(rng.random() * len(numbers)), len(numbers) - 1)
        yield decision.value_at(numbers.pop(place))


def _require_count(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise SpaceError(
            f"LimitedSampler: {name} must be an integer >= {least}; received {value!r}"
        )
    return int(value)
