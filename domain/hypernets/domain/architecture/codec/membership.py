"""Whose an architecture is: a codec of one space takes no other's."""

from typing import Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SpaceError
from hypernets.domain.space.frozen import FrozenSpace

__all__ = ["values_of"]


def values_of(frozen: FrozenSpace, architecture: Architecture) -> tuple[Any, ...]:
    """Return the values of an architecture, by rank (see `Architecture.values`).

    Raises:
        SpaceError: it is not of this space.
    """
    if architecture.frozen is not frozen:
        raise SpaceError(
            f"a codec must be given architectures of its own space; received {architecture!r} of "
            "another one; make a codec of that space"
        )
    return architecture.values
