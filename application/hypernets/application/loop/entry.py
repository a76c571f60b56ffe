"""The whole engine in one call."""

from collections.abc import Iterable, Mapping
from typing import Any

from hypernets.application.loop.deterministic import DeterministicSearch
from hypernets.application.loop.fork import Fork
from hypernets.application.loop.search import Search
from hypernets.application.port import Clock, Executor, HistoryStore, Searcher
from hypernets.application.registry import make_searcher
from hypernets.domain.error import SearchError
from hypernets.domain.history import Direction, History, Trial
from hypernets.domain.history.direction import Directions

__all__ = ["make_search", "search"]


def search(
    space: Any,
    searcher: Any = "default",
    estimate: Any = None,
    *,
    max_trials: int | None = None,
    max_time_s: float | None = None,
    target_reward: float | None = None,
    patience: int | None = None,
    max_failures: int | None = 10,
    max_consecutive_failures: int | None = 100,
    max_total_failures: int | None = None,
    direction: Directions | None = None,
    seed: int | None = None,
    store: HistoryStore | None = None,
    callbacks: Iterable[Any] = (),
    executor: Executor | None = None,
    n_workers: int = 1,
    clock: Clock | None = None,
    lag: int | None = None,
    replicates: int = 1,
    known: Iterable[Trial] = (),
    fork: Fork | HistoryStore | None = None,
) -> History:
    """Search a space and return the history.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        searcher: a name (see `searcher_names`), a class that is made with the space,
            `optimize_direction` and `seed`, or a searcher of that space.
        estimate: function of an architecture that returns a number, or a mapping of objective name
            to number, the reward first; or an `Estimator`. A function with a second parameter is
            given the `TrialContext` too: its seed, its fidelity, and `report`.
        max_trials: number of evaluated trials that the history is to hold, those in `store`
            included.
        max_time_s: no trial begins later than this, in seconds.
        target_reward: end once the best reward is as good.
        patience: end after so many trials without a better one.
        max_failures: give up once so many trials have been evaluated, and every one has failed.
        max_consecutive_failures: give up after so many failed trials in a row.
        max_total_failures: give up once so many trials have failed.
        direction: `"max"` or `"min"`, or objective name → direction, the reward first; that of the
            searcher when absent, which is `"max"` unless it was made with another.
        seed: a non-negative integer makes the search repeatable.
        store: keeps the trials; one that holds trials of the same search is gone on from.
        callbacks: told what happens (see `Callback`).
        executor: runs the trials; in the calling thread when absent.
        n_workers: how many may run at a time, if the executor can.
        clock: the machine's when absent.
        lag: makes the search deterministic with several workers: the searcher is asked for trial k
            when it has been told of the trials up to k - lag, whatever the number of workers (see
            `DeterministicSearch`).
        replicates: how often each proposal is evaluated, each time from another seed.
        known: trials of earlier searches with the same estimate, a history say; what they have
            measured is not measured again (see `Search`).
        fork: the store of another search, or a `Fork` of one, with the findings of which to begin;
            `store` must be new then, or hold this fork.

    Raises:
        SearchError: an argument makes no sense, or every trial fails.
        SpaceError: the space is none, or its definition is wrong.
        StoreError: a trial cannot be kept.
    """
    return make_search(
        space,
        searcher,
        estimate,
        lag=lag,
        replicates=replicates,
        store=store,
        executor=executor,
        callbacks=callbacks,
        direction=direction,
        seed=seed,
        clock=clock,
        n_workers=n_workers,
        known=known,
        fork=fork,
    ).run(
        max_trials,
        max_time_s=max_time_s,
        target_reward=target_reward,
        patience=patience,
        max_failures=max_failures,
        max_consecutive_failures=max_consecutive_failures,
        max_total_failures=max_total_failures,
    )


def make_search(
    space: Any,
    searcher: Any,
    estimate: Any,
    *,
    lag: int | None = None,
    direction: Directions | None = None,
    seed: int | None = None,
    **options: Any,
) -> Search:
    """Return a search that has not been run.

    Args:
        space: as for `search`.
        searcher: as for `search`.
        estimate: as for `search`.
        lag: as for `search`; a `DeterministicSearch` is returned where it is given.
        direction: as for `search`.
        seed: as for `search`.
        **options: of `Search`.

    Raises:
        SearchError: an argument makes no sense.
        SpaceError: the space is none, or its definition is wrong.
    """
    strategy = _searcher_of(searcher, space, direction, seed)
    options = {"direction": direction, "seed": seed, **options}
    if lag is None:
        return Search(strategy, estimate, **options)
    return DeterministicSearch(strategy, estimate, lag=lag, **options)


def _searcher_of(
    searcher: Any, space: Any, direction: Directions | None, seed: int | None
) -> Searcher:
    options = {"optimize_direction": _of_reward(direction), "seed": seed}
    if isinstance(searcher, str):
        return make_searcher(searcher, space, **options)
    if isinstance(searcher, type):
        return searcher(space, **options)  # type: ignore[no-any-return]
    own = getattr(searcher, "space", None)
    if own is not None and not callable(space) and own is not space:
        raise SearchError(
            "space must be that of the searcher; received another one; pass searcher.space, or "
            "the searcher's class, which is then made with this space"
        )
    return searcher  # type: ignore[no-any-return]


def _of_reward(direction: Directions | None) -> Direction | str:
    """Return the direction of the first objective, unchecked."""
    if isinstance(direction, Mapping):
        return next(iter(direction.values()), Direction.MAX)
    return Direction.MAX if direction is None else direction
