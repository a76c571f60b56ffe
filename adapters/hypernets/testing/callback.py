"""The laws of the `Callback` port."""

import contextlib
import io
from typing import Any

import structlog.testing

from hypernets.application import Search
from hypernets.application.port import Clock, TrialContext
from hypernets.domain.error import BuildError
from hypernets.domain.searchers import RandomSearcher
from hypernets.testing.clock import JumpingClock
from hypernets.testing.example import infinite_space
from hypernets.testing.law import Suite

__all__ = ["CallbackSuite"]


class CallbackSuite(Suite):
    """What every callback must do. Subclass it, and say how callbacks are made."""

    def make(self) -> Any:
        """Return a callback: an object with some methods of `Callback`."""
        raise NotImplementedError("a suite must say how its callbacks are made: define make()")

    def test_it_lives_through_trials_of_every_kind(self) -> None:
        """Good ones, failed ones, and those without a reward that is a number."""
        assert _watched(self.make())[1] == []

    def test_the_search_is_the_same_with_it_and_without(self) -> None:
        """It watches, and changes nothing."""
        assert _watched(self.make())[0] == _watched()[0]

    def test_one_object_serves_several_searches(self) -> None:
        """One after the other."""
        callback = self.make()
        assert [_watched(callback)[1] for _ in range(2)] == [[], []]

    def test_it_lives_through_a_clock_that_jumps(self) -> None:
        """Trials that take a day, no time, or less."""
        assert _watched(self.make(), clock=JumpingClock())[1] == []


class _Still:
    def now(self) -> float:
        return 0.0


def _estimate(architecture: Any, context: TrialContext) -> dict[str, float]:
    units = architecture.decisions["units"]
    context.report(1, {"loss": float(units)})
    if units == 2:
        raise BuildError("too deep")
    return {"accuracy": float("nan") if units == 4 else units / 8}


def _watched(*callbacks: Any, clock: Clock | None = None) -> tuple[list[Any], list[Any]]:
    """Return the records of a search that was watched, and what it complained of."""
    searcher = RandomSearcher(infinite_space, seed=0)
    watching = Search(searcher, _estimate, callbacks=callbacks, clock=clock or _Still())
    quiet = io.StringIO()
    with structlog.testing.capture_logs() as logs, contextlib.redirect_stdout(quiet):
        history = watching.run(max_trials=12)
    records = [(t.number, dict(t.decisions), repr(t.objectives), t.state) for t in history]
    warnings = [log for log in logs if log["log_level"] in ("warning", "error")]
    return records, [log for log in warnings if log["event"] != "trial failed"]
