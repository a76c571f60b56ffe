"""The laws of the `Estimator` port, held against an estimator, and against broken ones."""

import itertools

import pytest

from hypernets.application.port import Measurement
from hypernets.domain.error import BuildError, HypernetsError
from hypernets.testing import EstimatorSuite, infinite_space, laws

SPACE = infinite_space()


class Sound:
    def estimate(self, architecture, context):
        if architecture == "wrong":
            raise BuildError("no layers")
        for step in range(1, 4):
            if context.report(step, {"loss": 1 / step}):
                break
        return Measurement({"reward": context.seed / 10}, details={"step": step, "size": (1, 2)})


class Suite(EstimatorSuite):
    def architecture(self):
        return SPACE.sample(0)

    def wrong_architecture(self):
        return "wrong"


class TestSound(Suite):
    def make(self):
        return Sound()


# --- broken ones ---------------------------------------------------------------


class Half:
    pass


class Empty:
    def estimate(self, architecture, context):
        return Measurement({})


class Counting(Sound):
    n = itertools.count()

    def estimate(self, architecture, context):
        return Measurement({"reward": next(self.n)})


class Backward(Sound):
    def estimate(self, architecture, context):
        for step in (2, 1):
            context.report(step, {"loss": 1.0})
        return Measurement({"reward": 1.0})


class Cyclic(Sound):
    def estimate(self, architecture, context):
        details = {}
        details["self"] = details
        return Measurement({"reward": 1.0}, details=details)


class Undaunted(Sound):
    def estimate(self, architecture, context):
        return Measurement({"reward": 1.0})


class Meddling(Sound):
    def estimate(self, architecture, context):
        architecture.graph.nodes[1].arguments["units"] = 3
        return super().estimate(architecture, context)


BROKEN = [
    (Half, "it_has_the_methods_of_the_port"),
    (Empty, "what_it_measures_is_numbers_by_name"),
    (Counting, "the_same_seed_gives_the_same_value"),
    (Backward, "reports_come_in_the_order_of_their_steps"),
    (Backward, "it_ends_where_it_is_told_to_stop"),
    (Meddling, "it_does_not_change_the_architecture"),
    (Cyclic, "details_can_be_kept"),
    (Undaunted, "what_cannot_be_built_is_a_failed_trial_and_the_next_one_is_measured"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN)
def test_a_broken_estimator_is_found_out(broken, law):
    class Broken(Suite):
        def make(self):
            return broken()

    with pytest.raises((AssertionError, HypernetsError)):
        getattr(Broken(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(EstimatorSuite))
