"""Adapters that other distributions bring along, found by name through their entry points.

A distribution names its adapters in its metadata, under the group of their port:

    [project.entry-points."hypernets.searchers"]
    bandit = "my_package.bandit:BanditSearcher"

Nothing of it is imported before that name is asked for, so one that is broken is in nobody's way.
"""

import importlib.metadata
from typing import Any

from hypernets.domain.error import SearchError

__all__ = ["EXECUTORS", "SEARCHERS", "STORES", "load_plug_in", "plug_in_names"]

EXECUTORS = "hypernets.executors"
"""Group of classes or functions that return an `Executor`."""
SEARCHERS = "hypernets.searchers"
"""Group of classes or functions that return a `Searcher`, given a space and options."""
STORES = "hypernets.stores"
"""Group of classes or functions that return a `StoreCatalogue`."""


def plug_in_names(group: str) -> tuple[str, ...]:
    """Return the names that are installed under a group, in alphabetical order; imports nothing."""
    return tuple(sorted({entry.name for entry in importlib.metadata.entry_points(group=group)}))


def load_plug_in(group: str, name: str) -> Any:
    """Return what an entry point names; `None` where there is none of that name.

    Raises:
        SearchError: it cannot be imported, or two distributions bring different ones.
    """
    entries = tuple(importlib.metadata.entry_points(group=group, name=name))
    if not entries:
        return None
    if len({entry.value for entry in entries}) > 1:
        raise SearchError(
            f"a name must be that of one plug-in in {group!r}; received {name!r}, which is that of "
            f"{' and '.join(map(_origin, entries))}; uninstall one, or pass the object itself"
        )
    try:
        return entries[0].load()
    except Exception as error:
        raise SearchError(
            f"plug-in {name!r} in {group!r} must be importable; received {type(error).__name__}: "
            f"{error} from {_origin(entries[0])}; mend or uninstall it"
        ) from error


def _origin(entry: importlib.metadata.EntryPoint) -> str:
    return f"{entry.value} of {entry.dist.name if entry.dist else 'an unknown distribution'}"
