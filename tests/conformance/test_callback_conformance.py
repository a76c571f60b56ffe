"""The laws of the `Callback` port, held against every callback, and against broken ones."""

import pytest

from hypernets.adapters.callback import Callback, ProgressCallback, SummaryCallback
from hypernets.domain.error import HypernetsError
from hypernets.testing import CallbackSuite, laws


class Counter:
    """Has some of the methods only."""

    def __init__(self):
        self.n_ended = 0

    def on_search_begin(self, search):
        self.n_ended = 0

    def on_trial_end(self, trial, improved):
        self.n_ended += 1


class TestCounter(CallbackSuite):
    def make(self):
        return Counter()


class TestNoCallback(CallbackSuite):
    def make(self):
        return Callback()


class TestSummaryCallback(CallbackSuite):
    def make(self):
        return SummaryCallback()


class TestProgressCallback(CallbackSuite):
    def make(self):
        return ProgressCallback()


# --- broken ones ---------------------------------------------------------------


class Optimist:
    """Formats a reward that failed trials do not have."""

    def on_trial_end(self, trial, improved):
        format(trial.reward, ".3f")


class Meddler:
    def on_trial_end(self, trial, improved):
        trial.objectives["accuracy"] = 1.0


class Steering:
    """Reaches into the search, which it must not."""

    def on_search_begin(self, search):
        self.search = search

    def on_trial_begin(self, number, architecture):
        self.search.searcher.ask()


class Once:
    def __init__(self):
        self.begun = False

    def on_search_begin(self, search):
        assert not self.begun
        self.begun = True


class Impatient:
    """Reckons how many trials a second there are."""

    def on_trial_end(self, trial, improved):
        if trial.number > 1 and trial.elapsed_s < 0:
            raise ValueError("time went back")


BROKEN = [
    (Optimist, "it_lives_through_trials_of_every_kind"),
    (Meddler, "it_lives_through_trials_of_every_kind"),
    (Steering, "the_search_is_the_same_with_it_and_without"),
    (Once, "one_object_serves_several_searches"),
    (Impatient, "it_lives_through_a_clock_that_jumps"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN)
def test_a_broken_callback_is_found_out(broken, law):
    class Suite(CallbackSuite):
        def make(self):
            return broken()

    with pytest.raises((AssertionError, HypernetsError)):
        getattr(Suite(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(CallbackSuite))
