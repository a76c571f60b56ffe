"""What every shipped callback must do, held against one that counts, and against broken ones."""

import pytest
import structlog.testing

from hypernets.application import Search
from hypernets.domain.error import BuildError
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def space():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(8), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def estimate(architecture, context):
    units = architecture.decisions["units"]
    context.report(1, {"loss": float(units)})
    if units == 3:
        raise BuildError("too deep")
    return {"accuracy": float("nan") if units == 5 else units / 8}


def run(*callbacks):
    """Return the records of a search with failed, diverged and good trials, and what was logged."""
    searcher = RandomSearcher(space, seed=0)
    with structlog.testing.capture_logs() as logs:
        history = Search(searcher, estimate, callbacks=callbacks, clock=_Still()).run()
    records = [(t.number, dict(t.decisions), dict(t.objectives), t.state) for t in history]
    warnings = [log for log in logs if log["log_level"] == "warning"]
    return records, [log for log in warnings if log["event"] != "trial failed"]


class _Still:
    def now(self):
        return 0.0


# --- the laws; `make()` returns a callback -------------------------------------


def check_it_lives_through_trials_of_every_kind(make):
    _, logs = run(make())
    assert logs == []


def check_the_search_is_the_same_with_it_and_without(make):
    assert run(make())[0] == run()[0]


def check_one_object_serves_several_searches(make):
    callback = make()
    assert [run(callback)[1] for _ in range(2)] == [[], []]


LAWS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]


class Counter:
    """Has some of the methods only."""

    def __init__(self):
        self.n_ended = 0

    def on_search_begin(self, search):
        self.n_ended = 0

    def on_trial_end(self, trial, improved):
        self.n_ended += 1


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("make", [Counter])
def test_every_callback_keeps_the_laws(make, law):
    law(make)


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


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Optimist, check_it_lives_through_trials_of_every_kind),
        (Meddler, check_it_lives_through_trials_of_every_kind),
        (Steering, check_the_search_is_the_same_with_it_and_without),
        (Once, check_one_object_serves_several_searches),
    ],
)
def test_a_broken_callback_is_found_out(broken, law):
    with pytest.raises(AssertionError):
        law(broken)
