"""Continuous decisions as numbers from 0 to 1, linear or logarithmic as their prior."""

import math

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter import Real

__all__ = ["from_unit", "to_unit"]


def to_unit(decision: Real, value: float) -> float:
    """Return where a value stands between the bounds: 0 at the lower, 1 at the upper one."""
    if decision.prior == "log_uniform":
        low, high, value = math.log(decision.low), math.log(decision.high), math.log(value)
    else:  # halves, since the width of the range may be more than a float holds
        low, high, value = decision.low / 2, decision.high / 2, value / 2
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0


def from_unit(decision: Real, unit: float) -> float:
    """Return the shortest number that `to_unit` takes to `unit`, or else the nearest one above.

    Raises:
        SpaceError: `unit` is no number from 0 to 1.
    """
    if not 0.0 <= unit <= 1.0:
        raise SpaceError(
            f"the column of a continuous decision must be from 0 to 1; received {unit!r} for "
            f"{decision.name!r} ({decision.label}); decode only what was encoded in this space"
        )
    if unit in (0.0, 1.0):
        return decision.low if unit == 0.0 else decision.high
    below, above = decision.low, decision.high
    while below < (middle := below / 2 + above / 2) < above:
        if to_unit(decision, middle) < unit:
            below = middle
        else:
            above = middle
    for digits in range(1, 17):
        short = float(f"{above:.{digits}g}")
        if decision.low <= short <= decision.high and to_unit(decision, short) == unit:
            return short
    return above
