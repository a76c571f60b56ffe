"""Limits on the cost in searches of Keras models, with real Keras."""

import keras
import numpy as np
import pytest

from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import SearchExhausted, SpaceError
from hypernets.frameworks.keras.layers import Dense, GlobalAveragePooling1D, Input
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")
DATA = (X, Y, X, Y)
UNITS = [3, 5, 7, 9, 200]


def dense_space():
    """(4 + 1) u parameters, then 2 (u + 1): 23, 37, 51, 65, 1402; twice as many operations."""
    space = HyperSpace()
    with space.as_default():
        Dense(2, "softmax")(Dense(Choice(UNITS, name="units"), "relu")(Input((4,))))
    return space


def open_space():
    """Networks for sequences of any length, whose activations have no size before the data."""
    space = HyperSpace()
    with space.as_default():
        x = Dense(Choice(UNITS, name="units"))(Input((None, 2)))
        Dense(2, "softmax")(GlobalAveragePooling1D()(x))
    return space


class InOrder:
    """Proposes every architecture of a space, whatever it costs."""

    direction = "min"

    def __init__(self, space):
        self.space = space
        self.left = list(space.every_architecture())

    def ask(self):
        if not self.left:
            raise SearchExhausted("all")
        return self.left.pop(0)

    def tell(self, trial):
        """Learn nothing."""


class BuiltModels:
    def __init__(self):
        self.sizes = []

    def on_model_built(self, number, model):
        self.sizes.append(model.count_params())


def hyper(searcher, **arguments):
    return HyperKeras(
        searcher,
        loss="sparse_categorical_crossentropy",
        run_eagerly=True,
        isolation="inline",
        **arguments,
    )


def units_of(history):
    return sorted(trial.decisions["units"] for trial in history)


def test_the_random_searcher_proposes_all_that_is_small_enough_and_nothing_else():
    found = hyper(RandomSearcher(dense_space, "min", seed=0), max_model_size=51)
    history = found.search(*DATA, max_trials=10, verbose=0)
    assert units_of(history) == [3, 5, 7]  # a limit is included
    assert all(trial.succeeded for trial in history)
    assert found.searcher.limit == CostLimit(max_params=51)


def test_other_costs_are_limited_too():
    found = hyper(
        RandomSearcher(dense_space, "min", seed=0),
        max_model_size=65,
        limit=CostLimit(max_flops=2 * (4 * 5 + 5 * 2), max_depth=2),
    )
    assert units_of(found.search(*DATA, max_trials=10, verbose=0)) == [3, 5]


def test_what_another_searcher_proposes_beyond_the_limit_fails_before_it_is_built(monkeypatch):
    watcher = BuiltModels()
    found = hyper(InOrder(dense_space()), max_model_size=40, callbacks=[watcher])
    built = []
    build = keras.Model.__init__
    monkeypatch.setattr(
        keras.Model, "__init__", lambda self, *a, **k: (built.append(self), build(self, *a, **k))[1]
    )
    history = found.search(*DATA, max_trials=10, verbose=0)
    assert [trial.succeeded for trial in history] == [True, True, False, False, False]
    assert watcher.sizes == [23, 37]
    assert len(built) <= 3  # of the preflight and of the two trials
    failure = history[2].failure
    assert failure.kind == "BuildError"
    assert "must keep within max_params=40; received one of params=51" in failure.message


def test_a_limit_that_no_model_meets_ends_the_search_with_the_least_size(monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", None)  # nothing comes so far
    for searcher in (RandomSearcher(dense_space), InOrder(dense_space())):
        with pytest.raises(SpaceError, match=r"max_params=22, where every network takes at least"):
            hyper(searcher, max_model_size=22).search(*DATA, verbose=0)


def test_a_model_whose_cost_is_not_known_from_its_graph_is_counted_once_it_is_built():
    x = RNG.normal(size=(32, 3, 2)).astype("float32")
    found = hyper(RandomSearcher(open_space, "min", seed=0), max_model_size=40)
    history = found.search(x, Y, x, Y, max_trials=10, verbose=0)
    small = {trial.decisions["units"] for trial in history if trial.succeeded}
    assert small == {3, 5, 7}  # 3 u + 2 (u + 1)
    assert {t.failure.kind for t in history if not t.succeeded} == {"BuildError"}


def test_the_acceptance_is_told_to_the_log(caplog):
    found = hyper(RandomSearcher(dense_space, "min", seed=0), max_model_size=51)
    with caplog.at_level("INFO", logger="hypernets"):
        found.search(*DATA, max_trials=1, verbose=0)
    (record,) = [r for r in caplog.records if "limits" in r.getMessage()]
    assert record.limit == "max_params=51"
    assert 0.3 < record.acceptance_rate < 0.9
    assert record.least == {"max_params": 23}
