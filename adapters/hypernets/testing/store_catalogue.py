"""The laws of the `StoreCatalogue` port."""

import threading

from hypernets.application.port import HistoryStore, StoreCatalogue
from hypernets.domain.error import StoreError
from hypernets.testing.example import TRIALS
from hypernets.testing.law import Suite, raised

__all__ = ["StoreCatalogueSuite"]


class StoreCatalogueSuite(Suite):
    """What every catalogue of stores must do. Subclass it, and say how catalogues are made."""

    def make(self) -> StoreCatalogue:
        """Return a catalogue without stores; `self.folder` is there for one on disk."""
        raise NotImplementedError("a suite must say how its catalogues are made: define make()")

    def test_it_has_the_methods_of_the_port(self) -> None:
        """Every method of the protocol is there."""
        assert isinstance(self.make(), StoreCatalogue)

    def test_what_is_opened_is_what_was_created(self) -> None:
        """With what was appended."""
        catalogue = self.make()
        created = catalogue.create("a")
        assert isinstance(created, HistoryStore)
        assert len(created.load()) == 0
        created.append(TRIALS[0])
        _close(created)
        assert list(catalogue.open("a").load()) == [TRIALS[0]]

    def test_stores_know_nothing_of_each_other(self) -> None:
        """What is appended to one is not in another."""
        catalogue = self.make()
        catalogue.create("a").append(TRIALS[0])
        assert len(catalogue.create("b").load()) == 0

    def test_the_names_are_those_of_all_stores_in_alphabetical_order(self) -> None:
        """Capitals first."""
        catalogue = self.make()
        assert list(catalogue.names()) == []
        for name in ("b", "a.1", "c_2", "B-3"):
            catalogue.create(name)
        assert list(catalogue.names()) == ["B-3", "a.1", "b", "c_2"]

    def test_a_name_that_is_taken_is_refused_and_what_is_there_stays(self) -> None:
        """The message names it."""
        catalogue = self.make()
        store = catalogue.create("a")
        store.append(TRIALS[0])
        _close(store)
        assert "'a'" in str(raised(StoreError, catalogue.create, "a"))
        assert len(catalogue.open("a").load()) == 1

    def test_a_name_that_is_not_there_is_refused(self) -> None:
        """To open and to delete; the message names it."""
        catalogue = self.make()
        catalogue.create("a")
        assert "'b'" in str(raised(StoreError, catalogue.open, "b"))
        assert "'b'" in str(raised(StoreError, catalogue.delete, "b"))
        assert list(catalogue.names()) == ["a"]

    def test_what_is_deleted_is_gone_and_its_name_is_free(self) -> None:
        """A new store of that name is empty."""
        catalogue = self.make()
        store = catalogue.create("a")
        store.append(TRIALS[0])
        _close(store)
        catalogue.delete("a")
        assert list(catalogue.names()) == []
        assert len(catalogue.create("a").load()) == 0

    def test_of_many_threads_that_create_one_name_one_succeeds(self) -> None:
        """The others are refused."""
        catalogue, barrier = self.make(), threading.Barrier(6)
        made: list[HistoryStore] = []
        errors: list[Exception] = []

        def create() -> None:
            barrier.wait()
            try:
                made.append(catalogue.create("a"))
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=create) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 1
        assert all(isinstance(error, StoreError) for error in errors), errors


def _close(store: HistoryStore) -> None:
    getattr(store, "close", lambda: None)()
