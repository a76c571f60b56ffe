"""A search of Keras models that goes on from a folder, and one in processes of its own."""

import keras
import numpy as np
import pytest

from hypernets.adapters.keras.identity import described
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import OtherSearchError, SearchError, StoreError
from hypernets.frameworks.keras.layers import Dense, Dropout, Input
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype("float32")
Y = X.sum(axis=1)


def make_space(widths=(2, 3, 4, 5, 6)):
    space = HyperSpace()
    with space.as_default():
        x = Dense(units=Choice(list(widths), name="units"), activation="relu")(Input(shape=3))
        Dense(units=1)(Dropout(rate=Choice([0.1, 0.2], name="rate"))(x))
    return space


def engine(seed=0, space=make_space, isolation="inline", **options):
    searcher = RandomSearcher(space, "min", seed=seed)
    return HyperKeras(searcher, "sgd", "mse", isolation=isolation, **options)


def told(history):
    return [(t.number, dict(t.decisions), t.state, dict(t.objectives), t.seed) for t in history]


def run(hyper, store, max_trials, **options):
    options = {"epochs": 1, "verbose": 0, **options}
    return hyper.search(X, Y, X, Y, store=store, max_trials=max_trials, **options)


def test_a_search_goes_on_from_its_folder_as_if_it_had_not_been_interrupted(tmp_path):
    whole = engine()
    run(whole, tmp_path / "whole", 5)
    first = engine()
    run(first, tmp_path / "run", 3)
    again = engine(isolation="process")  # where trials run makes no other search
    run(again, tmp_path / "run", 5)
    assert told(again.history) == told(whole.history)
    assert np.array_equal(
        again.best_model.predict(X, verbose=0), whole.best_model.predict(X, verbose=0)
    )
    number = again.get_best_trial().number
    assert [kept.numbers.index(number) for kept in (again._keeper, whole._keeper)] == [0, 0]


def test_the_same_object_goes_on_as_well_and_a_seed_is_not_needed(tmp_path):
    hyper = engine(seed=None)
    first = told(run(hyper, tmp_path, 2))
    assert told(run(hyper, tmp_path, 4))[:2] == first
    assert told(run(engine(seed=None), tmp_path, 4)) == told(hyper.history)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda store: run(engine(seed=1), store, 3), "seed"),
        (lambda store: run(engine(space=lambda: make_space((2, 3))), store, 3), "space"),
        (lambda store: run(engine(), store, 3, epochs=2), "estimator"),
        (lambda store: engine().search(X + 1, Y, X, Y, store=store, epochs=1, verbose=0), "data"),
    ],
    ids=["seed", "space", "training", "data"],
)
def test_a_folder_of_another_search_is_refused_and_stays_as_it_is(tmp_path, change, field):
    before = told(run(engine(), tmp_path, 2))
    with pytest.raises(OtherSearchError) as caught:
        change(tmp_path)
    assert field in {difference.field for difference in caught.value.differences}
    assert told(run(engine(), tmp_path, 2)) == before


def test_how_many_objects_of_keras_there_were_before_makes_no_other_search():
    def training():
        return {
            "optimizer": keras.optimizers.Adam(0.1),
            "metrics": [keras.metrics.MeanSquaredError(), abs],
            "loss": keras.losses.Huber(),
            "class_weight": {0: np.float32(1), 1: 2.0},
        }

    first = described(training())
    assert described(training()) == first
    assert described({**training(), "optimizer": keras.optimizers.Adam(0.2)}) != first


def test_trials_in_processes_of_their_own_find_what_those_in_this_one_find(tmp_path):
    inline = run(engine(), tmp_path / "inline", 3)
    apart = engine(isolation="process", n_workers=2)
    history = run(apart, tmp_path / "apart", 3)
    assert sorted(told(history), key=lambda trial: trial[0]) == told(inline)
    assert np.isfinite(apart.best_model.predict(X, verbose=0)).all()
    assert sorted(p.name for p in (tmp_path / "apart" / "logs").iterdir()) == [
        f"trial-{number}.log"
        for number in (0, 1, 2, 3)  # 0 is the preflight
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"isolation": "thread"}, "isolation must be 'process' or 'inline'; received 'thread'"),
        ({"n_workers": 2}, "n_workers must be left out where.*received 2.*leave that out"),
        ({"deadline_s": 5.0}, "deadline_s must be left out where.*received 5.0"),
    ],
)
def test_what_cannot_be_had_in_this_process_is_refused(options, says):
    with pytest.raises(SearchError, match=says):
        engine(**options)


def test_a_store_that_is_none_is_refused():
    with pytest.raises(SearchError, match=r"store must be a folder, or a HistoryStore.*received 3"):
        run(engine(), 3, 1)


def test_a_folder_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="received"):
        run(engine(), tmp_path / "file" / "run", 1)
