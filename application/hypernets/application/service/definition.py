"""What makes a search, apart from its name and what is in its store."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from hypernets.application.loop.artifact import Keeper
from hypernets.application.loop.entry import make_search
from hypernets.application.loop.fork import Fork
from hypernets.application.loop.search import Search
from hypernets.application.port import Checkpoints, Clock, Executor, HistoryStore
from hypernets.application.service.told import ToldEstimator
from hypernets.domain.error import SearchError
from hypernets.domain.history import Trial
from hypernets.domain.history.direction import Directions

__all__ = ["SearchDefinition", "as_definition"]


def _listed(callbacks: Iterable[Any]) -> Iterable[Any]:
    return tuple(callbacks)  # for a definition may be used more than once


@attrs.frozen(eq=False)
class SearchDefinition:
    """What makes a search: given when it is created, and again, unchanged, when it is opened.

    A store holds trials, and neither space nor code.

    Attributes:
        space: a `HyperSpace`, or a function of no arguments that returns one. For a definition that
            is used more than once, the function.
        searcher: a name (see `searcher_names`), a class, or a fresh searcher of that space.
        estimate: what measures (see `search`); absent where results are told.
        executor: what runs the trials, or its name (see `executor_names`). One that is made by its
            name is closed with the search.
        callbacks: told what happens (see `Callback`).
        build_model: makes a model of a trial, for `SearchSession.best_models`.
        direction: of the reward, or of each of several objectives (see `search`).
        seed: what makes the search repeatable; of its store, where it is opened without one.
        n_workers: how many trials may run at a time, if the executor can.
        lag: makes the search deterministic with several workers (see `search`).
        replicates: how often each proposal is evaluated.
        known: trials of earlier searches with the same estimate.
        keeper: is handed the artifacts of trials (see `Search`).
        checkpoints: where trials keep how far they have come.
    """

    space: Any
    searcher: Any = "default"
    estimate: Any = None
    executor: Executor | str = attrs.field(default="inline", kw_only=True)
    callbacks: Iterable[Any] = attrs.field(default=(), converter=_listed, kw_only=True)
    build_model: Callable[[Trial], Any] | None = attrs.field(default=None, kw_only=True)
    direction: Directions | None = attrs.field(default=None, kw_only=True)
    seed: int | None = attrs.field(default=None, kw_only=True)
    n_workers: int = attrs.field(default=1, kw_only=True)
    lag: int | None = attrs.field(default=None, kw_only=True)
    replicates: int = attrs.field(default=1, kw_only=True)
    known: Iterable[Trial] = attrs.field(default=(), kw_only=True)
    keeper: Keeper | None = attrs.field(default=None, kw_only=True)
    checkpoints: Checkpoints | None = attrs.field(default=None, kw_only=True)

    def make(
        self,
        store: HistoryStore,
        executor: Executor,
        watcher: Any,
        clock: Clock,
        fork: Fork | None = None,
    ) -> Search:
        """Return the search, which has not been run.

        Args:
            store: of the search.
            executor: what runs its trials.
            watcher: the first of its callbacks.
            clock: what tells the time.
            fork: with what it begins, where the store is new.

        Raises:
            SearchError: a part of the definition makes no sense.
            SpaceError: the space is none, or its definition is wrong.
        """
        return make_search(
            self.space,
            self.searcher,
            ToldEstimator() if self.estimate is None else self.estimate,
            lag=self.lag,
            direction=self.direction,
            seed=self.seed,
            store=store,
            executor=executor,
            callbacks=[watcher, *self.callbacks],
            clock=clock,
            n_workers=self.n_workers,
            keeper=self.keeper,
            checkpoints=self.checkpoints,
            known=self.known,
            replicates=self.replicates,
            fork=fork,
        )


def as_definition(
    space: Any, searcher: Any, estimate: Any, options: Mapping[str, Any]
) -> SearchDefinition:
    """Return the definition that was given whole, or in its parts.

    Raises:
        SearchError: both, or a part that there is not.
    """
    if isinstance(space, SearchDefinition):
        beside = [*options]
        beside += ["searcher"] if searcher != "default" else []
        beside += ["estimate"] if estimate is not None else []
        if beside:
            raise SearchError(
                "a SearchDefinition must be given alone, for it holds everything; received "
                f"{beside[0]} beside it; write attrs.evolve(definition, {beside[0]}=...)"
            )
        return space
    fields = {field.name for field in attrs.fields(SearchDefinition)}
    unknown = sorted(set(options) - fields)
    if unknown:
        raise SearchError(
            f"an option of a search must be one of {', '.join(sorted(fields))}; received "
            f"{unknown[0]!r}; see SearchDefinition"
        )
    return SearchDefinition(space, searcher, estimate, **options)
