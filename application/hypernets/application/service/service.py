"""Many searches in one process, each by its name."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import attrs

from hypernets.application.in_process import MemoryCatalogue, SystemClock
from hypernets.application.loop.fork import Fork
from hypernets.application.port import (
    Clock,
    Executor,
    HistoryStore,
    SearchIdentity,
    StoreCatalogue,
)
from hypernets.application.registry import make_catalogue, make_executor
from hypernets.application.service.definition import SearchDefinition, as_definition
from hypernets.application.service.session import SearchSession
from hypernets.application.service.state import SessionState
from hypernets.application.service.watcher import Watcher
from hypernets.domain.error import SearchError
from hypernets.domain.history import History

__all__ = ["SearchService"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


@attrs.frozen
class _Opened:
    session: SearchSession
    resources: ExitStack  # what is closed with it: its store, and the executor made for it


@attrs.frozen
class _OpenSearch:
    """The history of a search that is open, as a store to be forked: it may be running."""

    session: SearchSession
    identity: SearchIdentity
    location: str

    def load(self) -> History:
        return self.session.result()


class SearchService:
    """The engine as a part of a larger system: searches by name, over stores and executors.

    Thread-safe. It keeps no state outside itself: two services do not know of each other, but for
    the folder that they may share, where each search has one writer at a time. As a context
    manager, it closes its searches at the end.

    Args:
        stores: the folder in which each search has a store on disk, made where there is none; or a
            `StoreCatalogue` (see `make_catalogue` for one by its name). When absent, searches are
            kept in memory, and end with the process.
        executors: makes an executor of its name; `make_executor` when absent.
        clock: the machine's when absent.

    Raises:
        SearchError: the stores are none, or nothing is installed that keeps them in a folder.
        StoreError: the folder cannot be used.
    """

    def __init__(
        self,
        stores: "StoreCatalogue | str | os.PathLike[str] | None" = None,
        *,
        executors: Callable[[str], Executor] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._stores = _catalogue_of(stores)
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
        **options: Any,
    ) -> SearchSession:
        """Return a new search, with a new store.

        Args:
            name: of the search and its store: letters, digits, `.`, `_` and `-`.
            space: a `SearchDefinition`, alone; or what its attribute `space` may be.
            searcher: as in a `SearchDefinition`.
            estimate: as in a `SearchDefinition`.
            **options: the other attributes of a `SearchDefinition`.

        Raises:
            SearchError: an argument makes no sense.
            SpaceError: the space is none, or its definition is wrong.
            StoreError: the name is taken, or the store cannot be made.
        """
        return self._create(name, as_definition(space, searcher, estimate, options))

    def open(
        self,
        name: str,
        space: Any,
        searcher: Any = "default",
        estimate: Any = None,
        **options: Any,
    ) -> SearchSession:
        """Return a search that goes on from the store of that name.

        A store holds trials, and neither space nor code. So what made them is given again, as it
        was for `create`: the same definition, or the same arguments.

        Raises:
            SearchError: an argument makes no sense, or the search is open already.
            SpaceError: the space is none, or its definition is wrong.
            OtherSearchError: the store holds another search; each difference is named.
            StoreLockedError: another process has it open; the message names that.
            StoreError: there is no such store, or it cannot be read.
        """
        definition = as_definition(space, searcher, estimate, options)
        with self._reserved(name):
            return self._open(name, self._stores.open(name), definition)

    def fork(
        self,
        name: str,
        into: str,
        space: Any,
        searcher: Any = "default",
        estimate: Any = None,
        *,
        after: int | None = None,
        suggestions: int = 10,
        **options: Any,
    ) -> SearchSession:
        """Return a new search that begins with what another one has found out (see `Fork`).

        The other one is not changed. It may be open here, and running.

        Args:
            name: of the other search.
            into: name of the new one.
            space: of the new one, as for `create`; all of it may differ.
            searcher: of the new one.
            estimate: of the new one.
            after: how many trials of the other one count; all when absent.
            suggestions: how many of its best architectures are measured anew at most, where
                estimator or data differ, so that no result can be taken over.
            **options: the other attributes of a `SearchDefinition`.

        Raises:
            SearchError: an argument makes no sense.
            SpaceError: the space is none, or its definition is wrong.
            StoreError: there is no such search, the new name is taken, or a store cannot be used.
        """
        definition = as_definition(space, searcher, estimate, options)
        with self._past_of(name) as past:
            return self._create(into, definition, Fork(past, after, suggestions))

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
        with self._lock:
            opened = self._opened.get(name)
        if opened is not None:
            if opened.session.state is SessionState.RUNNING:
                raise SearchError(
                    f"search {name!r} must be at rest to be deleted; received one that is running; "
                    "cancel it and wait first"
                )
            self._close(name, opened)
        self._stores.delete(name)

    def close(self, name: str | None = None) -> None:
        """Close a search, or all of them: each ends in good order, and its store is let go.

        Waits for the trials that run; `session.cancel()` before it gives up those that the executor
        can leave alone.

        Raises:
            SearchError: it is not open, or is closed by a callback of its own run. What else is to
                be closed is closed all the same.
        """
        if name is not None:
            self._close(name, self._require_open(name))
            return
        with self._lock:
            everything = dict(self._opened)
        for opened in everything.values():
            opened.session.pause_if_running()  # all of them, before the first one is waited for
        with ExitStack() as closing:
            for each, opened in reversed(everything.items()):
                closing.callback(self._close, each, opened)

    def __enter__(self) -> "SearchService":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- opening and closing ----------------------------------------------------------

    def _create(
        self, name: str, definition: SearchDefinition, fork: Fork | None = None
    ) -> SearchSession:
        with self._reserved(name):
            store = self._stores.create(name)
            try:
                return self._open(name, store, definition, fork)
            except BaseException:
                self._stores.delete(name)  # nothing is in it that is not elsewhere
                raise

    def _open(
        self,
        name: str,
        store: HistoryStore,
        definition: SearchDefinition,
        fork: Fork | None = None,
    ) -> SearchSession:
        watcher = Watcher(name, self._clock)
        with ExitStack() as resources:
            _close_with(resources, store)
            executor = definition.executor
            if isinstance(executor, str):
                executor = self._make_executor(executor)
                _close_with(resources, executor)
            search = definition.make(store, executor, watcher, self._clock, fork)
            search.restore()
            session = SearchSession(name, search, watcher, self._clock, definition.build_model)
            with self._lock:
                self._opened[name] = _Opened(session, resources.pop_all())
        return session

    def _close(self, name: str, opened: _Opened) -> None:
        opened.session.close()
        try:
            opened.resources.close()
        finally:
            with self._lock:
                if self._opened.get(name) is opened:
                    del self._opened[name]

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
    def _past_of(self, name: str) -> Iterator[Any]:
        """Return the history of a search, open or not, with what it is the history of."""
        with self._lock:
            opened = self._opened.get(name)
        if opened is not None:
            session = opened.session
            yield _OpenSearch(session, session.identity, session.location)
            return
        with self._reserved(name), ExitStack() as resources:
            store = self._stores.open(name)
            _close_with(resources, store)
            yield store

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


def _catalogue_of(stores: Any) -> StoreCatalogue:
    if stores is None:
        return MemoryCatalogue()
    if isinstance(stores, (str, os.PathLike)):
        return make_catalogue("folder", folder=stores)
    if isinstance(stores, type) or not isinstance(stores, StoreCatalogue):
        raise SearchError(
            "stores must be a folder, or a StoreCatalogue (create, open, names, delete); received "
            f"{stores!r}; write SearchService('runs'), say"
        )
    return stores


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
