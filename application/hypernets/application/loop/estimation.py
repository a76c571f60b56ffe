"""Estimators made from plain functions, and what an estimator is called."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from hypernets.application.port.estimator import Estimator, Measurement, TrialContext
from hypernets.domain.error import SearchError

__all__ = ["FunctionEstimator", "as_estimator", "estimator_name"]


class FunctionEstimator:
    """Measures by calling a function.

    Args:
        function: called with the architecture, and with the `TrialContext` too if it has a second
            parameter without a default; returns a number, a mapping of objective name to number
            (the reward first), or a `Measurement`.

    Attributes:
        name: what its trials are known by: module and name of the function.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = _name_of(function)
        self._function = function
        self._takes_context = _takes_two(function)

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return what the function returns, as a measurement; a lone number is called `reward`."""
        if self._takes_context:
            result = self._function(architecture, context)
        else:
            result = self._function(architecture)
        if isinstance(result, Measurement):
            return result
        return Measurement(result if isinstance(result, Mapping) else {"reward": result})


def as_estimator(estimate: Any) -> Estimator:
    """Return an estimator as it is, and a function as an estimator.

    Raises:
        SearchError: it is neither.
    """
    if isinstance(estimate, Estimator) and not isinstance(estimate, type):
        return estimate
    if callable(estimate) and not isinstance(estimate, type):
        return FunctionEstimator(estimate)
    raise SearchError(
        "estimate must be an Estimator, or a function of an architecture that returns a number; "
        f"received {estimate!r}; write estimate=lambda architecture: 0.5, say"
    )


def estimator_name(estimator: Estimator) -> str:
    """Return what the trials of an estimator are known by: its `name`, or that of its class."""
    name = getattr(estimator, "name", None)
    return name if isinstance(name, str) else _name_of(type(estimator))


def _name_of(thing: Any) -> str:
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.kind in positional and p.default is p.empty]
    return len(required) >= 2
