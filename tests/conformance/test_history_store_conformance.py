"""The laws of the `HistoryStore` port, held against every store, and against broken ones."""

import json
import os

import attrs
import pytest

from hypernets.adapters.store import Hdf5Store
from hypernets.adapters.store.sql import SqlStore
from hypernets.application import MemoryStore
from hypernets.domain.error import HypernetsError, OtherSearchError, StoreError
from hypernets.domain.history import History
from hypernets.domain.history.document import trial_from_document, trial_to_document
from hypernets.testing import DurableStoreSuite, HistoryStoreSuite, laws


class TestMemoryStore(HistoryStoreSuite):
    def make(self):
        return MemoryStore()


class TestHdf5Store(DurableStoreSuite):
    def open(self, folder):
        return Hdf5Store(folder)


class TestSqlStore(DurableStoreSuite):
    def open(self, folder):
        return SqlStore(folder / "runs.db", "first")


# --- broken ones ---------------------------------------------------------------


class Careless(MemoryStore):
    """Takes any number, sorts what it loads, rounds, and hands out what it has."""

    def __init__(self):
        super().__init__()
        self.trials = []

    def append(self, trial):
        self.trials = [t for t in self.trials if t.number != trial.number]
        rounded = {name: round(value, 3) for name, value in trial.objectives.items()}
        self.trials.append(attrs.evolve(trial, objectives=rounded))

    def load(self):
        return History(trials=sorted(self.trials, key=lambda trial: trial.number))


class Late(MemoryStore):
    def append(self, trial):
        if trial.number == 4:
            super().append(trial)


class Shared(MemoryStore):
    def load(self):
        return self._history


class Reading:
    load = MemoryStore.load


class Lazy(MemoryStore):
    def load(self):
        return list(super().load())


class Loose(MemoryStore):
    """Turns tuples to lists, as plain JSON does."""

    def append(self, trial):
        decisions = {n: list(v) if type(v) is tuple else v for n, v in trial.decisions.items()}
        super().append(attrs.evolve(trial, decisions=decisions))


class Hospitable(MemoryStore):
    def bind(self, identity):
        pass


class Choosy(MemoryStore):
    """Takes what is not known for something else."""

    def bind(self, identity):
        if self._identity is None:
            self._identity = identity
        if self._identity != identity:
            raise OtherSearchError("no")


class Forgetful(MemoryStore):
    """Lives no longer than its process."""

    def again(self):
        return type(self)()


class Sorting(MemoryStore):
    """Orders by number whatever it finds."""

    def again(self):
        found = type(self)()
        for trial in sorted(self.load(), key=lambda trial: trial.number):
            found.append(trial)
        return found


class Plain(MemoryStore):
    """Writes 0 for what plain JSON does not know."""

    def append(self, trial):
        details = {n: v if v == v else 0.0 for n, v in trial.details.items()}
        super().append(attrs.evolve(trial, details=details))


class Amnesiac(MemoryStore):
    identity = None


class Short(MemoryStore):
    def append(self, trial):
        super().append(attrs.evolve(trial, curve=trial.curve[:100]))


BROKEN = [
    (Reading, "it_has_the_methods_of_the_port"),
    (Lazy, "an_empty_store_loads_an_empty_history"),
    (Careless, "trials_come_back_as_they_were_in_the_order_of_the_appends"),
    (Careless, "a_clock_that_jumps_changes_no_order"),
    (Loose, "types_come_back_as_they_were"),
    (Careless, "a_trial_that_is_delivered_twice_is_kept_once"),
    (Careless, "the_best_of_what_is_loaded_is_the_best_of_what_was_stored"),
    (Late, "a_trial_is_there_when_append_returns"),
    (Shared, "a_loaded_history_is_a_copy_of_its_own"),
    (Short, "a_long_curve_is_kept_whole"),
    (Forgetful, "a_new_process_finds_them_too"),
    (Sorting, "what_is_gone_on_with_later_stands_after_it"),
    (Plain, "numbers_that_are_none_come_back"),
    (Amnesiac, "the_search_that_it_belongs_to_is_remembered"),
    (Forgetful, "the_search_that_it_belongs_to_is_remembered"),
    (Late, "many_trials_are_kept_in_order"),
    (Hospitable, "another_search_is_refused_with_every_difference_and_nothing_changes"),
    (Hospitable, "a_store_that_holds_trials_already_can_be_bound"),
    (Choosy, "what_is_not_known_is_compared_with_nothing"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN)
def test_a_broken_store_is_found_out(broken, law):
    class Suite(HistoryStoreSuite):
        def make(self):
            return broken()

        def again(self, store):
            return getattr(store, "again", lambda: store)()

    with pytest.raises((AssertionError, HypernetsError)):
        getattr(Suite(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(HistoryStoreSuite))


class Naive:
    """A file of JSON lines, as one would write it first."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.path = folder / "trials"
        self.lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)

    def append(self, trial):
        line = json.dumps(trial_to_document(trial)) + "\n"
        self.lines.append(line)
        self.put(line.encode())

    def put(self, content):
        os.write(self.descriptor, content)

    def load(self):
        return History(trials=[trial_from_document(json.loads(line)) for line in self.lines])


class Buffered(Naive):
    """Writes ten at a time."""

    def __init__(self, folder):
        super().__init__(folder)
        self.waiting = []

    def put(self, content):
        self.waiting.append(content)
        if len(self.waiting) == 10:
            self.flush()

    def flush(self):
        while self.waiting:
            os.write(self.descriptor, self.waiting.pop(0))

    def close(self):
        self.flush()


class Rewriting(Naive):
    """Writes the whole file anew each time."""

    def put(self, content):
        with self.path.open("w") as file:
            for line in self.lines:
                file.write(line.rstrip("\n") + "\n")
                file.flush()


class Claiming(Naive):
    """Calls every fault its own, and keeps half of what it refused."""

    def put(self, content):
        try:
            super().put(content)
        except OSError as error:
            raise StoreError("no") from error

    def load(self):
        try:
            return super().load()
        except ValueError:
            return History()


class Common(Naive):
    """Takes the file that it opened first for that of all."""

    first = {}  # noqa: RUF012 - that is what is wrong with it

    def __init__(self, folder):
        super().__init__(folder)
        self.lines = self.first.setdefault("lines", self.lines)


BROKEN_ON_DISK = [
    (Buffered, "a_kill_at_any_write_boundary_loses_nothing_that_was_acknowledged"),
    (Rewriting, "a_kill_at_any_write_boundary_loses_nothing_that_was_acknowledged"),
    (Buffered, "a_kill_from_outside_loses_nothing_that_was_acknowledged"),
    (Naive, "a_torn_write_is_not_visible"),
    (Naive, "short_writes_are_completed"),
    (Naive, "a_full_disk_is_a_store_error_and_what_was_refused_is_not_there"),
    (Claiming, "a_full_disk_is_a_store_error_and_what_was_refused_is_not_there"),
    (Naive, "a_folder_that_cannot_be_written_is_a_store_error_and_nothing_is_lost"),
    (Naive, "a_folder_that_cannot_be_made_is_a_store_error"),
    (Common, "two_stores_know_nothing_of_each_other"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN_ON_DISK)
def test_a_store_that_breaks_under_faults_is_found_out(broken, law):
    class Suite(DurableStoreSuite):
        def open(self, folder):
            return broken(folder)

    with pytest.raises((AssertionError, ValueError, OSError)):  # a torn line is no JSON
        getattr(Suite(), f"test_{law}")()


def test_every_law_of_stores_on_disk_finds_one_of_them_out():
    faults = set(laws(DurableStoreSuite)) - set(laws(HistoryStoreSuite))
    assert {law for _, law in BROKEN_ON_DISK} == faults
