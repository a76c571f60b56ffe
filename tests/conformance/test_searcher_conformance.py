"""The laws of the `Searcher` port, held against every searcher, and against broken ones."""

import math
import random

import pytest

from hypernets.application import make_searcher
from hypernets.domain.error import HypernetsError, SearchExhausted
from hypernets.domain.history import Direction, History, Trial, TrialState
from hypernets.domain.searchers import (
    TPE,
    Constrained,
    Deduplicating,
    LocalSearch,
    RandomSearcher,
    RegularizedEvolution,
    Strategy,
    WarmStart,
)
from hypernets.domain.searchers.wrapper.replicating import ReplicatingSearcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule
from hypernets.testing import SearcherSuite, infinite_space, laws


class TestRandomSearcher(SearcherSuite):
    def make(self, space, seed):
        return RandomSearcher(space, "max", seed)


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def wide_space():
    """Return a finite space of 1,296 architectures."""
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)}, name="in")
        for number in range(4):
            x = Dense({"units": Choice([1, 2, 4, 8, 16, 32], name=f"units{number}")})(x)
    return space


class TestGrid(SearcherSuite):
    wide_space = staticmethod(wide_space)

    def make(self, space, seed):
        return make_searcher("grid", space, seed=seed, resolution=40)


class TestExhaustive(SearcherSuite):
    wide_space = staticmethod(wide_space)
    finite_only = True

    def make(self, space, seed):
        return make_searcher("exhaustive", space, seed=seed)


class TestPlayback(SearcherSuite):
    def make(self, space, seed):
        random_one = RandomSearcher(space, "max", seed)
        trials = []
        for number in range(1, 101):
            try:
                architecture = random_one.ask()
            except SearchExhausted:
                break
            values = architecture.decisions, architecture.signature, TrialState.COMPLETED
            trials.append(Trial(number, *values, {"reward": float(number)}))
        history = History({"reward": Direction.MAX}, trials)
        return make_searcher("playback", random_one.space, history=history)


class TestQuasiRandom(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("quasi_random", space, seed=seed)


class TestLargestFirst(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("largest_first", space, seed=seed, pool=500)


class TestCheapestFirst(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("cheapest_first", space, seed=seed, pool=500)


class TestRegularizedEvolution(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("evolution", space, seed=seed, n_initial=5)


class TestRegularizedEvolutionWithCrossover(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("evolution", space, seed=seed, n_initial=5, crossover_rate=0.5)


class TestLocalSearch(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("local_search", space, seed=seed, n_initial=3)


class TestLocalSearchToTheBest(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("local_search", space, seed=seed, n_initial=3, first_improvement=False)


class TestBayesianOptimization(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("bayesian", space, seed=seed, n_initial=5)


class TestAlphaX(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("alphax", space, seed=seed, n_initial=5)


class TestPolicyGradient(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("policy_gradient", space, seed=seed, policy="lstm", batch_size=5)


class TestPolicyGradientOfATable(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("policy_gradient", space, seed=seed, policy="table", batch_size=5)


class TestReinforce(SearcherSuite):
    def make(self, space, seed):
        options = {"update": "reinforce", "n_best": 0, "batch_size": 5}
        return make_searcher("policy_gradient", space, seed=seed, **options)


class TestNSGA2(SearcherSuite):
    def make(self, space, seed):
        objectives = {"reward": "max", "depth": "min"}
        return make_searcher("nsga2", space, seed=seed, objectives=objectives, n_initial=5)


class TestTPE(SearcherSuite):
    def make(self, space, seed):
        return make_searcher("tpe", space, seed=seed, n_initial=5)


class TestParEGO(SearcherSuite):
    def make(self, space, seed):
        objectives = {"reward": "max", "depth": "min"}
        return make_searcher("parego", space, seed=seed, objectives=objectives, n_initial=5)


class TestPortfolio(SearcherSuite):
    def make(self, space, seed):
        members = {"evolution": RegularizedEvolution, "local": LocalSearch, "tpe": TPE}
        return make_searcher("portfolio", space, seed=seed, members=members)


class TestDeduplicating(SearcherSuite):
    def make(self, space, seed):
        return Deduplicating(RegularizedEvolution(space, "max", seed, n_initial=5))


class TestConstrained(SearcherSuite):
    def make(self, space, seed):
        return Constrained(RegularizedEvolution(space, "max", seed, n_initial=5), lambda _: True)


class TestWarmStart(SearcherSuite):
    def make(self, space, seed):
        searcher = RegularizedEvolution(space, "max", seed, n_initial=5)
        trials = []
        for number in range(1, 4):
            try:
                architecture = RandomSearcher(searcher.space, "max", number).ask()
            except SearchExhausted:
                break
            values = architecture.decisions, architecture.signature, TrialState.COMPLETED
            trials.append(Trial(number, *values, {"reward": float(number)}))
        return WarmStart(searcher, History({"reward": Direction.MAX}, trials))


class TestReplicatingSearcher(SearcherSuite):
    def make(self, space, seed):
        return ReplicatingSearcher(RandomSearcher(space, "max", seed), 3)


# --- broken ones ---------------------------------------------------------------


class Broken:
    def __init__(self, space, seed):
        self.inner = RandomSearcher(space, "max", seed)

    def ask(self):
        return self.inner.ask()

    def tell(self, trial):
        self.inner.tell(trial)


class Mute:
    def __init__(self, space, seed):
        self.ask = RandomSearcher(space, "max", seed).ask


class Unseeded(Broken):
    def __init__(self, space, seed):
        super().__init__(space, None)


class Astray(Broken):
    def ask(self):
        return infinite_space().sample(1)


class Fragile(Broken):
    def tell(self, trial):
        if trial.failure:
            raise ValueError("a failed trial was not accepted")


class Endless(Broken):
    def __init__(self, space, seed):
        super().__init__(space, seed)
        self.rng = random.Random(seed)  # noqa: S311 - no secret

    def ask(self):
        return self.inner.space.sample(self.rng)


class Restless(Strategy):
    """Wants fourty mutations that are new, and finds none where there are few."""

    def __init__(self, space, seed):
        super().__init__(space, "max", seed)

    def ask(self):
        answer = super().ask()
        if not answer.architecture.active:
            raise IndexError("list index out of range")
        return answer


class Trusting(Broken):
    def tell(self, trial):
        if trial.reward is None or not math.isfinite(trial.reward):
            raise ValueError("cannot convert float NaN to integer")


class Hasty(Broken):
    def __init__(self, space, seed):
        super().__init__(space, seed)
        self.n_pending = 0

    def ask(self):
        self.n_pending += 1
        if self.n_pending > 32:
            raise RuntimeError("no worker is free")
        return super().ask()

    def tell(self, trial):
        self.n_pending -= 1


BROKEN = [
    (Restless, "awkward_spaces_are_searched"),
    (Trusting, "it_goes_on_whatever_the_rewards"),
    (Hasty, "fifty_may_be_pending"),
    (Mute, "it_has_the_methods_of_the_port"),
    (Unseeded, "it_is_deterministic_in_seed_and_interleaving"),
    (Astray, "every_answer_lies_in_its_space"),
    (Fragile, "it_accepts_trials_in_every_state"),
    (Endless, "a_finite_space_ends"),
    (Endless, "what_is_pending_is_not_proposed_again"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN)
def test_a_broken_searcher_is_found_out(broken, law):
    class Suite(SearcherSuite):
        def make(self, space, seed):
            return broken(space, seed)

    with pytest.raises((AssertionError, HypernetsError, RuntimeError, IndexError)):
        getattr(Suite(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(SearcherSuite))
