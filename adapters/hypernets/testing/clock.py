"""The laws of the `Clock` port, and a clock that breaks them."""

from collections.abc import Sequence

from hypernets.application.port import Clock
from hypernets.testing.law import Suite

__all__ = ["ClockSuite", "JumpingClock"]


class ClockSuite(Suite):
    """What every clock must do. Subclass it, and say how clocks are made."""

    def make(self) -> Clock:
        """Return a clock."""
        raise NotImplementedError("a suite must say how its clocks are made: define make()")

    def test_it_has_the_methods_of_the_port(self) -> None:
        """Every method of the protocol is there."""
        assert isinstance(self.make(), Clock)

    def test_it_tells_seconds_as_a_number(self) -> None:
        """A float, or what counts as one."""
        assert isinstance(self.make().now(), (float, int))

    def test_it_never_goes_back(self) -> None:
        """A thousand readings in order."""
        clock = self.make()
        readings = [clock.now() for _ in range(1_000)]
        assert readings == sorted(readings)


class JumpingClock:
    """A clock as a machine has whose time is set while it runs: forth, back, and standing still.

    Args:
        steps_s: what is added at each reading, over and over.
    """

    def __init__(self, steps_s: Sequence[float] = (1.0, 86_400.0, 0.0, -90_000.0, 0.5)) -> None:
        self._steps_s = tuple(steps_s)
        self._n_read = 0
        self._now_s = 0.0

    def now(self) -> float:
        """Return the time in seconds."""
        self._now_s += self._steps_s[self._n_read % len(self._steps_s)]
        self._n_read += 1
        return self._now_s
