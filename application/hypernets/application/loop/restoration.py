"""From a store, or from the store of another search, to where a search goes on."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from hypernets.application.log import EventLog
from hypernets.application.loop.candidate import Asked
from hypernets.application.loop.fork import Fork, Inheritance, inherit
from hypernets.application.loop.replay import replay
from hypernets.application.port import HistoryStore, Searcher, SearchIdentity, location_of
from hypernets.domain.error import SearchError
from hypernets.domain.history import Trial
from hypernets.domain.searchers.wrapper.replicating import ReplicatingSearcher
from hypernets.domain.searchers.wrapper.suggesting import SuggestingSearcher

__all__ = ["Restored", "asking", "restore"]

log = EventLog(__name__)


@attrs.frozen
class Restored:
    """Where a search goes on.

    Attributes:
        searcher: what is asked and told, brought to that point.
        trials: what is known, with the architectures.
        unfinished: the proposals that never ended.
        origin: what a fork has begun with (see `Inheritance.document`); `None` for no fork.
    """

    searcher: Searcher
    trials: list[Trial]
    unfinished: list[Asked]
    origin: Mapping[str, Any] | None = None

    @property
    def n_taken(self) -> int:
        """Number of the first trials, which were taken over rather than asked for."""
        return _n_taken(self.origin)


def restore(
    store: HistoryStore,
    identity: SearchIdentity,
    strategy: Searcher,
    *,
    fork: Fork | None = None,
    replicates: int = 1,
    estimator: str = "",
    objectives: tuple[str, ...] = (),
    is_bound: bool = True,
) -> Restored:
    """Return where a search goes on, after its store has been bound to it.

    Args:
        store: of the search.
        identity: of the search.
        strategy: a fresh searcher.
        fork: with what to begin, where the store is new.
        replicates: how often each proposal is evaluated.
        estimator: name by which the trials are known.
        objectives: names that a result must have.
        is_bound: whether the store is to know whose it is.

    Raises:
        SearchError: the searcher does not propose what is on record, or the store is no place for
            that fork.
        StoreError: the store belongs to another search, or cannot be read or written.
    """
    inheritance = None
    origin = store.identity.forked_from if store.identity is not None else None
    if fork is not None:
        fork = _same_fork(store, fork, origin)
        if origin is None or len(store.load()) < _n_taken(origin):
            space = getattr(strategy, "space", None)
            inheritance = inherit(fork, identity, space, estimator, objectives)
            _require_same(store, inheritance, origin)
            origin = inheritance.document
    if is_bound or fork is not None:
        store.bind(attrs.evolve(identity, forked_from=origin))
    if inheritance is not None:
        _take_over(store, inheritance)
    trials = list(store.load())
    _require_whole(store, trials, origin)
    searcher = asking(strategy, replicates, origin)
    told, unfinished = replay(searcher, trials, _n_taken(origin))
    return Restored(searcher, told, unfinished, origin)


def asking(
    strategy: Searcher, replicates: int = 1, origin: Mapping[str, Any] | None = None
) -> Searcher:
    """Return what a search asks and tells: its strategy, after what its origin suggests."""
    suggestions = () if origin is None else origin["suggestions"]
    if suggestions:
        space: Any = getattr(strategy, "space", None)
        strategy = SuggestingSearcher(strategy, map(space.architecture, suggestions))
    replicating = ReplicatingSearcher(strategy, replicates)
    return strategy if replicates == 1 else replicating


def _n_taken(origin: Mapping[str, Any] | None) -> int:
    return 0 if origin is None else int(origin["taken"])


def _same_fork(store: HistoryStore, fork: Fork, origin: Mapping[str, Any] | None) -> Fork:
    """Return the fork that a store holds already, or is to hold.

    Raises:
        SearchError: it holds something else.
    """
    if origin is None:
        n_trials = len(store.load())
        if n_trials:
            raise SearchError(
                f"{location_of(store)}: a fork must begin in a store of its own; received one that "
                f"holds {n_trials} trials; leave fork out to go on with these, or give an empty "
                "store"
            )
        return fork
    if origin["store"] != fork.location:
        raise SearchError(
            f"{location_of(store)}: a fork must be gone on with as what it is, a fork of "
            f"{origin['store']}; received fork={fork.location}; leave fork out to go on with it, "
            "or give an empty store"
        )
    return attrs.evolve(fork, after=origin["trials"])  # more may have come there since


def _require_same(
    store: HistoryStore, inheritance: Inheritance, origin: Mapping[str, Any] | None
) -> None:
    if origin is not None and len(inheritance.trials) != _n_taken(origin):
        raise SearchError(
            f"{location_of(store)}: a fork that was cut short while it began must find the trials "
            f"that it has begun with, {_n_taken(origin)} that fit; received "
            f"{len(inheritance.trials)} from {origin['store']}; delete the store and fork anew"
        )


def _take_over(store: HistoryStore, inheritance: Inheritance) -> None:
    """Write the trials that are taken over and not yet there, for this may have been cut short."""
    for trial in inheritance.trials[len(store.load()) :]:
        store.append(trial)
    document = inheritance.document
    log.info(
        "search forked",
        store=location_of(store),
        origin=document["store"],
        n_trials=document["trials"],
        n_taken=document["taken"],
        n_suggested=len(document["suggestions"]),
    )


def _require_whole(
    store: HistoryStore, trials: Sequence[Trial], origin: Mapping[str, Any] | None
) -> None:
    if origin is not None and len(trials) < _n_taken(origin):
        raise SearchError(
            f"{location_of(store)}: a fork must have all of the {origin['taken']} trials that it "
            f"begins with; received {len(trials)}, for it was cut short; fork {origin['store']} "
            "into this store once more, or delete it"
        )
