"""The laws of the `HistoryStore` port, held against every store, and against broken ones."""

import math

import attrs
import pytest

from hypernets.adapters.store import Hdf5Store
from hypernets.application import MemoryStore
from hypernets.application.port import HistoryStore, SearchIdentity
from hypernets.domain.error import DuplicateTrialError, OtherSearchError
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
    Trial(
        7, {}, "y", TrialState.COMPLETED, asked_after=4, dropped=(3, 3), pending=((8, 4, 3), (9, 4))
    ),
    Trial(
        5,
        {"size": (3, (3, 5)), "$odd": {"$tuple": [1]}, "surrogate": "\ud800", "": -0.0},
        "z" * 100,
        TrialState.DIVERGED,
        details={"classes": {0: 1.5, (1, 2): b"\x00\xff"}, "big": 2**70, "nested": [{"a": [()]}]},
    ),
)

IDENTITY = SearchIdentity(
    space="1-abc",
    decisions=("dense.units: 8, 16", "dropout: 0.0 to 0.5"),
    searcher="random",
    searcher_options={"with_replacement": False, "size": (3, 3)},
    seed=0,
    directions={"accuracy": "max", "latency_s": "min"},
    estimator="keras",
    data="sha256-1",
)


class HistoryStoreSuite:
    """The laws. Subclass it, and give the fixture `factory`: an object with two methods.

    `make()` returns an empty store; `again(store)` returns one that finds what a new process would,
    given what that store holds (the store itself, where it lives as long as its process).
    """

    def filled(self, factory, trials=TRIALS):
        store = factory.make()
        for trial in trials:
            store.append(trial)
        return store

    def test_it_has_the_methods_of_the_port(self, factory):
        assert isinstance(factory.make(), HistoryStore)

    def test_an_empty_store_loads_an_empty_history(self, factory):
        history = factory.make().load()
        assert isinstance(history, History)
        assert len(history) == 0

    def test_trials_come_back_as_they_were_in_the_order_of_the_appends(self, factory):
        assert tuple(self.filled(factory).load()) == TRIALS

    def test_types_come_back_as_they_were(self, factory):
        for loaded, trial in zip(self.filled(factory).load(), TRIALS, strict=True):
            assert repr(loaded) == repr(trial)

    def test_a_trial_is_there_when_append_returns(self, factory):
        store = factory.make()
        for n, trial in enumerate(TRIALS, 1):
            store.append(trial)
            assert tuple(store.load()) == TRIALS[:n]

    def test_a_new_process_finds_them_too(self, factory):
        store = factory.again(self.filled(factory))
        assert tuple(store.load()) == TRIALS

    def test_what_is_gone_on_with_later_stands_after_it(self, factory):
        store = factory.make()
        for trial in TRIALS:
            store = factory.again(store)
            store.append(trial)
        assert tuple(factory.again(store).load()) == TRIALS

    def test_a_number_that_is_stored_is_refused_and_nothing_changes(self, factory):
        store = self.filled(factory)
        require_refused(store, attrs.evolve(TRIALS[1], signature="another"))
        store = factory.again(store)
        require_refused(store, attrs.evolve(TRIALS[1], signature="another"))

    def test_a_loaded_history_is_a_copy_of_its_own(self, factory):
        store = self.filled(factory)
        store.load().add(Trial(9, {}, "s", TrialState.LOST))
        assert tuple(store.load()) == TRIALS

    def test_the_best_of_what_is_loaded_is_the_best_of_what_was_stored(self, factory):
        assert self.filled(factory).load().best == TRIALS[0]

    def test_numbers_that_are_none_come_back(self, factory):
        values = {"a": math.nan, "b": math.inf, "c": -math.inf}
        trial = Trial(1, {}, "s", TrialState.DIVERGED, curve=(Report(1, values),), details=values)
        (loaded,) = factory.again(self.filled(factory, [trial])).load()
        assert repr(loaded) == repr(trial)

    def test_a_long_curve_is_kept_whole(self, factory):
        curve = tuple(Report(step, {"loss": step / 7, "accuracy": 0.5}) for step in range(20_000))
        trials = [
            attrs.evolve(TRIALS[0], number=number, curve=curve[:length])
            for number, length in enumerate((10, 20_000, 0, 5_000), 1)
        ]
        assert list(factory.again(self.filled(factory, trials)).load()) == trials

    def test_many_trials_are_kept_in_order(self, factory):
        trials = [
            Trial(n, {"n": n}, f"s{n}", TrialState.COMPLETED, {"r": n}) for n in range(1, 301)
        ]
        assert list(factory.again(self.filled(factory, trials)).load()) == trials

    def test_the_search_that_it_belongs_to_is_remembered(self, factory):
        store = factory.make()
        store.bind(IDENTITY)
        store.bind(IDENTITY)
        store = factory.again(store)
        store.bind(IDENTITY)
        store.append(TRIALS[0])
        factory.again(store).bind(IDENTITY)

    def test_another_search_is_refused_with_every_difference_and_nothing_changes(self, factory):
        store = factory.make()
        store.bind(IDENTITY)
        store.append(TRIALS[0])
        for look_again in (False, True):
            bound = factory.again(store) if look_again else store
            other = attrs.evolve(IDENTITY, seed=1, data="sha256-2")
            require_other(bound, other, ["seed", "data"])
            require_other(
                bound, attrs.evolve(IDENTITY, space="1-x", decisions=()), ["space", "decisions"]
            )
            assert tuple(bound.load()) == TRIALS[:1]
            bound.bind(IDENTITY)

    def test_what_is_not_known_is_compared_with_nothing(self, factory):
        store = factory.make()
        store.bind(SearchIdentity(seed=0))
        store = factory.again(store)
        store.bind(IDENTITY)
        require_other(store, SearchIdentity(seed=1), ["seed"])

    def test_a_store_that_holds_trials_already_can_be_bound(self, factory):
        store = self.filled(factory)
        store.bind(IDENTITY)
        store = factory.again(store)
        require_other(store, attrs.evolve(IDENTITY, searcher="evolution"), ["searcher"])
        assert tuple(store.load()) == TRIALS


def require_refused(store, trial):
    try:
        store.append(trial)
    except DuplicateTrialError:
        assert tuple(store.load()) == TRIALS
    else:
        raise AssertionError("a duplicate number was taken")


def require_other(store, identity, fields):
    refusal = None
    try:
        store.bind(identity)
    except OtherSearchError as error:
        refusal = error
    assert refusal is not None, "another search was let in"
    assert [difference.field for difference in refusal.differences] == fields
    assert all(name in str(refusal) for name in fields)


# --- the stores ----------------------------------------------------------------


class InMemory:
    """The factory of a store that lives as long as its process."""

    def __init__(self, make=MemoryStore):
        self.make = make

    def again(self, store):
        return store


class InFolder:
    """The factory of a store that has a folder."""

    def __init__(self, folder):
        self.folder, self.n_made = folder, 0

    def make(self):
        self.n_made += 1
        return Hdf5Store(self.folder / str(self.n_made))

    def again(self, store):
        store.close()
        return Hdf5Store(store.folder)


class TestMemoryStore(HistoryStoreSuite):
    @pytest.fixture
    def factory(self):
        return InMemory()


class TestHdf5Store(HistoryStoreSuite):
    @pytest.fixture
    def factory(self, tmp_path):
        return InFolder(tmp_path)


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


class Short(MemoryStore):
    def append(self, trial):
        super().append(attrs.evolve(trial, curve=trial.curve[:100]))


class Forgetful(InMemory):
    """A store whose content dies with its process."""

    def again(self, store):
        return self.make()


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Reading, "it_has_the_methods_of_the_port"),
        (Lazy, "an_empty_store_loads_an_empty_history"),
        (Careless, "trials_come_back_as_they_were_in_the_order_of_the_appends"),
        (Loose, "types_come_back_as_they_were"),
        (Careless, "a_number_that_is_stored_is_refused_and_nothing_changes"),
        (Careless, "the_best_of_what_is_loaded_is_the_best_of_what_was_stored"),
        (Late, "a_trial_is_there_when_append_returns"),
        (Shared, "a_loaded_history_is_a_copy_of_its_own"),
        (Short, "a_long_curve_is_kept_whole"),
        (Late, "many_trials_are_kept_in_order"),
        (Hospitable, "another_search_is_refused_with_every_difference_and_nothing_changes"),
        (Hospitable, "a_store_that_holds_trials_already_can_be_bound"),
        (Choosy, "what_is_not_known_is_compared_with_nothing"),
    ],
)
def test_a_broken_store_is_found_out(broken, law):
    with pytest.raises((AssertionError, OtherSearchError)):
        getattr(HistoryStoreSuite(), f"test_{law}")(InMemory(broken))


@pytest.mark.parametrize(
    "law",
    [
        "a_new_process_finds_them_too",
        "what_is_gone_on_with_later_stands_after_it",
        "numbers_that_are_none_come_back",
        "another_search_is_refused_with_every_difference_and_nothing_changes",
    ],
)
def test_a_store_that_forgets_is_found_out(law):
    with pytest.raises((AssertionError, ValueError)):
        getattr(HistoryStoreSuite(), f"test_{law}")(Forgetful())
