"""Which space is being authored: the innermost `with space.as_default():` of this context.

A context variable keeps threads and asyncio tasks apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from hypernets.domain.error import SpaceError

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["authoring", "current_space"]

_current: "ContextVar[HyperSpace | None]" = ContextVar("hypernets_current_space", default=None)


@contextmanager
def authoring(space: "HyperSpace") -> "Iterator[HyperSpace]":
    """Make `space` the one that new modules and hyperparameters belong to; restore on exit."""
    token = _current.set(space)
    try:
        yield space
    finally:
        _current.reset(token)


def current_space(what: str) -> "HyperSpace":
    """Return the space being authored.

    Raises:
        SpaceError: there is none; the message says that `what` needs one.
    """
    space = _current.get()
    if space is None:
        raise SpaceError(
            f"{what} must be created inside a search space; received no current space; "
            "put it under `with space.as_default():`"
        )
    return space
