"""The laws of the `Clock` port, held against every clock, and against broken ones."""

import pytest

from hypernets.application.in_process import SystemClock
from hypernets.domain.error import HypernetsError
from hypernets.testing import ClockSuite, JumpingClock, laws


class TestSystemClock(ClockSuite):
    def make(self):
        return SystemClock()


class Spoken:
    def now(self):
        return "a quarter past three"


class Stopped:
    pass


BROKEN = [
    (JumpingClock, "it_never_goes_back"),
    (Spoken, "it_tells_seconds_as_a_number"),
    (Stopped, "it_has_the_methods_of_the_port"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN)
def test_a_broken_clock_is_found_out(broken, law):
    class Suite(ClockSuite):
        def make(self):
            return broken()

    with pytest.raises((AssertionError, HypernetsError)):
        getattr(Suite(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(ClockSuite))
