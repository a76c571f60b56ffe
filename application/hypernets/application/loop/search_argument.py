"""What may be given to a search."""

from typing import Any

from hypernets.application.port import Searcher
from hypernets.domain.error import SearchError
from hypernets.domain.history import Direction
from hypernets.domain.history.direction import Directions, parse_direction, parse_directions

__all__ = ["direction_for", "require_searcher", "require_workers"]


def require_searcher(searcher: Any) -> Searcher:
    """Return the searcher.

    Raises:
        SearchError: it is none.
    """
    if isinstance(searcher, type) or not isinstance(searcher, Searcher):
        raise SearchError(
            "a searcher must have the methods ask and tell; "
            f"received {searcher!r}; write RandomSearcher(space), say"
        )
    return searcher


def direction_for(searcher: Searcher, direction: Directions | None) -> Directions:
    """Return the direction that was given, or else the searcher's; they must not differ.

    Raises:
        SearchError: they differ, or one is none.
    """
    own = getattr(searcher, "direction", None)
    if own is None:
        return Direction.MAX if direction is None else direction
    own = parse_direction(own, "a searcher's direction")
    if direction is None:
        return own
    given = next(iter(parse_directions(direction).values()), None) or parse_direction(direction)
    if given is not own:
        raise SearchError(
            f"direction must be that of the searcher; received {given.value!r} for a searcher of "
            f"direction {own.value!r}; leave direction out, or make the searcher with the other one"
        )
    return direction


def require_workers(n_workers: Any) -> int:
    """Return the number of workers.

    Raises:
        SearchError: it is no integer >= 1.
    """
    if type(n_workers) is not int or n_workers < 1:
        raise SearchError(
            f"n_workers must be an integer >= 1; received {n_workers!r}; write n_workers=1, say"
        )
    return n_workers
