"""A search of Keras models in a narrowed space, with the results of the first search."""

import numpy as np
import pytest

from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import SearchError
from hypernets.frameworks.keras.layers import Dense, Input
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = pytest.mark.keras


def make_space():
    space = HyperSpace()
    with space.as_default():
        x = Dense(units=Choice([2, 4], name="units"), activation="relu")(Input(shape=3))
        Dense(units=1)(x)
        space.set_training(learning_rate=Choice([0.01, 0.1], name="rate"))
    return space


def engine_of(space, callbacks=()):
    searcher = RandomSearcher(space, "min", seed=0)
    return HyperKeras(
        searcher, "sgd", "mse", metrics=["mae"], callbacks=callbacks, isolation="inline"
    )


class Built:
    def __init__(self):
        self.numbers = []

    def on_model_built(self, number, model):
        self.numbers.append(number)


def test_what_the_first_search_has_trained_is_not_trained_again_in_a_narrowed_space():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 3)).astype("float32")
    y = x.sum(axis=1)
    space = make_space()
    first = engine_of(space)
    history = first.search(x, y, x, y, max_trials=3, epochs=1, verbose=0)
    narrow = space.fix(rate=history.best.decisions["rate"])
    built = Built()
    second = engine_of(narrow, [built])
    found = second.search(x, y, x, y, known=history, max_trials=9, epochs=1, verbose=0)
    assert len(found) == narrow.count() == 2
    taken = [trial for trial in found if trial.taken_from]
    assert taken
    assert built.numbers == [trial.number for trial in found if trial.evaluated]
    for trial in taken:
        assert trial.objectives == history.trial(trial.taken_from).objectives
        assert trial.training == {"learning_rate": narrow.rate.value}

    again = engine_of(narrow)
    again.search(x, y, x, y, known=[*found], epochs=1, verbose=0)
    assert again.history.n_evaluated == 0
    assert again.get_best_trial().reward == found.best.reward
    with pytest.raises(SearchError, match="must have been trained in this search; received trial"):
        _ = again.best_model
    model = again.final_train(x, y, epochs=1, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(narrow.rate.value)
