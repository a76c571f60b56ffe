"""Objectives of a trial beside the metrics of its model: what it costs, and how long it takes."""

import statistics
import time
from typing import Any

from hypernets.adapters.keras.data import Examples
from hypernets.domain.architecture.cost import cost_of
from hypernets.domain.error import BuildError
from hypernets.domain.searchers.objective import COST_OBJECTIVES

__all__ = ["MEASURED", "measured_objective"]

MEASURED = (*COST_OBJECTIVES, "latency_s", "elapsed_s")
"""`parameters`, `multiply_adds`, `depth`, `activation_bytes` and `weight_bytes` of the network;
`latency_s`, the median time that the trained model takes to predict one example; `elapsed_s`, how
long building, training and evaluating took together."""

_WARM_UP, _CALLS = 3, 20


def measured_objective(
    name: str, model: Any, architecture: Any, examples: Examples, elapsed_s: float
) -> float | None:
    """Return one of `MEASURED` for a trained model; `None` where nothing knows it.

    Args:
        name: which.
        model: the trained model.
        architecture: what it was built from.
        examples: the first of these is predicted.
        elapsed_s: how long the trial has taken, in seconds.
    """
    if name == "elapsed_s":
        return elapsed_s
    if name == "latency_s":
        return _latency_s(model, examples)
    if name == "parameters":  # of whatever layers
        return float(model.count_params())
    try:
        return float(getattr(cost_of(architecture.graph), name))
    except BuildError:
        return None


def _latency_s(model: Any, examples: Examples) -> float:
    """Return the median time of predicting one example, in seconds."""
    one = examples.head(1).feed
    durations = []
    for _ in range(_WARM_UP + _CALLS):
        begun_s = time.perf_counter()
        model.predict_on_batch(one)
        durations.append(time.perf_counter() - begun_s)
    return statistics.median(durations[_WARM_UP:])
