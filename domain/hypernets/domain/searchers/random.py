"""Random search."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SearchExhausted
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


class RandomSearcher:
    """Proposes architectures at random, every decision uniformly, none twice.

    A finite space ends with `SearchExhausted` exactly when each of its architectures has been
    proposed. What it is told is of no consequence to it, except that an architecture that was
    evaluated without having been proposed is not proposed any more.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one; called once.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        with_replacement: whether to propose the same decisions again when they are drawn again.

    Attributes:
        space: the space.
        direction: the direction.
        seed: what makes it repeatable.

    Raises:
        SpaceError: `space` is no space and gives none.
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
    ) -> None:
        self.direction = parse_direction(optimize_direction)
        self.seed = parse_seed(seed)
        self.space = space_from(space, "RandomSearcher")
        self.with_replacement = with_replacement
        # asking the space freezes it, so that a wrong definition is reported here
        self._patience = _PATIENCE_FINITE if self.space.is_finite else _PATIENCE_INFINITE
        self._n_asked = 0
        self._proposed: set[Hashable] = set()
        self._walk: Odometer | None = None

    def ask(self) -> "Architecture":
        """Return an architecture that has not been proposed before.

        Raises:
            SearchExhausted: every one has been.
        """
        architecture = self._draw()
        if architecture is None:
            architecture = self._walk_on()
        self._n_asked += 1
        if not self.with_replacement:
            self._proposed.add(architecture.key)
        return architecture

    def tell(self, trial: Trial) -> None:
        """Take note that an architecture has been evaluated."""
        if trial.architecture is not None and not self.with_replacement:
            self._proposed.add(trial.architecture.key)

    def _draw(self) -> "Architecture | None":
        rng = rng_for(self.seed, self._n_asked, "ask")

        def choose(decision: Any) -> Any:
            return decision.sample(rng)

        for _ in range(self._patience):
            architecture = self.space.decide(choose)
            if self.with_replacement or architecture.key not in self._proposed:
                return architecture
        return None

    def _walk_on(self) -> "Architecture":
        if self._walk is None:
            self._walk = Odometer(self.space, self.seed)
        for architecture in self._walk:
            if architecture.key not in self._proposed:
                return architecture
        raise SearchExhausted(
            f"each of the {len(self._proposed)} architectures of the space has been proposed"
        )
