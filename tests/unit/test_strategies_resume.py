"""Each strategy, by its name and wrapped: a stored search that was interrupted goes on as it was.

Resuming is replaying: a new searcher is asked and told all that the store holds.
"""

import pytest

from hypernets.adapters.store import Hdf5Store
from hypernets.application import make_searcher, search, searcher_names
from hypernets.domain.error import TrainingError
from hypernets.domain.history import History
from hypernets.domain.searchers import (
    TPE,
    AlphaX,
    Constrained,
    Deduplicating,
    RandomSearcher,
    RegularizedEvolution,
    WarmStart,
)
from hypernets.domain.space import Choice, HyperSpace, LayerModule, Or, Real

OBJECTIVES = {"objectives": {"reward": "max", "spread": "min"}}
OPTIONS = {
    "alphax": {"n_initial": 4},
    "bayesian": {"n_initial": 4},
    "cheapest_first": {"pool": 500},
    "largest_first": {"pool": 500},
    "nsga2": {"n_initial": 4, **OBJECTIVES},
    "parego": {"n_initial": 4, **OBJECTIVES},
    "policy_gradient": {"batch_size": 3},
    "portfolio": {"members": {"tpe": TPE, "evolution": RegularizedEvolution}},
    "tpe": {"n_initial": 4},
}
FINITE = {"exhaustive"}


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def make_space(finite=False):
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)}, name="in")
        x = Dense({"units": Choice([4, 8, 16, 32, 64], name="units")})(x)
        rate = Choice([0.1, 0.2, 0.4], name="rate") if finite else Real(0.0, 1.0, name="rate")
        other = Dense({"units": Choice([1, 2, 3, 4], name="more"), "rate": rate})
        x = Or([other, Dense({"units": Choice(range(6), name="few")})], name="either")(x)
    return space


def estimate(architecture):
    decisions = architecture.decisions
    if decisions.get("few") == 3:
        raise TrainingError("a network must have weights; received none; never mind")
    reward = decisions["units"] + 10 * decisions.get("rate", 0.5) + decisions.get("few", 2)
    return {"reward": float(reward), "spread": float(decisions.get("more", 1))}


def make(name):
    if name == "playback":
        teacher = RandomSearcher(make_space(), "max", 3)
        history = run(teacher, max_trials=40)
        return make_searcher(name, make_space(), history=history)
    space = make_space(finite=name in FINITE)
    return make_searcher(name, space, seed=11, **OPTIONS.get(name, {}))


def wrapped(name):
    space = make_space()
    evolution = RegularizedEvolution(space, "max", 11, n_initial=4)
    if name == "Deduplicating":
        return Deduplicating(evolution)
    if name == "Constrained":
        return Constrained(evolution, lambda each: each.decisions["units"] != 8)
    return WarmStart(AlphaX(space, "max", 11, n_initial=4), other_history(), top=3)


def other_history() -> History:
    return run(RandomSearcher(make_space(), "max", 5), max_trials=10)


def run(searcher, **options) -> History:
    return search(searcher.space, searcher, estimate, **options)


MAKERS = dict.fromkeys((n for n in searcher_names() if n != "default"), make)  # is "bayesian"
MAKERS |= dict.fromkeys(["Deduplicating", "Constrained", "WarmStart"], wrapped)


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("name", MAKERS)
def test_a_search_that_was_interrupted_goes_on_as_it_was(name, n_workers, tmp_path):
    # with a lag, what is told before an ask does not depend on which trial is faster
    options = {} if n_workers == 1 else {"n_workers": n_workers, "lag": n_workers}
    whole = run(MAKERS[name](name), max_trials=22, **options)
    for until in (5, 13, 22):
        with Hdf5Store(tmp_path / "search") as store:
            history = run(MAKERS[name](name), store=store, max_trials=until, **options)
    assert [t.decisions for t in history] == [t.decisions for t in whole]
    assert [t.objectives for t in history] == [t.objectives for t in whole]
