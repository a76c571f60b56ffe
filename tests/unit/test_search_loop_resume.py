"""A search that goes on from a store, and one with several workers."""

import attrs
import numpy as np
import pytest

from hypernets.application import InlineExecutor, MemoryStore, Search, search
from hypernets.application.in_process.attempt import attempt
from hypernets.application.port import Proposal
from hypernets.domain.error import CorruptStoreError, OtherSearchError, SearchError
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, Dynamic, HyperSpace, LayerModule


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


class Climber:
    """A searcher whose proposals depend on everything that it has been told, and when."""

    def __init__(self, space, seed=0):
        self.space, self.rng, self.best = space, np.random.default_rng(seed), None

    def ask(self):
        if self.best is None or self.rng.random() < 0.5:
            return self.space.sample(self.rng)
        decisions = dict(self.best.decisions)
        decisions["a"] = 1 + (decisions["a"] + len(self.best.decisions)) % 9
        return self.space.architecture(decisions)

    def tell(self, trial):
        if self.best is None or (trial.reward or 0) > self.best.reward:
            self.best = trial


class Anew(Climber):
    """Wants to be asked again instead of being told what is known."""

    def ask(self):
        return Proposal(super().ask(), if_known="propose_anew")


class Lifo:
    """Finishes the youngest job first, one at a time, when the workers are full."""

    def __init__(self):
        self.jobs = []

    def submit(self, job, report):
        self.jobs.append((job, report))
        return job.number

    def completed(self, timeout_s=None):
        if not self.jobs:
            return
        job, report = self.jobs.pop()
        yield attempt(job, report, job.number)

    def cancel(self, ticket):
        self.jobs = [(job, report) for job, report in self.jobs if job.number != ticket]


def sums():
    space = HyperSpace()
    with space.as_default():
        a, b = Choice(range(1, 10), name="a"), Choice(range(1, 10), name="b")
        total = Dynamic(lambda a, b: a + b, a=a, b=b)
        Dense({"units": total})(Input({"shape": (4,)}, name="in"))
    return space


def estimate(architecture):
    a, b = architecture.decisions.values()
    if b == 4:
        raise ValueError("four")
    return a * b % 11


def climb(store, max_trials=12, make=Climber):
    return Search(make(sums()), estimate, store=store, seed=5, clock=Still()).run(max_trials)


def climb_anew(store):
    return climb(store, make=Anew)


def drawn(store, max_trials=12):
    searcher = RandomSearcher(sums(), seed=5)
    return Search(searcher, estimate, store=store, clock=Still()).run(max_trials)


def records(history):
    # A traceback names the lines of the call, which differ between a first and a second run.
    return [attrs.evolve(t, failure=t.failure and t.failure.message) for t in history]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("run", [climb, climb_anew, drawn])
def test_killed_at_any_trial_and_resumed_it_ends_with_the_same_history(run, after):
    whole = run(MemoryStore())
    assert any(t.answered_by or t.dropped for t in whole)
    for n_kept in range(len(whole)):
        store = KilledStore(n_kept, after)
        with pytest.raises(Kill):
            run(store)
        store.n_kept = 10_000
        resumed = run(store)
        assert records(resumed) == records(whole)
        assert records(store.load()) == records(whole)


def test_a_resumed_history_has_its_architectures_again():
    store = KilledStore(3, after=True)
    with pytest.raises(Kill):
        climb(store)
    assert store.load()[0].architecture is None
    store.n_kept = 10_000
    resumed = climb(store)
    assert all(dict(t.architecture.decisions) == dict(t.decisions) for t in resumed)


def test_a_finished_search_is_not_gone_on_with():
    store = MemoryStore()
    first = climb(store)
    calls = []

    class Spy(InlineExecutor):
        def submit(self, job, report):
            calls.append(job)

    again = Search(Climber(sums()), estimate, store=store, seed=5, executor=Spy()).run(12)
    assert calls == []
    assert records(again) == records(first)


def test_the_history_of_another_search_is_refused():
    store = MemoryStore()
    search(sums, estimate=estimate, seed=0, store=store, max_trials=5)
    with pytest.raises(OtherSearchError, match="seed: 0 is stored, 1 was given"):
        search(sums, estimate=estimate, seed=1, store=store, max_trials=9)
    with pytest.raises(OtherSearchError, match=r"len' was given"):
        search(sums, estimate=len, seed=0, store=store, max_trials=9)


def test_without_a_seed_a_search_takes_that_of_its_store():
    def run(store, max_trials, seed=None):
        options = {"store": store, "max_trials": max_trials, "seed": seed, "clock": Still()}
        return records(search(sums, estimate=estimate, **options))

    store = MemoryStore()
    first = run(store, 5)
    again = run(store, 9)
    assert again[: len(first)] == first
    assert run(MemoryStore(), 9, seed=store.identity.seed) == again


def test_the_seed_of_a_search_is_that_of_a_searcher_without_one():
    def decisions(searcher):
        return [t.decisions for t in Search(searcher, estimate, seed=3).run(max_trials=6)]

    assert decisions(RandomSearcher(sums)) == decisions(RandomSearcher(sums, seed=3))
    assert decisions(RandomSearcher(sums, seed=4)) != decisions(RandomSearcher(sums, seed=3))


def test_a_searcher_that_keeps_another_seed_to_itself_is_found_out():
    store = MemoryStore()
    Search(Climber(sums()), estimate, store=store, seed=5).run(max_trials=5)

    class Other(Climber):
        def ask(self):
            super().ask()
            return super().ask()

    Other.__name__ = "Climber"
    with pytest.raises(SearchError, match=r"store: .*must be those of that history; received a s"):
        Search(Other(sums()), estimate, store=store, seed=5).run(max_trials=9)


def test_a_space_that_ends_before_the_history_does_is_refused():
    store = MemoryStore()
    search(sums, estimate=estimate, seed=0, store=store, max_trials=5)

    def one():
        space = HyperSpace()
        with space.as_default():
            Dense({"units": 3})(Input({"shape": (4,)}, name="in"))
        return space

    with pytest.raises(OtherSearchError, match=r"space: .*is stored"):
        search(one, estimate=estimate, seed=0, store=store)


# --- several workers ----------------------------------------------------------------


def in_parallel(store, searcher=None, measured=None, max_trials=30):
    def measure(architecture):
        if measured is not None:
            measured.append(architecture.signature)
        return estimate(architecture)

    return Search(
        searcher or RandomSearcher(sums(), seed=5),
        measure,
        store=store,
        executor=Lifo(),
        n_workers=3,
        clock=Still(),
    ).run(max_trials)


def test_with_several_workers_no_network_is_measured_twice_even_while_it_is_running():
    measured = []
    history = in_parallel(MemoryStore(), measured=measured)
    assert len(measured) == len(set(measured)) == history.n_evaluated


def test_with_several_workers_max_trials_is_not_exceeded():
    assert in_parallel(MemoryStore(), max_trials=7).n_evaluated == 7


def test_the_order_of_tells_is_kept_and_says_when_each_was_asked_for():
    history = in_parallel(MemoryStore(), max_trials=7)
    assert [t.number for t in history] != sorted(t.number for t in history)
    for n_told, trial in enumerate(history):
        assert trial.asked_after <= n_told


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("make", [Climber, lambda space: RandomSearcher(space, seed=5)])
def test_killed_with_several_running_it_makes_the_same_proposals_under_their_numbers(make, after):
    whole = in_parallel(MemoryStore(), make(sums()), max_trials=12)
    proposals = {t.number: (t.decisions, t.asked_after) for t in whole}
    for n_kept in range(len(whole)):
        store = KilledStore(n_kept, after)
        with pytest.raises(Kill):
            in_parallel(store, make(sums()), max_trials=12)
        kept = list(store.load())
        known = {t.number for t in kept} | {number for t in kept for number, _ in t.pending}
        store.n_kept = 10_000
        resumed = in_parallel(store, make(sums()), max_trials=12)
        assert resumed.n_evaluated == 12
        assert sorted(t.number for t in resumed) == list(range(1, len(resumed) + 1))
        assert records(resumed[: len(kept)]) == records(kept)
        again = {t.number: (t.decisions, t.asked_after) for t in resumed if t.number in known}
        assert again == {number: proposals[number] for number in known}


@pytest.mark.parametrize("after", [False, True])
def test_killed_with_several_running_it_drops_again_what_it_has_dropped(after):
    whole = in_parallel(MemoryStore(), Anew(sums()), max_trials=12)
    assert len({n for t in whole for n in t.dropped}) > 1
    for n_kept in range(len(whole)):
        store = KilledStore(n_kept, after)
        with pytest.raises(Kill):
            in_parallel(store, Anew(sums()), max_trials=12)
        kept = list(store.load())
        store.n_kept = 10_000
        measured = []
        resumed = in_parallel(store, Anew(sums()), measured, max_trials=12)
        assert records(resumed[: len(kept)]) == records(kept)
        assert sorted(t.number for t in resumed) == list(range(1, 13))
        assert len({t.signature for t in resumed}) == 12
        assert len(measured) == 12 - len(kept)
        asks = {t.number: (*t.dropped, t.asked_after) for t in resumed}
        for number, asked_after, *dropped in kept[-1].pending if kept else ():
            made = (*dropped, asked_after)
            assert asks[number][: len(made)] == made


def test_a_search_that_has_dropped_proposals_goes_on_from_its_end_as_it_would_have():
    def run(store, *max_trials):
        executor, searcher = Lifo(), Anew(sums())
        search = Search(
            searcher, estimate, store=store, executor=executor, n_workers=3, clock=Still(), seed=1
        )
        return [search.run(n) for n in max_trials][-1]

    for n in range(1, 12):
        store = MemoryStore()
        run(store, n)
        assert records(run(store, 14)) == records(run(MemoryStore(), n, 14))


def test_records_that_contradict_each_other_are_refused():
    store = MemoryStore()
    for trial in climb(MemoryStore(), max_trials=3):
        store.append(attrs.evolve(trial, asked_after=trial.asked_after + 1))
    with pytest.raises(
        CorruptStoreError, match="received trial 1, asked for after 1 tells, as tell"
    ):
        climb(store)
