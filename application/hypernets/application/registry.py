"""Searchers by name."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from hypernets.application.port.searcher import Searcher
from hypernets.domain.error import SearchError
from hypernets.domain.searchers import RandomSearcher

__all__ = ["make_searcher", "searcher_names"]

_SEARCHERS: Mapping[str, Callable[..., Searcher]] = {
    "default": RandomSearcher,
    "random": RandomSearcher,
}


def searcher_names() -> tuple[str, ...]:
    """Return the names by which searchers are known, in alphabetical order."""
    return tuple(sorted(_SEARCHERS))


def make_searcher(name: str, space: Any, **options: Any) -> Searcher:
    """Return a new searcher.

    Args:
        name: one of `searcher_names()`.
        space: a `HyperSpace`, or a function of no arguments that returns one.
        **options: what the searcher's class takes, such as `optimize_direction` and `seed`.

    Raises:
        SearchError: there is no searcher of that name.

    Example:
        >>> searcher_names()
        ('default', 'random')
    """
    make = _SEARCHERS.get(name)
    if make is None:
        names = ", ".join(map(repr, searcher_names()))
        near = difflib.get_close_matches(str(name), searcher_names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "or pass a searcher itself"
        raise SearchError(f"searcher must be one of {names}; received {name!r}; {hint}")
    return make(space, **options)
