"""The laws of the `HistoryStore` port, held against every store, and against broken ones."""

import attrs
import pytest

from hypernets.application import MemoryStore
from hypernets.application.port import HistoryStore
from hypernets.domain.error import DuplicateTrialError
from hypernets.domain.history import Failure, History, Report, Trial, TrialState

TRIALS = (
    Trial(
        1,
        {"units": 64, "rate": 1e-05, "names": ["a", "b"], "flag": True, "none": None},
        "1-abc",
        TrialState.COMPLETED,
        {"accuracy": 0.1 + 0.2, "latency_s": 1e-300},
        labels={"units": "dense.units"},
        curve=(Report(1, {"loss": 0.5}), Report(2, {"loss": 0.25})),
        timings={"fit_s": 1.5},
        elapsed_s=2.5,
        seed=2**31 - 1,
        training={"batch_size": 32},
        estimator="keras",
        details={"layers": ["Dense"], "n": 3},
    ),
    Trial(
        4,
        {},
        "",
        TrialState.FAILED,
        failure=Failure("BuildError", "zu groß ✗\nzweite Zeile", "Traceback …"),
        asked_after=1,
    ),
    Trial(2, {"units": 64}, "1-abc", TrialState.COMPLETED, {"accuracy": 0.3}, answered_by=1),
    Trial(3, {}, "x", TrialState.PRUNED, fidelity={"epochs": 3}, replicate=2, parent=1),
)


def filled(make):
    store = make()
    for trial in TRIALS:
        store.append(trial)
    return store


# --- the laws; `make()` returns an empty store ---------------------------------


def check_it_has_the_methods_of_the_port(make):
    assert isinstance(make(), HistoryStore)


def check_an_empty_store_loads_an_empty_history(make):
    history = make().load()
    assert isinstance(history, History)
    assert len(history) == 0


def check_trials_come_back_as_they_were_in_the_order_of_the_appends(make):
    assert tuple(filled(make).load()) == TRIALS


def check_a_trial_is_there_when_append_returns(make):
    store = make()
    for n, trial in enumerate(TRIALS, 1):
        store.append(trial)
        assert len(store.load()) == n


def check_a_number_that_is_stored_is_refused_and_nothing_changes(make):
    store = filled(make)
    try:
        store.append(attrs.evolve(TRIALS[1], signature="another"))
    except DuplicateTrialError:
        assert tuple(store.load()) == TRIALS
    else:
        raise AssertionError("a duplicate number was taken")


def check_a_loaded_history_is_a_copy_of_its_own(make):
    store = filled(make)
    store.load().add(Trial(9, {}, "s", TrialState.LOST))
    assert tuple(store.load()) == TRIALS


def check_the_best_of_what_is_loaded_is_the_best_of_what_was_stored(make):
    assert filled(make).load().best == TRIALS[0]


LAWS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("make", [MemoryStore])
def test_every_store_keeps_the_laws(make, law):
    law(make)


# --- broken ones ---------------------------------------------------------------


class Careless:
    """Takes any number, sorts what it loads, rounds, and hands out what it has."""

    def __init__(self):
        self.history = History()
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


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Reading, check_it_has_the_methods_of_the_port),
        (Lazy, check_an_empty_store_loads_an_empty_history),
        (Careless, check_trials_come_back_as_they_were_in_the_order_of_the_appends),
        (Careless, check_a_number_that_is_stored_is_refused_and_nothing_changes),
        (Careless, check_the_best_of_what_is_loaded_is_the_best_of_what_was_stored),
        (Late, check_a_trial_is_there_when_append_returns),
        (Shared, check_a_loaded_history_is_a_copy_of_its_own),
    ],
)
def test_a_broken_store_is_found_out(broken, law):
    with pytest.raises(AssertionError):
        law(broken)
