"""Several objectives of a trial as numbers that are to be made small."""

import math
from collections.abc import Mapping
from typing import Any

from hypernets.domain.error import BuildError, SearchError
from hypernets.domain.history.direction import parse_direction
from hypernets.domain.history.trial import Direction, Trial

__all__ = ["COST_OBJECTIVES", "Objectives"]

COST_OBJECTIVES = ("parameters", "multiply_adds", "depth", "activation_bytes", "weight_bytes")
"""What is known of a network without training it."""


class Objectives:
    """What is traded off against what.

    Args:
        where: whose option this is, for the error.
        directions: name → `"max"` or `"min"`. A name is that of a metric of the trials, one of
            the network's cost (`parameters`, `multiply_adds`, `depth`, `activation_bytes`,
            `weight_bytes`), or `elapsed_s`, the duration of the trial.

    Attributes:
        directions: name → direction, in their order.

    Raises:
        SearchError: there are less than two, or one has no direction.
    """

    def __init__(self, where: str, directions: Any) -> None:
        if not isinstance(directions, Mapping) or len(directions) < 2:
            raise SearchError(
                f"{where}: objectives must name at least two, each with its direction; received "
                f"{directions!r}; write {{'accuracy': 'max', 'parameters': 'min'}}, say"
            )
        self.directions = {str(k): parse_direction(v) for k, v in directions.items()}

    def costs(self, trial: Trial) -> tuple[float, ...] | None:
        """Return what is to be made small of a trial; `None` where something was not measured."""
        if not trial.succeeded:
            return None
        costs = []
        for name, direction in self.directions.items():
            value = self._value(trial, name)
            if value is None or not math.isfinite(value):
                return None
            costs.append(-value if direction is Direction.MAX else value)
        return tuple(costs)

    @staticmethod
    def _value(trial: Trial, name: str) -> float | None:
        if name in trial.objectives:
            return trial.objectives[name]
        if name == "elapsed_s":
            return trial.elapsed_s
        if name not in COST_OBJECTIVES or trial.architecture is None:
            return None
        try:
            return float(getattr(trial.architecture.cost(), name))
        except BuildError:
            return None
