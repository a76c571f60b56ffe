"""A search that begins with what another one has found out."""

import attrs
import pytest
import structlog.testing

from hypernets.application import Fork, MemoryStore, Search, search
from hypernets.domain.error import OtherSearchError, SearchError
from hypernets.domain.history import TrialState
from hypernets.domain.searchers import Proposal, RandomSearcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class Still:
    def now(self):
        return 0.0


class Kill(BaseException):
    """Stands for the end of the process."""


class KilledStore(MemoryStore):
    """Kills at the trial after the last that it is to keep, before or after keeping it."""

    def __init__(self, n_kept, after):
        super().__init__()
        self.n_kept, self.after = n_kept, after

    def append(self, trial):
        last = len(self.load()) >= self.n_kept
        if last and not self.after:
            raise Kill
        super().append(attrs.evolve(trial, architecture=None))  # a record, as from a disk
        if last:
            raise Kill


class Located(MemoryStore):
    location = "runs/first"


class Recorder(RandomSearcher):
    """Remembers what it has been told."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.told = []

    def tell(self, trial):
        self.told.append(trial)
        super().tell(trial)


class Measured:
    """An estimate of a name and on some data, which counts what it measures."""

    def __init__(self, data="d1", name="sum"):
        self.data_digest, self.name = data, name
        self.seen = []

    def estimate(self, architecture, context):
        self.seen.append(dict(architecture.decisions))
        a, b = architecture.decisions.values()
        if b == 4:
            raise ValueError("four")
        return search_measurement(a * 10 + b)


def search_measurement(value):
    from hypernets.application.port import Measurement

    return Measurement({"reward": float(value)})


def pairs(a=range(1, 6), b=range(1, 6), activation="relu"):
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)}, name="in")
        x = Dense({"units": Choice(a, name="a"), "activation": activation})(x)
        Dense({"units": Choice(b, name="b")})(x)
    return space


def first_search(max_trials=8, estimate=None, store=None, **options):
    store = Located() if store is None else store
    estimate = Measured() if estimate is None else estimate
    search(pairs, "random", estimate, seed=0, store=store, max_trials=max_trials, **options)
    return store


def forked(origin, store=None, space=pairs, estimate=None, max_trials=6, **options):
    options = {"seed": 1, "clock": Still(), **options}
    return search(
        space,
        options.pop("searcher", "random"),
        Measured() if estimate is None else estimate,
        store=MemoryStore() if store is None else store,
        fork=origin,
        max_trials=max_trials,
        **options,
    )


def results(trials):
    return [(dict(t.decisions), t.state, dict(t.objectives)) for t in trials]


# --- results -------------------------------------------------------------------------


def test_a_fork_begins_with_the_results_of_the_other_search_and_measures_none_of_them_again():
    origin, estimate = first_search(), Measured()
    past = list(origin.load())
    history = forked(origin, estimate=estimate)
    taken = [t for t in history if t.taken_from is not None]
    assert results(history[: len(past)]) == results(past)
    assert taken == history[: len(past)]
    assert [t.number for t in history] == list(range(1, len(history) + 1))
    assert [t.taken_from for t in taken] == [t.number for t in past]
    assert history.n_evaluated == len(estimate.seen) == 6
    assert not [seen for seen in estimate.seen if seen in [dict(t.decisions) for t in past]]
    assert list(origin.load()) == past


def test_the_searcher_is_told_of_them_before_it_is_asked():
    told_at_ask = []

    class Asked(Recorder):
        def ask(self):
            told_at_ask.append([t.number for t in self.told])
            return super().ask()

    forked(first_search(5), searcher=Asked, max_trials=1)
    assert told_at_ask == [[1, 2, 3, 4, 5]]


def test_the_best_may_be_one_that_was_taken_over():
    origin = first_search(25)  # all there are
    history = forked(origin, estimate=Measured(), max_trials=3)
    assert history.n_evaluated == 0
    assert history.best.taken_from == origin.load().best.number


def test_a_fork_may_leave_out_the_later_trials():
    origin = first_search(8)
    history = forked(Fork(origin, after=3))
    assert [t.taken_from for t in history if t.taken_from] == [1, 2, 3]
    with pytest.raises(SearchError, match=r"after, of a fork, must be at most .* 8; received 9"):
        forked(Fork(origin, after=9))


def test_in_a_narrowed_space_it_takes_over_what_lies_in_it():
    origin = first_search(12)
    inside = [t for t in origin.load() if t.decisions["a"] in (2, 3)]
    history = forked(origin, space=lambda: pairs().restrict(a=[2, 3]))
    taken = [t for t in history if t.taken_from is not None]
    assert 0 < len(inside) < 12
    assert results(taken) == results(inside)
    assert {t.decisions["a"] for t in history} <= {2, 3}


def test_in_a_space_with_more_options_it_takes_over_all():
    history = forked(first_search(8), space=lambda: pairs(a=range(1, 9)))
    assert sum(t.taken_from is not None for t in history) == 8


def test_a_trial_whose_decisions_build_another_network_now_is_not_taken_over():
    history = forked(first_search(8), space=lambda: pairs(activation="tanh"))
    assert all(t.taken_from is None for t in history)
    assert history.n_evaluated == 6


def test_what_was_answered_or_lost_is_not_taken_over():
    origin = first_search(4)
    one, two, *_ = origin.load()
    repeated = attrs.evolve(one, number=5, answered_by=1)
    lost = attrs.evolve(two, number=6, signature="", state=TrialState.LOST, objectives={})
    for trial in (repeated, lost):
        origin.append(trial)
    history = forked(origin)
    assert [t.taken_from for t in history if t.taken_from] == [1, 2, 3, 4]


def test_what_lacks_an_objective_of_the_new_search_is_not_taken_over():
    directions = {"reward": "max", "size": "min"}

    def both(architecture):
        return {"reward": 1.0, "size": 2.0}

    store = MemoryStore()
    search(pairs, "random", lambda a: 1.0, seed=0, store=store, max_trials=3)
    identity = attrs.evolve(store.identity, estimator=None)
    stored = Past(list(store.load()), identity)
    history = forked(stored, estimate=both, direction=directions, max_trials=2)
    assert all(t.taken_from is None for t in history)


class Past:
    """The history of a search, as somebody else has kept it."""

    location = "elsewhere"

    def __init__(self, trials, identity=None):
        self.trials, self.identity = trials, identity

    def load(self):
        from hypernets.domain.history import History

        return History("max", self.trials)


def test_the_parent_of_a_trial_is_named_by_its_number_in_the_fork():
    class Child(Recorder):
        def ask(self):
            return Proposal(super().ask(), parent=self.told[-1].number if self.told else None)

    store = MemoryStore()
    search(pairs, Child, Measured(), seed=0, store=store, max_trials=4)
    first, *others = store.load()
    fit = [t for t in others if t.decisions["a"] != first.decisions["a"]]
    history = forked(
        store, space=lambda: pairs().exclude({"a": [first.decisions["a"]]}), max_trials=1
    )
    assert [t.parent for t in store.load()] == [None, 1, 2, 3]
    numbers = {trial.number: number for number, trial in enumerate(fit, 1)}
    expected = [(t.number, numbers.get(t.parent)) for t in fit]
    assert [(t.taken_from, t.parent) for t in history[: len(fit)]] == expected
    assert {None, 1} <= {parent for _, parent in expected}


# --- advice --------------------------------------------------------------------------


@pytest.mark.parametrize("other", [Measured("d2"), Measured(name="other")])
def test_results_on_other_data_or_of_another_estimator_are_measured_anew_the_best_first(other):
    origin = first_search(8)
    best = [dict(t.decisions) for t in origin.load().top(3)]
    history = forked(Fork(origin, suggestions=3), estimate=other, max_trials=5)
    assert other.seen[:3] == best
    assert history.n_evaluated == len(history) == 5
    assert all(t.taken_from is None for t in history)


def test_no_more_than_ten_are_measured_anew_unless_so_wished():
    origin = first_search(14)
    best = [dict(t.decisions) for t in origin.load().top(14)]
    other = Measured("d2")
    forked(origin, estimate=other, max_trials=11)
    assert other.seen[:10] == best[:10]
    store = MemoryStore()
    forked(Fork(origin, suggestions=0), store, estimate=Measured("d2"), max_trials=1)
    assert store.identity.forked_from["suggestions"] == ()


# --- what is recorded, and going on ----------------------------------------------------


def test_a_fork_records_where_it_comes_from_and_says_so():
    store, origin = MemoryStore(), first_search(8)
    with structlog.testing.capture_logs() as events:
        forked(Fork(origin, after=5), store)
    recorded = {"store": "runs/first", "trials": 5, "taken": 5, "suggestions": ()}
    assert store.identity.forked_from == recorded
    (event,) = [event for event in events if event["event"] == "search forked"]
    assert (event["origin"], event["n_trials"], event["n_taken"]) == ("runs/first", 5, 5)


def records(history):
    # A traceback names the lines of the call, which differ between a first and a second run.
    return [attrs.evolve(t, failure=t.failure and t.failure.message) for t in history]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("options", [{}, {"lag": 3, "n_workers": 1}, {"replicates": 2}])
@pytest.mark.parametrize("data", ["d1", "d2"])
def test_killed_at_any_trial_and_gone_on_with_a_fork_ends_with_the_same_history(
    data, options, after
):
    origin = first_search(5)

    def run(store, fork):
        return forked(fork, store, estimate=Measured(data), max_trials=8, **options)

    whole = run(MemoryStore(), origin)
    for n_kept in range(len(whole)):
        store = KilledStore(n_kept, after)
        with pytest.raises(Kill):
            run(store, origin)
        store.n_kept = 10_000
        resumed = run(store, origin)
        assert records(resumed) == records(whole)
        assert records(run(store, None)) == records(whole)


def test_a_fork_goes_on_by_itself_whatever_has_become_of_the_other_search():
    store, origin = MemoryStore(), first_search(5)
    first = records(forked(origin, store))
    search(pairs, "random", Measured(), seed=0, store=origin, max_trials=9)
    assert records(forked(origin, store)) == first
    assert records(forked(None, store)) == first
    assert len(forked(None, store, max_trials=9)) == len(first) + 3


def test_a_fork_that_was_cut_short_in_its_beginning_needs_the_other_search_once_more():
    store, origin = KilledStore(2, after=True), first_search(5)
    with pytest.raises(Kill):
        forked(origin, store)
    store.n_kept = 10_000
    with pytest.raises(SearchError, match=r"all of the 5 trials that it begins with; received 3"):
        forked(None, store)
    emptied = Located()
    with pytest.raises(SearchError, match="must be at most the number of trials that runs/first"):
        forked(emptied, store)


def test_a_store_that_holds_something_else_is_no_place_for_a_fork():
    origin, used = first_search(3), MemoryStore()
    search(pairs, "random", Measured(), seed=1, store=used, max_trials=2)
    with pytest.raises(SearchError, match=r"must begin in a store of its own; .* holds 2 trials"):
        forked(origin, used)
    with pytest.raises(SearchError, match=r"must begin in a store of its own; .* holds 3 trials"):
        forked(origin, origin, seed=0)
    store = MemoryStore()
    forked(origin, store)
    with pytest.raises(SearchError, match=r"a fork of runs/first; received fork=elsewhere"):
        forked(Past([]), store)


def test_what_is_no_search_cannot_be_forked():
    for nothing in ("runs/first", 3, []):
        with pytest.raises(SearchError, match="fork must be the store of another search, or a For"):
            forked(nothing)
    for wrong in ({"after": -1}, {"after": True}, {"suggestions": 1.5}):
        with pytest.raises(SearchError, match=r"of a fork must be an integer >= 0; received"):
            Fork(MemoryStore(), **wrong)

    class Blind:
        def ask(self):
            raise AssertionError

        def tell(self, trial):
            raise AssertionError

    with pytest.raises(SearchError, match="to fork, a searcher must have the attribute space"):
        Search(Blind(), Measured(), fork=first_search(2)).run(max_trials=1)


def test_the_refusal_of_another_search_names_the_way_to_fork():
    store = first_search(2)
    with pytest.raises(OtherSearchError, match=r"seed: 0 is stored.*\n.*fork="):
        search(pairs, "random", Measured(), seed=1, store=store, max_trials=3)


def test_an_endless_searcher_may_propose_again_what_was_taken_over_and_is_answered():
    class Again(RandomSearcher):
        def tell(self, trial):
            pass

    history = forked(first_search(5), searcher=Again, seed=0, max_trials=2)
    answered = [t for t in history if t.answered_by is not None]
    assert [t.answered_by for t in answered] == [1, 2, 3, 4, 5]
    assert history.n_evaluated == 2
