"""Every kind of strategy searches networks for real images, in processes, two at a time."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hypernets.adapters.keras.spaces.cnn import cnn_search_space
from hypernets.domain.error import SearchError
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers import RandomSearcher, RegularizedEvolution

pytestmark = pytest.mark.keras


def digits():
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).reshape(-1, 8, 8, 1).astype("float32")
    order = np.random.default_rng(0).permutation(len(images))
    return (
        images[order[:600]],
        labels[order[:600]],
        images[order[900:1200]],
        labels[order[900:1200]],
    )


def small_space():
    return cnn_search_space(
        (8, 8, 1),
        10,
        block_num_choices=(1, 2),
        filters_choices=(8, 16),
        fc_units_choices=(16, 32, 64),
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("evolution", {"population_size": 4, "sample_size": 4, "n_initial": 4}),
        ("alphax", {"n_initial": 4}),
        ("policy_gradient", {"batch_size": 4}),
        ("bayesian", {"n_initial": 4}),
    ],
)
def test_a_strategy_searches_real_images(name, options):
    engine = HyperKeras(
        name,
        "adam",
        "sparse_categorical_crossentropy",
        ["accuracy"],
        space=small_space,
        searcher_options=options,
        n_workers=2,
    )
    history = engine.search(*digits(), max_trials=8, epochs=3, batch_size=16, verbose=0, seed=1)
    trained = [trial for trial in history if trial.answered_by is None]
    assert len(trained) == 8  # the same network by other decisions is not trained again
    assert all(trial.succeeded for trial in history), [trial.failure for trial in history]
    assert len({tuple(trial.decisions.items()) for trial in history}) == len(history)
    assert history.best.reward > 0.5
    if name == "evolution":
        assert sum(trial.parent is not None for trial in history) >= 3


def test_the_direction_goes_with_the_name():
    engine = HyperKeras("random", loss="mse", space=small_space, optimize_direction="min")
    assert isinstance(engine.searcher, RandomSearcher)
    assert engine.direction.value == "min"


@pytest.mark.parametrize(
    ("searcher", "options", "wrong"),
    [
        ("evolution", {}, "needs a space; received 'evolution' and no space"),
        ("evolutoin", {"space": small_space}, "did you mean 'evolution'"),
        (
            "evolution",
            {"space": small_space, "searcher_options": {"population_size": 0}},
            "population_size must be an integer >= 1",
        ),
        (None, {"space": small_space}, "space must go with the name of a searcher"),
        (None, {"optimize_direction": "min"}, "optimize_direction must go with the name"),
    ],
)
def test_a_name_and_what_goes_with_it_are_checked(searcher, options, wrong):
    with pytest.raises(SearchError, match=wrong):
        HyperKeras(searcher or RegularizedEvolution(small_space), loss="mse", **options)
