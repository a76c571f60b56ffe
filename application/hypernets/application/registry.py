"""Searchers, executors and catalogues of stores by name: those that come along, and plug-ins."""

import difflib
import functools
from collections.abc import Callable, Mapping
from typing import Any

from hypernets.application.in_process import InlineExecutor, MemoryCatalogue
from hypernets.application.plug_in import (
    EXECUTORS,
    SEARCHERS,
    STORES,
    load_plug_in,
    plug_in_names,
)
from hypernets.application.port import Executor, Searcher, StoreCatalogue
from hypernets.domain.error import SearchError
from hypernets.domain.searchers import (
    NSGA2,
    TPE,
    AlphaX,
    BayesianOptimization,
    CostOrderSearcher,
    ExhaustiveSearcher,
    GridSearcher,
    LocalSearch,
    ParEGO,
    PlaybackSearcher,
    PolicyGradient,
    Portfolio,
    QuasiRandomSearcher,
    RandomSearcher,
    RegularizedEvolution,
)

__all__ = [
    "executor_names",
    "make_catalogue",
    "make_executor",
    "make_searcher",
    "searcher_names",
    "store_names",
]

_SEARCHERS: Mapping[str, Callable[..., Any]] = {
    "alphax": AlphaX,
    "bayesian": BayesianOptimization,
    "cheapest_first": functools.partial(CostOrderSearcher, largest=False),
    "default": BayesianOptimization,
    "evolution": RegularizedEvolution,
    "exhaustive": ExhaustiveSearcher,
    "grid": GridSearcher,
    "largest_first": CostOrderSearcher,
    "local_search": LocalSearch,
    "nsga2": NSGA2,
    "parego": ParEGO,
    "playback": PlaybackSearcher,
    "policy_gradient": PolicyGradient,
    "portfolio": Portfolio,
    "quasi_random": QuasiRandomSearcher,
    "random": RandomSearcher,
    "tpe": TPE,
}
_EXECUTORS: Mapping[str, Callable[..., Any]] = {"inline": InlineExecutor}
_STORES: Mapping[str, Callable[..., Any]] = {"memory": MemoryCatalogue}


def searcher_names() -> tuple[str, ...]:
    """Return the names by which searchers are known, in alphabetical order."""
    return _names(_SEARCHERS, SEARCHERS)


def executor_names() -> tuple[str, ...]:
    """Return the names by which executors are known, in alphabetical order."""
    return _names(_EXECUTORS, EXECUTORS)


def store_names() -> tuple[str, ...]:
    """Return the names by which catalogues of stores are known, in alphabetical order."""
    return _names(_STORES, STORES)


def make_searcher(name: str, space: Any, **options: Any) -> Searcher:
    """Return a new searcher.

    Args:
        name: one of `searcher_names()`.
        space: a `HyperSpace`, or a function of no arguments that returns one.
        **options: what the searcher's class takes, such as `optimize_direction` and `seed`.

    Raises:
        SearchError: there is no searcher of that name, or its plug-in is broken.

    Example:
        >>> "random" in searcher_names()
        True
    """
    make = _maker("searcher", name, _SEARCHERS, SEARCHERS)
    return make(space, **options)  # type: ignore[no-any-return]


def make_executor(name: str, **options: Any) -> Executor:
    """Return a new executor.

    Args:
        name: one of `executor_names()`.
        **options: what the executor's class takes.

    Raises:
        SearchError: there is no executor of that name, or its plug-in is broken.
    """
    return _maker("executor", name, _EXECUTORS, EXECUTORS)(**options)  # type: ignore[no-any-return]


def make_catalogue(name: str, **options: Any) -> StoreCatalogue:
    """Return a new catalogue of stores.

    Args:
        name: one of `store_names()`.
        **options: what the catalogue's class takes, such as a folder.

    Raises:
        SearchError: there is no catalogue of that name, or its plug-in is broken.
    """
    return _maker("stores", name, _STORES, STORES)(**options)  # type: ignore[no-any-return]


def _names(own: Mapping[str, Any], group: str) -> tuple[str, ...]:
    return tuple(sorted({*own, *plug_in_names(group)}))


def _maker(
    what: str, name: str, own: Mapping[str, Callable[..., Any]], group: str
) -> Callable[..., Any]:
    """Return what makes the thing of that name; no plug-in takes the place of an own one."""
    make = own.get(name) or load_plug_in(group, name)
    if make is None:
        known = _names(own, group)
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"or pass {_an(what)} itself"
        names = ", ".join(map(repr, known))
        raise SearchError(f"{what} must be one of {names}; received {name!r}; {hint}")
    return make


def _an(what: str) -> str:
    return what if what.endswith("s") else f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
