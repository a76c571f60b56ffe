"""Every kind of strategy searches networks for real images, in processes, two at a time."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hypernets.adapters.keras.spaces.cnn import cnn_search_space
from hypernets.domain.error import SearchError, SpaceError
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.frameworks.keras.nasnet import nasnet_search_space
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


def small_nasnet():
    return nasnet_search_space((8, 8, 1), 10, filters=8, cells=1, blocks=1, stages=2)


def test_the_nasnet_controller_searches_the_nasnet_space_training_from_scratch():
    engine = HyperKeras(
        "policy_gradient",
        "adam",
        "sparse_categorical_crossentropy",
        ["accuracy"],
        space=small_nasnet,
        searcher_options={"batch_size": 4},
        n_workers=2,
    )
    data = digits()
    # some hundreds of steps, or the moving averages of normalization are those of the beginning
    options = {"batch_size": 8, "learning_rate": 0.01, "verbose": 0, "seed": 1, "lag": 2}
    history = engine.search(*data, max_trials=5, epochs=5, **options)
    assert all(trial.succeeded for trial in history), [trial.failure for trial in history]
    assert history.best.reward > 0.5
    kept = dict(engine.best_model.evaluate(*data[2:], verbose=0, return_dict=True))
    assert kept["accuracy"] == pytest.approx(history.best.reward, abs=1e-3)


def test_the_parts_of_a_nasnet_are_checked():
    with pytest.raises(SpaceError, match="blocks must be an integer >= 1; received 0"):
        nasnet_search_space(blocks=0)
    with pytest.raises(SpaceError, match=r"at least two of 'identity', .*received \('conv',\)"):
        nasnet_search_space(operations=["conv"])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("evolution", {"population_size": 4, "sample_size": 4, "n_initial": 4}),
        ("alphax", {"n_initial": 4}),
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
    # with a lag, what is proposed does not hang on which of two trials is faster
    options = {"batch_size": 16, "verbose": 0, "seed": 1, "lag": 2}
    history = engine.search(*digits(), max_trials=8, epochs=5, **options)
    trained = [trial for trial in history if trial.answered_by is None]
    assert len(trained) == 8  # the same network by other decisions is not trained again
    assert all(trial.succeeded for trial in history), [trial.failure for trial in history]
    assert len({tuple(trial.decisions.items()) for trial in history}) == len(history)
    assert history.best.reward > 0.5
    if name == "evolution":
        assert sum(trial.parent is not None for trial in history) >= 3


def test_accuracy_is_traded_off_against_size(tmp_path):
    def engine():
        return HyperKeras(
            "nsga2",
            "adam",
            "sparse_categorical_crossentropy",
            ["accuracy"],
            space=small_space,
            objectives={"accuracy": "max", "parameters": "min", "latency_s": "min"},
            searcher_options={"n_initial": 4},
            keep_models=1,
            n_workers=2,
        )

    x, y, x_val, y_val = digits()
    options = {"epochs": 2, "batch_size": 16, "verbose": 0, "seed": 1, "store": tmp_path / "run"}
    engine().search(x, y, x_val, y_val, max_trials=4, **options)
    second = engine()
    history = second.search(x, y, x_val, y_val, max_trials=8, **options)
    front = history.front()
    assert sum(trial.answered_by is None for trial in history) == 8
    assert len(front) > 1  # the smallest, and the most accurate
    models = second.pareto_models
    for trial, model in zip(front, models, strict=True):
        assert trial.objectives["parameters"] == model.count_params()
        assert trial.objectives["latency_s"] > 0.0
        assert model.evaluate(x_val, y_val, verbose=0)[1] == pytest.approx(trial.reward, abs=1e-3)
    assert history.hypervolume({"accuracy": 0.0, "parameters": 1e6, "latency_s": 10.0}) > 0.0


def test_a_search_of_one_reward_has_no_front_of_models():
    engine = HyperKeras("random", loss="mse", space=small_space)
    with pytest.raises(SearchError, match="pareto_models needs objectives to trade off"):
        _ = engine.pareto_models


def test_objectives_that_are_not_measured_are_refused_before_the_first_trial():
    engine = HyperKeras(
        "nsga2",
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        space=small_space,
        objectives={"accuracy": "max", "size": "min"},
    )
    with pytest.raises(SearchError, match=r"objectives must be metrics .*received 'size'"):
        engine.search(*digits(), max_trials=2, epochs=1, verbose=0)
    with pytest.raises(SearchError, match="the first of the objectives must be the reward"):
        HyperKeras(
            "nsga2",
            loss="mse",
            reward_metric="loss",
            space=small_space,
            objectives={"accuracy": "max", "parameters": "min"},
        )


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
