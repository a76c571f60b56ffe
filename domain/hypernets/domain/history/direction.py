"""Reading which way is better from what a user wrote."""

from collections.abc import Mapping
from typing import Any

from hypernets.domain.error import SearchError
from hypernets.domain.history.trial import Direction

__all__ = ["Directions", "parse_direction", "parse_directions"]

Directions = Direction | str | Mapping[str, Direction | str]
"""One direction, or objective name → direction; the first objective is the reward."""


def parse_direction(value: Any, where: str = "optimize_direction") -> Direction:
    """Return the direction that a user wrote.

    Args:
        value: `"max"`, `"min"`, or a `Direction`.
        where: the argument that it came from, for the message.

    Raises:
        SearchError: it is none of these.

    Example:
        >>> parse_direction("min")
        <Direction.MIN: 'min'>
    """
    if isinstance(value, Direction):
        return value
    for direction in Direction:
        if isinstance(value, str) and value == direction.value:
            return direction
    raise SearchError(
        f"{where} must be 'max', 'min' or a Direction; received {value!r}; "
        "write 'max' where a larger reward is better, 'min' where a smaller one is"
    )


def parse_directions(value: Any, where: str = "direction") -> Mapping[str, Direction]:
    """Return the direction of each objective that a user named; empty where they named none.

    Raises:
        SearchError: a direction is none, or the mapping is empty or has names that are no strings.

    Example:
        >>> parse_directions({"accuracy": "max", "latency_s": "min"})["latency_s"]
        <Direction.MIN: 'min'>
    """
    if not isinstance(value, Mapping):
        parse_direction(value, where)
        return {}
    if not value or not all(isinstance(name, str) for name in value):
        raise SearchError(
            f"{where} must name at least one objective, by a string; received {dict(value)!r}; "
            "write {'accuracy': 'max', 'latency_s': 'min'}, say, the reward first"
        )
    return {name: parse_direction(item, f"{where}[{name!r}]") for name, item in value.items()}
