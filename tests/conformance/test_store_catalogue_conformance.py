"""The laws of the `StoreCatalogue` port, held against every catalogue, and against broken ones."""

import threading

import pytest

from hypernets.adapters.store import FolderCatalogue
from hypernets.application import MemoryCatalogue
from hypernets.application.port import HistoryStore, StoreCatalogue
from hypernets.domain.error import StoreError
from hypernets.domain.history import Trial, TrialState


def trial(number):
    return Trial(number, {}, f"1-{number}", TrialState.COMPLETED, objectives={"reward": 1.0})


# --- the laws; `make()` returns a catalogue without stores -----------------------


def check_it_has_the_methods_of_the_port(make):
    assert isinstance(make(), StoreCatalogue)


def check_what_is_opened_is_what_was_created(make):
    catalogue = make()
    created = catalogue.create("a")
    assert isinstance(created, HistoryStore)
    assert len(created.load()) == 0
    created.append(trial(1))
    getattr(created, "close", lambda: None)()
    assert [t.number for t in catalogue.open("a").load()] == [1]


def check_stores_know_nothing_of_each_other(make):
    catalogue = make()
    catalogue.create("a").append(trial(1))
    assert len(catalogue.create("b").load()) == 0


def check_the_names_are_those_of_all_stores_in_alphabetical_order(make):
    catalogue = make()
    assert list(catalogue.names()) == []
    for name in ("b", "a.1", "c_2", "B-3"):
        catalogue.create(name)
    assert list(catalogue.names()) == ["B-3", "a.1", "b", "c_2"]


def check_a_name_that_is_taken_is_refused_and_what_is_there_stays(make):
    catalogue = make()
    store = catalogue.create("a")
    store.append(trial(1))
    getattr(store, "close", lambda: None)()
    with pytest.raises(StoreError, match="'a'"):
        catalogue.create("a")
    assert len(catalogue.open("a").load()) == 1


def check_a_name_that_is_not_there_is_refused(make):
    catalogue = make()
    catalogue.create("a")
    with pytest.raises(StoreError, match="'b'"):
        catalogue.open("b")
    with pytest.raises(StoreError, match="'b'"):
        catalogue.delete("b")
    assert list(catalogue.names()) == ["a"]


def check_what_is_deleted_is_gone_and_its_name_is_free(make):
    catalogue = make()
    store = catalogue.create("a")
    store.append(trial(1))
    getattr(store, "close", lambda: None)()
    catalogue.delete("a")
    assert list(catalogue.names()) == []
    assert len(catalogue.create("a").load()) == 0


def check_of_many_threads_that_create_one_name_one_succeeds(make):
    catalogue, barrier = make(), threading.Barrier(6)
    made = []

    def create():
        barrier.wait()
        try:
            made.append(catalogue.create("a"))
        except StoreError:
            return

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


LAWS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]


@pytest.fixture(params=["memory", "folder"])
def make(request, tmp_path_factory):
    if request.param == "memory":
        return MemoryCatalogue
    return lambda: FolderCatalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_catalogue_keeps_the_laws(make, law):
    law(make)


# --- broken ones ---------------------------------------------------------------


class Forgetful(MemoryCatalogue):
    def open(self, name):
        return type(super().open(name))()


class Shared(MemoryCatalogue):
    def create(self, name):
        store = super().create(name)
        self._stores = dict.fromkeys(self._stores, next(iter(self._stores.values())))
        return self._stores.get(name, store)


class Unordered(MemoryCatalogue):
    def names(self):
        return list(self._stores)


class Overwriting(MemoryCatalogue):
    def create(self, name):
        self._stores.pop(name, None)
        return super().create(name)


class Generous(MemoryCatalogue):
    def open(self, name):
        return super().open(name) if name in self._stores else self.create(name)


class Hoarding(MemoryCatalogue):
    def delete(self, name):
        self._require(name)


class Half:
    create = MemoryCatalogue.create


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Half, check_it_has_the_methods_of_the_port),
        (Forgetful, check_what_is_opened_is_what_was_created),
        (Shared, check_stores_know_nothing_of_each_other),
        (Unordered, check_the_names_are_those_of_all_stores_in_alphabetical_order),
        (Overwriting, check_a_name_that_is_taken_is_refused_and_what_is_there_stays),
        (Overwriting, check_of_many_threads_that_create_one_name_one_succeeds),
        (Generous, check_a_name_that_is_not_there_is_refused),
        (Hoarding, check_what_is_deleted_is_gone_and_its_name_is_free),
    ],
)
def test_a_broken_catalogue_is_found_out(broken, law):
    with pytest.raises((AssertionError, StoreError, pytest.fail.Exception)):
        law(broken)
