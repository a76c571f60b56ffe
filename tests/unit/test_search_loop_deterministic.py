"""With a lag, the trials do not depend on how many workers there are, nor on which is faster."""

import os
import subprocess
import sys

import attrs
import numpy as np
import pytest

from hypernets.application import EndReason, MemoryStore, search
from hypernets.application.in_process.attempt import attempt
from hypernets.application.loop.deterministic import DeterministicSearch
from hypernets.domain.error import SearchError
from hypernets.domain.searchers import Proposal, RandomSearcher
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
    """Kills once it has kept so many trials."""

    def __init__(self, n_kept):
        super().__init__()
        self.n_kept = n_kept

    def append(self, trial):
        super().append(attrs.evolve(trial, architecture=None))
        if len(self.load()) == self.n_kept:
            raise Kill


class Scrambled:
    """Runs jobs when the workers are full or asked for, in an order of its own."""

    def __init__(self, seed=0):
        self.rng, self.jobs = np.random.default_rng(seed), []

    def submit(self, job, report):
        self.jobs.append((job, report))
        return job.number

    def completed(self, timeout_s=None):
        if not self.jobs:
            return []
        some = self.rng.permutation(len(self.jobs))[: self.rng.integers(1, len(self.jobs) + 1)]
        picked = [self.jobs[i] for i in some]
        self.jobs = [each for i, each in enumerate(self.jobs) if i not in some]
        return [attempt(job, report, job.number) for job, report in picked]

    def cancel(self, ticket):
        self.jobs = [(job, report) for job, report in self.jobs if job.number != ticket]


class Climber:
    """A searcher whose proposals depend on everything that it has been told, and when."""

    def __init__(self, space, seed=0, if_known="answer"):
        self.space, self.rng, self.best = space, np.random.default_rng(seed), None
        self.if_known, self.log = if_known, []

    def ask(self):
        self.log.append("ask")
        if self.best is None or self.rng.random() < 0.5:
            return Proposal(self.space.sample(self.rng), if_known=self.if_known)
        decisions = dict(self.best.decisions)
        decisions["a"] = 1 + (decisions["a"] + len(self.best.decisions)) % 9
        return Proposal(self.space.architecture(decisions), if_known=self.if_known)

    def tell(self, trial):
        self.log.append(trial.number)
        if self.best is None or (trial.reward or 0) > self.best.reward:
            self.best = trial


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


def made(lag=3, n_workers=1, order=0, store=None, searcher=None):
    return DeterministicSearch(
        searcher or Climber(sums()),
        estimate,
        lag=lag,
        n_workers=n_workers,
        executor=Scrambled(order),
        store=store,
        seed=5,
        clock=Still(),
    )


def records(history):
    # A traceback names the lines of the call, which differ between a first and a second run.
    return [attrs.evolve(t, failure=t.failure and t.failure.message) for t in history]


LIMITS = [
    {"max_trials": 14},
    {"patience": 5},
    {"target_reward": 9.0},
    {"max_total_failures": 2, "max_known": 40},
]


@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("if_known", ["answer", "propose_anew"])
def test_the_trials_are_the_same_with_one_worker_and_with_several(limits, if_known):
    def run(n_workers, order=0):
        search = made(3, n_workers, order, searcher=Climber(sums(), if_known=if_known))
        return records(search.run(**limits)), search.end_reason

    whole = run(1)
    assert len(whole[0]) > 4
    for n_workers, order in [(1, 1), (2, 0), (2, 1), (3, 2), (3, 3)]:
        assert run(n_workers, order) == whole


def test_ask_k_follows_the_tells_up_to_k_less_the_lag_in_the_order_of_numbers():
    searcher = Climber(sums())
    made(3, 2, searcher=searcher).run(max_trials=6)
    assert searcher.log[:9] == ["ask", "ask", "ask", 1, "ask", 2, "ask", 3, "ask"]
    told = [entry for entry in searcher.log if entry != "ask"]
    assert told == list(range(1, len(told) + 1))


def test_several_workers_are_kept_busy():
    busy = []

    class Watching(Scrambled):
        def completed(self, timeout_s=None):
            busy.append(len(self.jobs))
            return super().completed(timeout_s)

    searcher = RandomSearcher(sums(), seed=1)
    search = DeterministicSearch(
        searcher, lambda a: a.decisions["a"], lag=4, n_workers=3, executor=Watching()
    )
    search.run(max_trials=12)
    assert max(busy) == 3
    assert busy.count(3) >= 3


@pytest.mark.parametrize("n_workers", [1, 3])
def test_killed_at_any_trial_and_resumed_it_ends_with_the_same_history(n_workers):
    whole = records(made().run(max_trials=12))
    for n_kept in range(1, len(whole)):
        store = KilledStore(n_kept)
        with pytest.raises(Kill):
            made(3, n_workers, n_kept, store).run(max_trials=12)
        store.n_kept = -1
        resumed = made(3, 4 - n_workers, n_kept + 1, store).run(max_trials=12)
        assert records(resumed) == whole
        assert records(store.load()) == whole


def test_run_on_in_parts_it_ends_with_the_same_history():
    whole = records(made().run(max_trials=12))
    search = made(n_workers=2)
    for n in (1, 2, 5, 9, 12):
        search.run(max_trials=n)
        assert search.history.n_evaluated == n
    assert records(search.history) == whole


def test_stopped_and_run_on_it_ends_with_the_same_history():
    whole = records(made().run(max_trials=12))
    search = made(n_workers=2)

    class Stop:
        def on_trial_end(self, trial, improved):
            if trial.number == 4:
                search.stop()

    search._announcer._callbacks.append(Stop())
    search.run(max_trials=12)
    assert search.end_reason is EndReason.STOPPED
    assert len(search.history) < len(whole)
    search.run(max_trials=12)
    assert records(search.history) == whole


def test_a_finite_space_is_used_up():
    history = search(
        sums(), "random", lambda a: a.decisions["a"], lag=4, n_workers=2, executor=Scrambled()
    )
    assert len(history) == 81
    assert [trial.number for trial in history] == list(range(1, 82))


def test_no_network_is_measured_twice_even_while_it_waits_for_its_turn():
    measured = []

    def measure(architecture):
        measured.append(architecture.signature)
        return 1.0

    searcher = Climber(sums())
    options = {"lag": 5, "n_workers": 3, "executor": Scrambled()}
    DeterministicSearch(searcher, measure, **options).run(max_trials=8)
    assert len(measured) == len(set(measured)) == 8


def test_a_store_of_another_lag_is_refused_and_the_message_says_which():
    store = MemoryStore()
    made(3, store=store).run(max_trials=8)
    expected = r"received lag=2 where trial 3, the 3\. one told, .*; give lag=3, leave it out if"
    with pytest.raises(SearchError, match=expected):
        made(2, store=store).run(max_trials=8)


@pytest.mark.parametrize("lag", [0, 1, True, 2.0, None])
def test_a_lag_that_would_leave_workers_idle_is_refused(lag):
    with pytest.raises(SearchError, match=r"lag must be an integer >= n_workers, which is 2; rec"):
        made(lag, 2)


PROGRAM = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("deterministic", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["deterministic"] = module
spec.loader.exec_module(module)
for trial in module.made(3, int(sys.argv[2]), int(sys.argv[3])).run(max_trials=14):
    print(trial.number, trial.asked_after, trial.seed, trial.signature, trial.decisions,
          trial.state.value, dict(trial.objectives), trial.answered_by, trial.pending)
"""


def test_the_same_seed_gives_the_same_table_in_another_process_with_another_hash_seed():
    def table(hash_seed, n_workers, order):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, __file__, str(n_workers), str(order)],
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = table(1, 1, 0)
    assert len(first.splitlines()) >= 14
    assert table(2, 1, 0) == first
    assert table(3, 2, 7) == first
