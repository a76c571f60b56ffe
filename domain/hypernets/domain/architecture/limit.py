"""Limits on what a network may cost."""

from typing import Any

import attrs

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.cost import Cost
from hypernets.domain.error import SpaceError

__all__ = ["CostLimit"]

_PREFIX = "max_"


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
        max_parameters: weights in all.
        max_multiply_adds: for one example.
        max_weight_bytes: in single precision.
        max_activation_bytes: alive at once at inference, for one example.
        max_depth: layers with weights on the longest path.

    Raises:
        SpaceError: a limit is no integer >= 0, or there is none at all.

    Example:
        >>> limit = CostLimit(max_parameters=1_000)
        >>> limit.excess(Cost(1200, 1200, 0, 1, 4800, 0, 0))
        {'max_parameters': 1200}
    """

    max_parameters: int | None = attrs.field(default=None, validator=_check)
    max_multiply_adds: int | None = attrs.field(default=None, validator=_check)
    max_weight_bytes: int | None = attrs.field(default=None, validator=_check)
    max_activation_bytes: int | None = attrs.field(default=None, validator=_check)
    max_depth: int | None = attrs.field(default=None, validator=_check)

    def __attrs_post_init__(self) -> None:
        """Refuse to be no limit at all."""
        if not self.limits:
            names = ", ".join(field.name for field in attrs.fields(CostLimit))
            raise SpaceError(f"CostLimit must be given a limit; received none; give one of {names}")

    @property
    def limits(self) -> dict[str, int]:
        """The limits that are given, by name."""
        return {name: value for name, value in attrs.asdict(self).items() if value is not None}

    def costs(self, cost: Cost) -> dict[str, int]:
        """Return, by name of each limit that is given, what it compares with."""
        return {name: getattr(cost, name.removeprefix(_PREFIX)) for name in self.limits}

    def excess(self, cost: Cost) -> dict[str, int]:
        """Return the limits that a cost exceeds, by name, with the cost.

        Raises:
            SpaceError: multiply-adds are limited and nothing can tell those of some layer.
        """
        if self.max_multiply_adds is not None and cost.uncounted:
            raise SpaceError(
                "CostLimit: max_multiply_adds takes layers whose multiply-adds are known; received "
                f"{cost.uncounted[0]!r}, which no rule describes; limit the parameters instead"
            )
        limits = self.limits
        return {name: value for name, value in self.costs(cost).items() if value > limits[name]}

    def accepts(self, architecture: Architecture) -> bool:
        """Say whether an architecture keeps within every limit.

        Raises:
            BuildError: it makes no network, or its shapes do not fit.
            SpaceError: multiply-adds are limited and nothing can tell those of some layer.
        """
        return not self.excess(architecture.cost())
