"""By what a trial is known: a proposal with the same key is never measured twice."""

from collections.abc import Hashable, Mapping
from typing import Any

import attrs

from hypernets.domain.history.described import describe

__all__ = ["TrialKey", "canonical", "trial_key"]

TrialKey = tuple[Hashable, ...]
"""Network, free decisions, fidelity, replicate, estimator; equal for what is the same trial."""


def trial_key(
    network: str | Mapping[str, Any],
    training: Mapping[str, Any],
    fidelity: Mapping[str, float],
    replicate: int,
    estimator: str,
) -> TrialKey:
    """Return the key of a trial.

    Args:
        network: signature of the architecture; its decisions where these make no network.
        training: decided arguments of the training that the space declares.
        fidelity: budget, `{"epochs": 3}`; empty is the full one.
        replicate: 0 for the first evaluation of an architecture, then 1, 2, …
        estimator: name of what measures.
    """
    return (canonical(network), canonical(training), canonical(fidelity), replicate, estimator)


def canonical(value: Any) -> Hashable:
    """Return a hashable value that is equal for values that mean the same.

    The order of a mapping does not matter; a list equals a tuple, as it does once it has been
    through JSON; 1 equals 1.0 but not `True`; a NumPy value equals the Python one.

    Example:
        >>> canonical({"b": [1, 2], "a": 1.0}) == canonical({"a": 1, "b": (1, 2)})
        True
        >>> canonical(1) == canonical(True)
        False
    """
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Mapping):
        items = [(str(key), canonical(item)) for key, item in value.items()]
        return ("mapping", *sorted(items, key=_first))
    if isinstance(value, (list, tuple)):
        return ("list", *map(canonical, value))
    if hasattr(value, "tolist") and not isinstance(value, type):
        return canonical(value.tolist())
    return _canonical_object(value)


def _first(item: tuple[str, Hashable]) -> str:
    return item[0]


def _canonical_object(value: Any) -> Hashable:
    described = describe(value)  # as a record that was read back has it
    if described is not None:
        return ("described", described.text)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if attrs.has(type(value)):
        fields = (canonical(getattr(value, field.name)) for field in attrs.fields(type(value)))
        return (kind, *fields)
    try:
        hash(value)
    except TypeError:
        return (kind, repr(value))
    return (kind, value)
