"""Sampling under limits on the cost, by rejection."""

from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import BuildError, SpaceError

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace
    from hypernets.domain.space.hyperparameter import Rng

__all__ = ["LimitedSampler"]


class LimitedSampler:
    """Draws architectures of a space that keep within limits.

    Rejection keeps the distribution: what is accepted is drawn as `space.sample` would have drawn
    it, given that it keeps within the limits. An architecture that makes no network is rejected.

    Args:
        space: the space.
        limit: the limits.
        max_attempts: draws in a row without success after which the space counts as empty.

    Attributes:
        attempts: architectures drawn so far.
        accepted: those of them that were accepted.
        unbuildable: those of them that make no network.
        exceeded: name of a limit → how many exceeded it, possibly along with others.

    Raises:
        SpaceError: `max_attempts` is no integer >= 1.

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
        >>> sampler = LimitedSampler(space, CostLimit(max_parameters=100))
        >>> sampler.sample(0).decisions
        {'units': 1}
    """

    def __init__(self, space: "HyperSpace", limit: CostLimit, *, max_attempts: int = 1_000) -> None:
        if (
            isinstance(max_attempts, bool)
            or not hasattr(max_attempts, "__index__")
            or max_attempts < 1
        ):
            raise SpaceError(
                f"LimitedSampler: max_attempts must be an integer >= 1; received {max_attempts!r}"
            )
        self._space = space
        self._limit = limit
        self._max_attempts = int(max_attempts)
        self.attempts = 0
        self.accepted = 0
        self.unbuildable = 0
        self.exceeded = dict.fromkeys(limit.limits, 0)
        self._smallest: dict[str, int] = {}
        self._failure = ""

    @property
    def acceptance_rate(self) -> float:
        """Share of the architectures drawn so far that were accepted; 1 before the first."""
        return self.accepted / self.attempts if self.attempts else 1.0

    @property
    def smallest(self) -> dict[str, int]:
        """Name of each limit → the smallest cost of that kind that was seen; empty before any."""
        return dict(self._smallest)

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
        for _ in range(self._max_attempts):
            architecture = self._space.sample(rng)
            if self._accepts(architecture):
                return architecture
        raise SpaceError(self._refusal())

    def _accepts(self, architecture: Architecture) -> bool:
        self.attempts += 1
        try:
            cost = architecture.cost()
        except BuildError as error:
            self.unbuildable += 1
            self._failure = str(error)
            return False
        for name, value in self._limit.costs(cost).items():
            self._smallest[name] = min(value, self._smallest.get(name, value))
        excess = self._limit.excess(cost)
        for name in excess:
            self.exceeded[name] += 1
        self.accepted += not excess
        return not excess

    def _refusal(self) -> str:
        drawn = f"{self._max_attempts:,} architectures"
        if not self._smallest:
            return (
                f"a space must hold networks whose cost is known; received {self._space!r}, where "
                f"none of {drawn} is one ({self._failure}); call space.verify()"
            )
        limits = self._limit.limits
        rows: list[Any] = [
            f"{name}={limits[name]:,} (exceeded by {self.exceeded[name]:,} of {self.attempts:,}; "
            f"the smallest seen is {self._smallest[name]:,})"
            for name in limits
            if self.exceeded[name]
        ]
        return (
            f"a space must hold networks within the limits; received {self._space!r}, where none "
            f"of the last {drawn} keeps within {', '.join(rows)}; raise the limit, or make the "
            "space smaller"
        )
