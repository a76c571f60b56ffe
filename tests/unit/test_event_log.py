"""The engine is quiet unless the program listens."""

import logging
import subprocess
import sys

import structlog.testing

from hypernets.application.log import EventLog

FAILING_SEARCH = """
from hypernets.application import search
from hypernets.core.search_space import Choice, HyperSpace

space = HyperSpace()
with space.as_default():
    space.set_training(a=Choice([1, 2, 3]))

def estimate(architecture):
    if architecture.training["a"] == 2:
        raise RuntimeError("this one fails")
    return 1.0

search(space, "random", estimate, max_trials=3, seed=0)
"""


def test_a_search_with_a_failing_trial_prints_nothing():
    done = subprocess.run(
        [sys.executable, "-c", FAILING_SEARCH], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert done.stderr == ""


def test_an_event_reaches_the_standard_logger_of_its_module(caplog):
    structlog.reset_defaults()
    with caplog.at_level(logging.WARNING, logger="hypernets.somewhere"):
        EventLog("hypernets.somewhere").warning("trial failed", number=7)
    (record,) = caplog.records
    assert record.getMessage() == "trial failed"
    assert record.number == 7


def test_an_event_goes_through_structlog_where_that_is_configured():
    with structlog.testing.capture_logs() as events:
        EventLog("hypernets.somewhere").warning("trial failed", number=7)
    assert events == [{"event": "trial failed", "log_level": "warning", "number": 7}]


def test_a_history_keeps_no_graphs():
    from hypernets.application import search
    from hypernets.core.search_space import Choice, HyperSpace
    from hypernets.frameworks.keras.layers import Dense, Input

    space = HyperSpace()
    with space.as_default():
        Dense(units=Choice([1, 2, 3]))(Input(shape=2))

    history = search(space, "random", lambda a: len(a.graph), max_trials=3, seed=0)

    for trial in history:
        assert "graph" not in vars(trial.architecture)
        assert len(trial.architecture.graph) == 2


def test_everything_that_happens_in_a_search_is_an_event():
    from hypernets.application import search
    from hypernets.domain.space import Choice, Dynamic, HyperSpace, LayerModule

    class Input(LayerModule):
        is_input = True

    class Dense(LayerModule):
        pass

    space = HyperSpace()
    with space.as_default():
        a, b = Choice([1, 2], name="a"), Choice([1, 2], name="b")
        Dense({"units": Dynamic(lambda a, b: a + b, a=a, b=b)})(Input({"shape": (4,)}))

    def estimate(architecture):
        total = sum(architecture.decisions.values())
        return 1 / 0 if total == 4 else total

    with structlog.testing.capture_logs() as events:
        history = search(space, "random", estimate, seed=0)
    named = [event["event"] for event in events]
    assert (named[0], named[-1]) == ("search began", "search ended")
    counts = {name: named.count(name) for name in set(named)}
    assert counts == {
        "search began": 1,
        "trial began": 3,
        "trial ended": 2,
        "trial failed": 1,
        "trial answered": 1,
        "search ended": 1,
    }
    assert events[-1]["reason"] == "exhausted"
    ended = [event for event in events if event["event"] == "trial ended"]
    measured = [trial for trial in history if trial.evaluated and trial.succeeded]
    assert [event["reward"] for event in ended] == [trial.reward for trial in measured]


def test_events_below_the_level_of_the_logger_cost_no_record(caplog):
    structlog.reset_defaults()
    with caplog.at_level(logging.WARNING, logger="hypernets.somewhere"):
        log = EventLog("hypernets.somewhere")
        log.debug("unseen")
        log.info("unseen")
        log.warning("seen")
    assert [record.message for record in caplog.records] == ["seen"]
