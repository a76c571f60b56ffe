"""The laws of the `StoreCatalogue` port, held against every catalogue, and against broken ones."""

import pytest

from hypernets.adapters.store import FolderCatalogue
from hypernets.adapters.store.sql import SqlCatalogue
from hypernets.application import MemoryCatalogue
from hypernets.domain.error import HypernetsError
from hypernets.testing import StoreCatalogueSuite, laws


class TestMemoryCatalogue(StoreCatalogueSuite):
    def make(self):
        return MemoryCatalogue()


class TestFolderCatalogue(StoreCatalogueSuite):
    def make(self):
        return FolderCatalogue(self.folder)


class TestSqlCatalogue(StoreCatalogueSuite):
    def make(self):
        return SqlCatalogue(self.folder / "runs.db")


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


BROKEN = [
    (Half, "it_has_the_methods_of_the_port"),
    (Forgetful, "what_is_opened_is_what_was_created"),
    (Shared, "stores_know_nothing_of_each_other"),
    (Unordered, "the_names_are_those_of_all_stores_in_alphabetical_order"),
    (Overwriting, "a_name_that_is_taken_is_refused_and_what_is_there_stays"),
    (Overwriting, "of_many_threads_that_create_one_name_one_succeeds"),
    (Generous, "a_name_that_is_not_there_is_refused"),
    (Hoarding, "what_is_deleted_is_gone_and_its_name_is_free"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN)
def test_a_broken_catalogue_is_found_out(broken, law):
    class Suite(StoreCatalogueSuite):
        def make(self):
            return broken()

    with pytest.raises((AssertionError, HypernetsError)):
        getattr(Suite(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(StoreCatalogueSuite))
