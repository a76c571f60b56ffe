"""When a search ends."""

import math

import pytest
import structlog.testing

from hypernets.application import Budget, EndReason, Search, search
from hypernets.domain.error import SearchError
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule, Real


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class Hand:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.time_s = 100.0

    def now(self):
        return self.time_s


def space_of(parameter):
    space = HyperSpace()
    with space.as_default():
        Dense({"units": parameter(space)})(Input({"shape": (4,)}, name="in"))
    return space


def thirty():
    return space_of(lambda space: Choice(range(30), name="units", space=space))


def run_of(rewards, clock=None, seconds=1.0, direction="max"):
    """Return a search whose trials earn these rewards, one after the other."""
    clock = clock or Hand()
    coming = iter(rewards)

    def estimate(_):
        clock.time_s += seconds
        return next(coming)

    return Search(RandomSearcher(thirty(), direction, seed=0), estimate, clock=clock)


def test_max_trials_is_what_the_history_is_to_hold():
    run = run_of(range(30))
    assert len(run.run(max_trials=4)) == 4
    assert run.end_reason is EndReason.MAX_TRIALS
    assert len(run.run(max_trials=4)) == 4
    assert len(run.run(6)) == 6


def test_no_trial_begins_after_max_time():
    run = run_of(range(30), seconds=10.0)
    assert len(run.run(max_time_s=25)) == 3
    assert run.end_reason is EndReason.MAX_TIME
    assert [t.elapsed_s for t in run.history] == [10.0] * 3
    assert len(run.run(max_time_s=25)) == 6  # the time is that of one run


@pytest.mark.parametrize(
    ("direction", "target", "n"), [("max", 0.7, 3), ("min", 0.1, 5), ("max", 0.2, 1)]
)
def test_the_target_is_reached_in_the_direction_of_the_search(direction, target, n):
    run = run_of([0.2, 0.3, 0.7, 0.9, 0.1, 0.5], direction=direction)
    assert len(run.run(target_reward=target)) == n
    assert run.end_reason is EndReason.TARGET_REWARD


def test_patience_counts_the_trials_since_the_best():
    run = run_of([0.1, 0.5, 0.4, 0.5, 0.6, 0.2, 0.3, 0.6, 0.9])
    assert len(run.run(patience=3)) == 8
    assert run.end_reason is EndReason.PATIENCE


def test_a_finite_space_needs_no_limit_and_ends_when_it_is_used_up():
    run = run_of(range(30))
    assert len(run.run()) == 30
    assert run.end_reason is EndReason.EXHAUSTED


def test_an_infinite_space_needs_a_limit():
    space = space_of(lambda space: Real(0.0, 1.0, space=space))
    with pytest.raises(SearchError, match=r"at least one of max_trials.*received none; write"):
        search(space, estimate=lambda a: 1)


@pytest.mark.parametrize(
    "name",
    ["max_trials", "patience", "max_failures", "max_consecutive_failures", "max_total_failures"],
)
@pytest.mark.parametrize("value", [0, -3, 1.5, True, "10", math.inf])
def test_a_count_must_be_at_least_one(name, value):
    with pytest.raises(SearchError, match=rf"{name} must be .*>= 1; received .*; write {name}=10"):
        search(thirty(), estimate=lambda a: 1, **{name: value})


def test_the_message_of_a_wrong_count_has_its_four_parts():
    with pytest.raises(SearchError, match=r"^max_trials must be >= 1; received 0; write max_tri"):
        search(thirty(), estimate=lambda a: 1, max_trials=0)


@pytest.mark.parametrize("value", [0, -1.0, math.nan, "60", True])
def test_a_time_must_be_positive(value):
    with pytest.raises(SearchError, match=r"max_time_s must be > 0, in seconds; received"):
        Budget(max_time_s=value)


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.9", True])
def test_a_target_must_be_finite(value):
    with pytest.raises(SearchError, match=r"target_reward must be a finite number; received"):
        Budget(target_reward=value)


def test_a_search_that_was_stopped_by_its_limits_says_by_which_first():
    run = run_of([0.5] * 30)
    run.run(max_trials=5, patience=2)
    assert (run.end_reason, len(run.history)) == (EndReason.PATIENCE, 3)


# --- failures ------------------------------------------------------------------------


def run_of_outcomes(pattern):
    """Return a search whose trials succeed where the pattern has a dot, and fail elsewhere."""
    coming = iter(pattern)

    def estimate(_):
        if next(coming) != ".":
            raise ValueError("no")
        return 1.0

    return Search(RandomSearcher(thirty(), seed=0), estimate, clock=Hand())


def test_failures_in_a_row_end_a_search_whatever_came_before():
    run = run_of_outcomes("..xx.xxx......")
    history = run.run(max_consecutive_failures=3)
    assert (len(history), run.end_reason) == (8, EndReason.FAILING)
    assert history.best is not None
    assert history.n_failed_in_a_row == 3


def test_failures_in_all_end_a_search():
    run = run_of_outcomes(".x.x.x.x.x....")
    assert len(run.run(max_total_failures=3)) == 6
    assert run.end_reason is EndReason.FAILING


def test_a_search_that_ends_for_its_failures_says_which_and_how_many():
    with structlog.testing.capture_logs() as events:
        run_of_outcomes(".xxx").run(max_consecutive_failures=3)
    (event,) = [e for e in events if e["event"].startswith("too many trials failed")]
    assert (event["n_evaluated"], event["n_failed"], event["n_failed_in_a_row"]) == (4, 3, 3)
    assert event["most_often"] == "ValueError: no (3 times)"


def test_a_hundred_failures_in_a_row_end_a_search_unless_it_is_told_otherwise():
    space = space_of(lambda space: Choice(range(150), name="units", space=space))

    def run(**limits):
        coming = iter("." + "x" * 149)

        def estimate(_):
            if next(coming) != ".":
                raise ValueError
            return 1.0

        return len(search(space, estimate=estimate, seed=0, **limits))

    assert run() == 101
    assert run(max_consecutive_failures=None) == 150
