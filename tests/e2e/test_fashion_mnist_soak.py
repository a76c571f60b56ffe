"""Four strategies against random search on Fashion-MNIST, each for the same wall time.

Prints a JSON line for each strategy: the mean over seeds of the best validation accuracy, and of
how much that is above random search from the same seed, with a 95 % interval by bootstrap.
`SOAK_SECONDS` says how long each search may begin trials.
"""

import json
import os

import numpy as np
import pytest

from hypernets.adapters.dataset import load_images
from hypernets.adapters.keras.spaces.cnn import cnn_search_space
from hypernets.frameworks.keras.models import HyperKeras

pytestmark = [pytest.mark.keras, pytest.mark.soak, pytest.mark.timeout(4 * 3600)]

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
SEEDS = range(5)
STRATEGIES = {
    "random": {},
    "evolution": {"population_size": 10, "sample_size": 5, "n_initial": 5},
    "alphax": {"n_initial": 5},
    "policy_gradient": {"batch_size": 5},
    "default": {"n_initial": 5},
}
N_TRAIN, N_VALIDATION = 4_000, 2_000


def small_space():
    return cnn_search_space(
        (28, 28, 1),
        10,
        block_num_choices=(1, 2, 3),
        filters_choices=(8, 16, 32),
        fc_units_choices=(32, 64, 128),
    )


def best_of(name, seed, data):
    order = np.random.default_rng(seed).permutation(len(data.x_train))
    part, rest = order[:N_TRAIN], order[N_TRAIN : N_TRAIN + N_VALIDATION]
    engine = HyperKeras(
        name,
        "adam",
        "sparse_categorical_crossentropy",
        ["accuracy"],
        space=small_space,
        searcher_options=STRATEGIES[name],
        n_workers=2,
    )
    history = engine.search(
        data.x_train[part],
        data.y_train[part],
        data.x_train[rest],
        data.y_train[rest],
        max_time_s=SECONDS,
        epochs=3,
        batch_size=64,
        verbose=0,
        seed=seed,
    )
    return history.best.reward, len(history)


def test_strategies_beside_random_search(capsys):
    data = load_images("fashion-mnist")
    # strategies take turns, so that a slow hour is everybody's
    found = {name: [] for name in STRATEGIES}
    for seed in SEEDS:
        for name in STRATEGIES:
            found[name].append(best_of(name, seed, data))
    random_one = np.array([reward for reward, _ in found["random"]])
    rng = np.random.default_rng(0)
    for name, each in found.items():
        rewards = np.array([reward for reward, _ in each])
        above = rewards - random_one
        drawn = [rng.choice(above, len(above)).mean() for _ in range(2000)]
        line = {
            "name": f"Fashion-MNIST, {SECONDS:.0f} s: best validation accuracy, {name}",
            "value": round(float(rewards.mean()), 4),
            "unit": "share",
            "target": None,
            "met": None,
            "above_random": round(float(above.mean()), 4),
            "low": round(float(np.quantile(drawn, 0.025)), 4),
            "high": round(float(np.quantile(drawn, 0.975)), 4),
            "trials": [n for _, n in each],
        }
        with capsys.disabled():
            print(json.dumps(line), flush=True)
    assert all(reward > 0.6 for each in found.values() for reward, _ in each)
