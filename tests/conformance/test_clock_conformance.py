"""The laws of the `Clock` port, held against every clock, and against broken ones."""

import pytest

from hypernets.application.in_process import SystemClock
from hypernets.testing import ClockSuite, JumpingClock, broken_laws


class TestSystemClock(ClockSuite):
    def make(self):
        return SystemClock()


class Spoken:
    def now(self):
        return "a quarter past three"


class Stopped:
    pass


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (JumpingClock, "it_never_goes_back"),
        (Spoken, "it_tells_seconds_as_a_number"),
        (Stopped, "it_has_the_methods_of_the_port"),
    ],
)
def test_a_broken_clock_is_found_out(broken, law):
    class Suite(ClockSuite):
        def make(self):
            return broken()

    assert law in broken_laws(Suite)
