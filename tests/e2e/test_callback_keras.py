import io

import numpy as np
import pytest
from rich.console import Console

from hypernets.core.callbacks import ProgressCallback, SummaryCallback
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.frameworks.keras.layers import Add, Dense, Input
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

pytestmark = pytest.mark.keras


def branching_space():
    space = HyperSpace()
    with space.as_default():
        image = Input(shape=(4,), name="image")
        hidden = Dense(units=Choice([4, 5]), name="hidden")(image)  # 5 does not fit the Add
        Dense(units=1, name="output")(Add(name="sum")([image, hidden]))
    return space


def search(callback, isolation="process", **arguments):
    searcher = RandomSearcher(branching_space, optimize_direction="min", seed=0)
    hyper_keras = HyperKeras(searcher, loss="mse", callbacks=[callback], isolation=isolation)
    x = np.linspace(-1.0, 1.0, 32, dtype=np.float32).reshape(8, 4)
    y = x.sum(axis=1)
    hyper_keras.search(x, y, x, y, max_trials=2, epochs=2, run_eagerly=True, **arguments)


def test_the_summary_of_a_search_has_its_parts_in_the_published_order(capfd):
    search(SummaryCallback())
    text = capfd.readouterr().out
    trials = [part for part in text.split("\nTrail No:") if "trail end. reward" in part]
    [trained] = trials
    parts = [
        "(0) hidden.units:",
        'Model: "',
        "Connected to",
        "hidden[0][0]",
        "Total params: 25",
        "trail begin",
        "Epoch 1/2",
        "Epoch 2/2",
        "trail end. reward:",
        ", improved:True, elapsed:",
        "Total elapsed:",
        "space signatures: {'",
    ]
    places = [trained.find(part) for part in parts]
    assert -1 not in places, dict(zip(parts, places, strict=True))
    assert places == sorted(places)


def test_the_summary_of_a_trial_that_cannot_be_built_says_why(capfd):
    search(SummaryCallback(), verbose=0)
    text = capfd.readouterr().out
    [failed] = [part for part in text.split("\nTrail No:") if "trail end. failed" in part]
    assert "trail begin" not in failed
    [line] = [line for line in failed.splitlines() if line.startswith("trail end. failed")]
    assert line.startswith("trail end. failed: BuildError: ")
    assert ", elapsed:" in line


def test_progress_follows_a_keras_search_epoch_by_epoch():
    seen = []

    class Watching(ProgressCallback):
        def on_model_built(self, number, model):
            super().on_model_built(number, model)
            seen.append(dict(self.rows())[f"Trial {number}"])

        def on_trial_report(self, number, report):
            super().on_trial_report(number, report)
            seen.append(dict(self.rows())[f"Trial {number}"])

    output = io.StringIO()
    callback = Watching(Console(file=output, force_terminal=False))
    search(callback, isolation="inline", verbose=0)
    assert seen[0].startswith("training for ")
    epochs = [text.split(", ")[1].split(":")[0] for text in seen[1:]]
    assert epochs == ["epoch 1", "epoch 2"]
    assert len(output.getvalue().splitlines()) == 3
