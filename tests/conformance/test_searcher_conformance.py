"""The laws of the `Searcher` port, held against every searcher, and against broken ones."""

import random

import pytest

from hypernets.domain.error import HypernetsError
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.searchers.replicating import ReplicatingSearcher
from hypernets.testing import SearcherSuite, infinite_space, laws


class TestRandomSearcher(SearcherSuite):
    def make(self, space, seed):
        return RandomSearcher(space, "max", seed)


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


BROKEN = [
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

    with pytest.raises((AssertionError, HypernetsError)):
        getattr(Suite(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(SearcherSuite))
