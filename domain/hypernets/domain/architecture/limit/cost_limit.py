"""Limits on what a network may cost."""

from typing import Any, Protocol

import attrs

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.cost import Cost
from hypernets.domain.error import SpaceError

__all__ = ["CostLimit", "Costs"]

_COMPARED = {
    "max_params": "parameters",
    "max_flops": "flops",
    "max_weight_bytes": "weight_bytes",
    "max_activation_bytes": "activation_bytes",
    "max_depth": "depth",
}
"""Name of a limit → the attribute of a cost that it is a limit on."""


class Costs(Protocol):
    """What is compared with limits: a `Cost`, or a bound on one."""

    @property
    def parameters(self) -> float:
        """Weights in all."""

    @property
    def flops(self) -> float:
        """Floating-point operations for one example."""

    @property
    def weight_bytes(self) -> float:
        """Of the weights, in single precision."""

    @property
    def activation_bytes(self) -> float:
        """Alive at once at inference, for one example."""

    @property
    def depth(self) -> float:
        """Layers with weights on the longest path."""


def _check(limit: "CostLimit", attribute: "attrs.Attribute[int | None]", value: Any) -> None:
    if value is not None and (
        isinstance(value, bool) or not hasattr(value, "__index__") or value < 0
    ):
        raise SpaceError(
            f"CostLimit: {attribute.name} must be an integer >= 0, or None; received {value!r}; "
            "leave it out for no limit"
        )


@attrs.frozen(kw_only=True)
class CostLimit:
    """What a network may cost at most, each limit included; `None` is no limit.

    Attributes:
        max_params: weights in all, as Keras's `count_params` counts them.
        max_flops: floating-point operations for one example at inference, two for each
            multiply-add.
        max_weight_bytes: in single precision.
        max_activation_bytes: alive at once at inference, for one example.
        max_depth: layers with weights on the longest path.

    Raises:
        SpaceError: a limit is no integer >= 0, or there is none at all.

    Example:
        >>> limit = CostLimit(max_params=1_000)
        >>> limit.excess(Cost(1200, 1200, 0, 1, 4800, 0, 0))
        {'max_params': 1200}
    """

    max_params: int | None = attrs.field(default=None, validator=_check)
    max_flops: int | None = attrs.field(default=None, validator=_check)
    max_weight_bytes: int | None = attrs.field(default=None, validator=_check)
    max_activation_bytes: int | None = attrs.field(default=None, validator=_check)
    max_depth: int | None = attrs.field(default=None, validator=_check)

    def __attrs_post_init__(self) -> None:
        """Refuse to be no limit at all."""
        if not self.limits:
            raise SpaceError(
                "CostLimit must be given a limit; received none; give one of "
                f"{', '.join(_COMPARED)}"
            )

    @property
    def limits(self) -> dict[str, int]:
        """The limits that are given, by name."""
        return {name: value for name, value in attrs.asdict(self).items() if value is not None}

    def within(self, other: "CostLimit | None") -> "CostLimit":
        """Return the limits that keep within this one and another."""
        if other is None:
            return self
        least = dict(self.limits)
        for name, value in other.limits.items():
            least[name] = min(value, least.get(name, value))
        return CostLimit(**least)

    def costs(self, cost: Costs) -> dict[str, float]:
        """Return, by name of each limit that is given, what it compares with."""
        return {name: getattr(cost, _COMPARED[name]) for name in self.limits}

    def exceeded(self, cost: Costs) -> dict[str, float]:
        """Return the limits that a cost, or a bound on one, exceeds, by name, with that cost."""
        limits = self.limits
        return {name: value for name, value in self.costs(cost).items() if value > limits[name]}

    def excess(self, cost: Cost) -> dict[str, float]:
        """Return the limits that the cost of a network exceeds, by name, with the cost.

        Raises:
            SpaceError: operations are limited and nothing can tell those of some layer.
        """
        if self.max_flops is not None and cost.uncounted:
            raise SpaceError(
                "CostLimit: max_flops takes layers whose multiply-adds are known; received "
                f"{cost.uncounted[0]!r}, which no rule describes; limit max_params instead"
            )
        return self.exceeded(cost)

    def accepts(self, architecture: Architecture) -> bool:
        """Say whether an architecture keeps within every limit.

        Raises:
            BuildError: it makes no network, or its shapes do not fit.
            SpaceError: operations are limited and nothing can tell those of some layer.
        """
        return not self.excess(architecture.cost())

    def __str__(self) -> str:
        return ", ".join(f"{name}={value:,}" for name, value in self.limits.items())
