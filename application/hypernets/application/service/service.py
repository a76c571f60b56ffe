"""Many searches in one process, each by its name."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import attrs

from hypernets.application.in_process import MemoryCatalogue, SystemClock
from hypernets.application.loop.entry import make_search
from hypernets.application.port import Clock, Executor, HistoryStore, StoreCatalogue
from hypernets.application.registry import make_catalogue, make_executor
from hypernets.application.service.session import SearchSession
from hypernets.application.service.state import SessionState
from hypernets.application.service.told import ToldEstimator
from hypernets.application.service.watcher import Watcher
from hypernets.domain.error import SearchError
from hypernets.domain.history import Trial

__all__ = ["SearchService"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


@attrs.frozen
class _Opened:
    session: SearchSession
    resources: ExitStack  # what is closed with it: its store, and the executor made for it


class SearchService:
    """The engine as a part of a larger system: searches by name, over stores and executors.

    Thread-safe. It keeps no state outside itself: two services do not know of each other. As a
    context manager, it closes its searches at the end.

    Args:
        stores: a `StoreCatalogue`, or the name of one (see `store_names`); in memory when absent.
        executors: makes an executor of its name; `make_executor` when absent.
        clock: the machine's when absent.
    """

    def __init__(
        self,
        stores: StoreCatalogue | str | None = None,
        *,
        executors: Callable[[str], Executor] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if isinstance(stores, str):
            stores = make_catalogue(stores)
        self._stores: StoreCatalogue = MemoryCatalogue() if stores is None else stores
        self._make_executor = make_executor if executors is None else executors
        self._clock: Clock = SystemClock() if clock is None else clock
        self._lock = threading.Lock()  # of the next two
        self._opened: dict[str, _Opened] = {}
        self._opening: set[str] = set()

    # --- searches by name -----------------------------------------------------------

    def create(
        self,
        name: str,
        space: Any,
        searcher: Any = "default",
        estimate: Any = None,
        *,
        executor: Executor | str = "inline",
        callbacks: Iterable[Any] = (),
        build_model: Callable[[Trial], Any] | None = None,
        **options: Any,
    ) -> SearchSession:
        """Return a new search, with a new store.

        Args:
            name: of the search and its store: letters, digits, `.`, `_` and `-`.
            space: a `HyperSpace`, or a function of no arguments that returns one.
            searcher: a name (see `searcher_names`), a class, or a fresh searcher of that space.
            estimate: what measures (see `search`); absent where results are told.
            executor: what runs the trials, or its name (see `executor_names`). One that is made by
                its name is closed with the search.
            callbacks: told what happens (see `Callback`).
            build_model: makes a model of a trial, for `SearchSession.best_models`.
            **options: `direction`, `seed`, `n_workers`, `lag`, `replicates`, and others of
                `Search`.

        Raises:
            SearchError: an argument makes no sense.
            SpaceError: the space is none, or its definition is wrong.
            StoreError: the name is taken, or the store cannot be made.
        """
        with self._reserved(name):
            store = self._stores.create(name)
            try:
                made = (space, searcher, estimate, executor, callbacks, options)
                return self._open(name, store, build_model, *made)
            except BaseException:
                self._stores.delete(name)  # nothing is in it yet
                raise

    def open(
        self,
        name: str,
        space: Any,
        searcher: Any = "default",
        estimate: Any = None,
        *,
        executor: Executor | str = "inline",
        callbacks: Iterable[Any] = (),
        build_model: Callable[[Trial], Any] | None = None,
        **options: Any,
    ) -> SearchSession:
        """Return a search that goes on from the store of that name.

        A store holds trials, and neither space nor code. So what made them is given again, as it
        was for `create`: the space, the searcher, the seed.

        Raises:
            SearchError: an argument makes no sense, the search is open already, or the store holds
                the history of another search.
            SpaceError: the space is none, or its definition is wrong.
            StoreError: there is no such store, or it cannot be read.
        """
        with self._reserved(name):
            store = self._stores.open(name)
            made = (space, searcher, estimate, executor, callbacks, options)
            return self._open(name, store, build_model, *made)

    def session(self, name: str) -> SearchSession:
        """Return an open search by its name.

        Raises:
            SearchError: it is not open.
        """
        return self._require_open(name).session

    def names(self) -> list[str]:
        """Return the names of all searches in the catalogue, open or not, in alphabetical order."""
        return sorted(self._stores.names())

    def open_names(self) -> list[str]:
        """Return the names of the searches that are open, in alphabetical order."""
        with self._lock:
            return sorted(self._opened)

    def delete(self, name: str) -> None:
        """Delete a search and its store for good.

        Raises:
            SearchError: it is running.
            StoreError: there is none, or it cannot be deleted.
        """
        if name in self.open_names():
            if self.session(name).state is SessionState.RUNNING:
                raise SearchError(
                    f"search {name!r} must be at rest to be deleted; received one that is running; "
                    "cancel it and wait first"
                )
            self.close(name)
        self._stores.delete(name)

    def close(self, name: str | None = None) -> None:
        """Close a search, or all of them: each ends in good order, and its store is let go.

        Raises:
            SearchError: it is not open.
        """
        names = self.open_names() if name is None else [name]
        for session in [self.session(each) for each in names]:
            session.pause_if_running()  # all of them, before the first one is waited for
        for each in names:
            opened = self._require_open(each)
            opened.session.close()
            opened.resources.close()
            with self._lock:
                self._opened.pop(each, None)

    def __enter__(self) -> "SearchService":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- opening ----------------------------------------------------------------------

    def _open(
        self,
        name: str,
        store: HistoryStore,
        build_model: Callable[[Trial], Any] | None,
        space: Any,
        searcher: Any,
        estimate: Any,
        executor: Executor | str,
        callbacks: Iterable[Any],
        options: dict[str, Any],
    ) -> SearchSession:
        watcher = Watcher(name, self._clock)
        with ExitStack() as resources:
            _close_with(resources, store)
            if isinstance(executor, str):
                executor = self._make_executor(executor)
                _close_with(resources, executor)
            search = make_search(
                space,
                searcher,
                ToldEstimator() if estimate is None else estimate,
                store=store,
                executor=executor,
                callbacks=[watcher, *callbacks],
                clock=self._clock,
                **options,
            )
            search.restore()
            session = SearchSession(name, search, watcher, self._clock, build_model)
            with self._lock:
                self._opened[name] = _Opened(session, resources.pop_all())
        return session

    def _require_open(self, name: str) -> _Opened:
        with self._lock:
            opened = self._opened.get(name)
            there = ", ".join(map(repr, sorted(self._opened))) or "none"
        if opened is None:
            raise SearchError(
                f"a search must be open to be used; received {name!r}, where these are open: "
                f"{there}; create or open it first"
            )
        return opened

    @contextmanager
    def _reserved(self, name: str) -> Iterator[None]:
        """Keep a name from everybody else while its search is being opened, which may take long."""
        _require_name(name)
        with self._lock:
            if name in self._opened or name in self._opening:
                raise SearchError(
                    f"a search must not be open already; received {name!r}, which is; use "
                    f"session({name!r}), or close it first"
                )
            self._opening.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._opening.discard(name)


def _close_with(resources: ExitStack, thing: Any) -> None:
    close = getattr(thing, "close", None)
    if callable(close):
        resources.callback(close)


def _require_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SearchError(
            "the name of a search must consist of letters, digits, '.', '_' and '-', at most 100, "
            f"and not begin with '.' or '-'; received {name!r}; write 'digits-cnn', say"
        )
