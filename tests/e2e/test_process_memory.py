"""The memory of a long search in processes of its own: flat, of the search and of the zygote."""

import json
import os
import statistics
import subprocess
import sys

import pytest

pytestmark = pytest.mark.keras

PROGRAM = """
import gc, json, os, pathlib, sys

import numpy as np

from hypernets.core.search_space import Choice, HyperSpace
from hypernets.frameworks.keras.layers import Conv2D, Dense, Dropout, Flatten, Input
from hypernets.frameworks.keras.models import HyperKeras
from hypernets.searchers.random_searcher import RandomSearcher

n_trials, folder = int(sys.argv[1]), sys.argv[2]


def space():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(8, 8, 1))
        x = Conv2D(filters=Choice(range(2, 18), name="filters"), kernel_size=3)(x)
        x = Dropout(rate=Choice([0.1, 0.2], name="rate"))(Flatten()(x))
        x = Dense(units=Choice(range(8, 72), name="units"), activation="relu")(x)
        Dense(units=3, activation="softmax")(x)
    return space


def own_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024


def zygote():
    for path in pathlib.Path("/proc/self/task").glob("*/children"):
        for pid in path.read_text().split():
            if "process.zygote" in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                return int(pid)


class Watch:
    found = []

    def on_trial_end(self, trial, improved):
        assert trial.succeeded, trial.failure
        gc.collect()
        pid = zygote()
        self.found.append((pid, own_bytes(os.getpid()), own_bytes(pid)))


x = np.random.default_rng(0).normal(size=(256, 8, 8, 1)).astype("float32")
y = x[:, :6].reshape(256, 3, 16).sum(axis=2).argmax(axis=1)
watch = Watch()
HyperKeras(
    RandomSearcher(space, "max", seed=0),
    "adam",
    "sparse_categorical_crossentropy",
    ["accuracy"],
    callbacks=[watch],
    isolation="process",
    n_workers=2,
).search(x, y, x, y, max_trials=n_trials, epochs=1, verbose=0, store=folder)
print(json.dumps(watch.found))
"""


def growth(folder, n_trials, warm_up):
    """Return by which share the search and the zygote grow after the first trials."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(n_trials), str(folder)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == n_trials
    assert len({pid for pid, _, _ in found}) == 1  # one and the same all along
    shares = {}
    for name, column in (("search", 1), ("zygote", 2)):
        values = [row[column] for row in found]
        before = statistics.median(values[warm_up - 5 : warm_up])
        shares[name] = statistics.median(values[-5:]) / before - 1
        print(f"{name}: {before / 2**20:.1f} MiB, {shares[name]:+.2%} in {n_trials - warm_up}")
    return shares


def test_a_search_in_processes_grows_no_more_than_its_history(tmp_path):
    shares = growth(tmp_path / "run", 14, warm_up=7)
    assert max(shares.values()) < 0.05  # training here would add 20 to 60 MiB a trial


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_two_hundred_trials_leave_the_memory_of_search_and_zygote_flat(tmp_path):
    shares = growth(tmp_path / "run", 200, warm_up=20)
    assert max(shares.values()) < 0.02
