"""Random search."""

from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.limit import CostLimit, LimitedSampler
from hypernets.domain.error import SearchExhausted, SpaceError
from hypernets.domain.history.direction import parse_direction
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.odometer import Odometer
from hypernets.domain.searchers.randomness import parse_seed, rng_for
from hypernets.domain.searchers.source import space_from

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["RandomSearcher"]

# Draws that may be rejected in one ask before the space is walked instead. A draw costs about as
# much as a step of the walk, so this bounds what one ask costs near the end of a small space; an
# infinite space is not near any end, and its walk would be a narrow one.
_PATIENCE_FINITE = 32
_PATIENCE_INFINITE = 1_000
_PATIENCE_LIMITED = 100  # draws by propagation, after as many plain ones
_STEPS_LIMITED = 20_000  # of the walk in one ask: limits may leave out nearly all of a large space


class RandomSearcher:
    """Proposes architectures at random, every decision uniformly; none twice, unless so wished.

    A finite space ends with `SearchExhausted` exactly when each of its architectures has been
    proposed. What it is told is of no consequence to it, except that an architecture that was
    evaluated without having been proposed is not proposed any more.

    With limits on the cost, only architectures that make a network within them are proposed (see
    `LimitedSampler`), and a finite space ends when each of these has been.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one; called once.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        with_replacement: whether to propose the same decisions again when they are drawn again:
            every draw is then independent of those before, until all has been proposed. With a
            limit it never ends.
        limit: what a network may cost at most.

    Attributes:
        space: the space.
        direction: the direction.
        seed: what makes it repeatable.
        seed_given: whether it was made with one.

    Raises:
        SpaceError: `space` is no space and gives none, or each of its networks exceeds the limit.
        SearchError: the direction or the seed is none.

    References:
        Bergstra & Bengio (2012), "Random search for hyper-parameter optimization".
    """

    def __init__(
        self,
        space: "HyperSpace | Callable[[], HyperSpace]",
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        with_replacement: bool = False,
        limit: CostLimit | None = None,
    ) -> None:
        self.direction = parse_direction(optimize_direction)
        self.seed = parse_seed(seed)
        self.seed_given = seed is not None
        self.space = space_from(space, "RandomSearcher")
        self.with_replacement = with_replacement
        # asking the space freezes it, so that a wrong definition is reported here
        self._patience = _PATIENCE_FINITE if self.space.is_finite else _PATIENCE_INFINITE
        self._n_asked = 0
        self._proposed: set[Hashable] = set()
        self._walk: Odometer | None = None
        self._next: Architecture | None = None  # of the walk
        self._is_walked = False
        self._sampler: LimitedSampler | None = None
        if limit is not None:
            self.keep_within(limit)

    @property
    def limit(self) -> CostLimit | None:
        """What a network may cost at most; `None` without a limit."""
        return None if self._sampler is None else self._sampler.limit

    @property
    def sampler(self) -> LimitedSampler | None:
        """What draws under the limit, and knows how many were accepted; `None` without one."""
        return self._sampler

    def keep_within(self, limit: CostLimit) -> None:
        """Propose only architectures that keep within a limit too from now on.

        Raises:
            SpaceError: each network of the space exceeds it.
        """
        limit = limit.within(self.limit)
        if limit != self.limit:
            self._sampler = LimitedSampler(self.space, limit)
            self._walk, self._next, self._is_walked = None, None, False

    @property
    def options(self) -> dict[str, Any]:
        """What else decides what is proposed."""
        limit = None if self.limit is None else str(self.limit)
        return {"with_replacement": self.with_replacement, "limit": limit}

    def fresh(self) -> "RandomSearcher":
        """Return one that has proposed nothing yet, with the same options."""
        return RandomSearcher(
            self.space,
            self.direction,
            self.seed if self.seed_given else None,
            with_replacement=self.with_replacement,
            limit=self.limit,
        )

    def suggest_seed(self, seed: int) -> None:
        """Take a seed, unless one was given or something has been proposed already."""
        if not self.seed_given and not self._n_asked:
            self.seed = parse_seed(seed)
            self._walk, self._next, self._is_walked = None, None, False

    def ask(self) -> "Architecture":
        """Return an architecture that has not been proposed before, or any with replacement.

        Raises:
            SearchExhausted: every one has been; or none that keeps within the limit was found any
                more.
            SpaceError: none was found that keeps within the limit, from the very first.
        """
        architecture = self._draw()
        if architecture is None:
            architecture = self._left()
        if architecture is None:
            raise self._end(self._sampler, is_certain=self._is_walked)
        self._n_asked += 1
        self._proposed.add(architecture.key)
        return architecture

    def tell(self, trial: Trial) -> None:
        """Take note that an architecture has been evaluated."""
        if trial.architecture is not None:
            self.note(trial.architecture)

    def note(self, architecture: "Architecture") -> None:
        """Count an architecture as proposed."""
        self._proposed.add(architecture.key)

    def knows(self, architecture: "Architecture") -> bool:
        """Say whether an architecture counts as proposed."""
        return architecture.key in self._proposed

    def _draw(self) -> "Architecture | None":
        for architecture in self._draws(rng_for(self.seed, self._n_asked, "ask")):
            if architecture is not None and self._is_wanted(architecture):
                return architecture
        return None

    def _draws(self, rng: Any) -> "Iterator[Architecture | None]":
        """Yield the draws of one ask, `None` for those beyond the limit."""
        if self._sampler is None:
            for _ in range(self._patience):
                yield self.space.decide(lambda decision: decision.sample(rng))
            return
        for number in range(2 * _PATIENCE_LIMITED):
            yield self._sampler.draw(rng, propagate=number >= _PATIENCE_LIMITED)

    def _is_wanted(self, architecture: "Architecture") -> bool:
        if architecture.key not in self._proposed:
            return True
        return self.with_replacement and not self._is_used_up()

    def _is_used_up(self) -> bool:
        if not self.space.is_finite or self._sampler is not None:
            return False
        return self._left() is None

    def _left(self) -> "Architecture | None":
        """Return an architecture that has not been proposed, as far as a walk finds one."""
        if self._next is not None and self._next.key not in self._proposed:
            return self._next
        sampler = self._sampler
        if self._walk is None:
            admits = None if sampler is None else sampler.may_hold
            self._walk = Odometer(self.space, self.seed, admits)
        for steps, architecture in enumerate(self._walk, start=1):
            if (
                architecture is not None
                and architecture.key not in self._proposed
                and (sampler is None or sampler.holds(architecture))
            ):
                self._next = architecture
                return architecture
            if sampler is not None and steps == _STEPS_LIMITED:
                return None
        self._is_walked = True
        return None

    def _end(self, sampler: LimitedSampler | None, *, is_certain: bool) -> Exception:
        """Return what says that there is nothing left to propose, as far as is known."""
        count = len(self._proposed)
        if sampler is None:
            return SearchExhausted(
                f"each of the {count} architectures of the space has been proposed"
            )
        if not count:
            return SpaceError(sampler.refusal(2 * _PATIENCE_LIMITED))
        if is_certain:
            return SearchExhausted(
                f"each of the {count} architectures of the space within {sampler.limit} has been "
                "proposed"
            )
        return SearchExhausted(
            f"{count} architectures within {sampler.limit} have been proposed, and no other one "
            f"was found in {_STEPS_LIMITED:,} steps through the space; there may be more"
        )
