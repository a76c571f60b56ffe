"""Kills of a whole search of Keras models: it ends as if it had not been killed, weights included.

A real process runs `HyperKeras.search` in a folder, with checkpoints after every epoch. Where the
plan says so it stands still, and is killed there; its trials die with it. Then what it has left is
looked at, and the search is gone on with.
"""

import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from hypernets.adapters.keras.model_keeper import ModelKeeper
from hypernets.adapters.store.hdf5 import Hdf5Store, verify

pytestmark = [pytest.mark.keras, pytest.mark.timeout(3_600)]

PROGRAM = """
import json, os, signal, sys

import numpy as np

from hypernets.adapters.keras.hyper_keras import HyperKeras
from hypernets.adapters.store import Hdf5Store
from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.frameworks.keras.layers import Dense, Dropout, Input
from hypernets.searchers.random_searcher import RandomSearcher

folder, options, (name, passed) = json.loads(sys.argv[1])


def say(*words):
    os.write(1, (json.dumps(words) + "\\n").encode())


def moment(here):
    global passed
    if here == name:
        if not passed:
            say("stands", here)
            signal.pause()
        passed -= 1


class Callback:
    def on_trial_begin(self, number, architecture):
        say("begins", number)
        moment("a trial begins")
    def on_trial_report(self, number, report):
        moment("an epoch has ended")
    def on_trial_end(self, trial, improved):
        say("announced", trial.number)
        moment("announced")


append, write, sync = Hdf5Store.append, SystemDisk.write, SystemDisk.sync


def saying(self, trial):
    SystemDisk.write, SystemDisk.sync = halting_write, halting_sync
    say("keeps", trial.number)
    append(self, trial)
    say("kept", trial.number)
    SystemDisk.write, SystemDisk.sync = write, sync


def halting_write(self, descriptor, content, offset):
    moment("before a write")
    half = len(content) // 2
    write(self, descriptor, content[:half], offset)
    moment("half a write")
    write(self, descriptor, content[half:], offset + half)
    moment("after a write")


def halting_sync(self, descriptor):
    sync(self, descriptor)
    moment("after a sync")


Hdf5Store.append = saying
estimator_for = HyperKeras._estimator_for


def saving_each_epoch(self, *arguments):
    estimator = estimator_for(self, *arguments)
    estimator.checkpoint_every_s = 0.0
    return estimator


HyperKeras._estimator_for = saving_each_epoch


def space():
    space = HyperSpace()
    with space.as_default():
        x = Dense(units=Choice(range(3, 40), name="units"), activation="relu")(Input(shape=4))
        Dense(units=2, activation="softmax")(Dropout(rate=0.25)(x))
    return space


rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype("int64")
workers = {key: options[key] for key in ("isolation", "n_workers") if key in options}
HyperKeras(
    RandomSearcher(space, "max", seed=1),
    "adam",
    "sparse_categorical_crossentropy",
    ["accuracy"],
    callbacks=[Callback()],
    **workers,
).search(
    x, y, x, y, max_trials=options["n_trials"], epochs=3, batch_size=16, verbose=0, seed=3,
    store=folder, lag=options.get("lag"),
)
say("ended")
"""

WRITING = ("before a write", "half a write", "after a write", "after a sync")
ELSEWHERE = ("a trial begins", "an epoch has ended", "announced")
SEARCHES = {
    "one worker": {},
    "two workers": {"n_workers": 2, "lag": 3},
    "inline": {"isolation": "inline"},
}
NEVER = ("never", 0)


def run(folder, options, moment):
    """Run a search until it ends or is killed; return what it has said."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps([str(folder), options, moment])],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = []
        for line in process.stdout:
            if not line.startswith("["):
                continue  # what TensorFlow has to say
            said.append(tuple(json.loads(line)))
            if said[-1][0] == "stands":
                process.kill()
        complained = process.stderr.read()
    assert said, complained
    assert said[-1][0] in ("stands", "ended"), complained
    return said


def facts(folder):
    """Return what must be the same in each run: the history, and the weights of the best."""
    with Hdf5Store(folder, "r") as store:
        history = store.load()
    trials = [
        (
            trial.number,
            dict(trial.decisions),
            trial.signature,
            trial.state.value,
            dict(trial.objectives),
            [(report.step, dict(report.values)) for report in trial.curve],
            trial.seed,
        )
        for trial in history
    ]
    best = None if history.best is None else weights_sha256(folder, history.best.number)
    resumed = sum("resumed_after_epoch" in trial.details for trial in history)
    return trials, best, resumed


def weights_sha256(folder, number):
    digest = hashlib.sha256()
    for array in ModelKeeper(3, folder=folder / "models").weights(number):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def lives(folder, options, moments, reference, counts):
    """Kill one search at each of the moments that it reaches, and let it end then."""
    acknowledged, known = set(), {trial[0]: trial for trial in reference[0]}
    for moment in [*moments, NEVER]:
        said = run(folder, options, moment)
        acknowledged |= {number for word, number in said[:-1] if word == "kept"}
        announced = {number for word, number in said[:-1] if word == "announced"}
        assert announced <= acknowledged
        assert verify(folder).is_intact
        trials, best, _ = facts(folder)  # the weights of the best so far are there, or this raises
        numbers = {trial[0] for trial in trials}
        assert acknowledged <= numbers, "an acknowledged trial is lost"
        assert [trial for trial in trials if trial != known[trial[0]]] == []
        counts["stored and not acknowledged"] += len(numbers - acknowledged)
        acknowledged = numbers
        if said[-1] == ("ended",):
            break
        counts["kills"] += 1
        counts["while a trial was written" if said[-1][1] in WRITING else "elsewhere"] += 1
    trials, best, resumed = facts(folder)
    assert hashlib.sha256(repr(trials).encode()).hexdigest() == (
        hashlib.sha256(repr(reference[0]).encode()).hexdigest()
    )
    assert best == reference[1], "the best weights are others"
    counts["trials that went on within their training"] += resumed
    assert list((pathlib.Path(folder) / "checkpoints").glob("*.h5")) == []


def reference_of(folder, options):
    assert run(folder, options, NEVER)[-1] == ("ended",)
    found = facts(folder)
    assert found[2] == 0
    return found


MOMENTS = {
    "one worker": [
        ("an epoch has ended", 1),
        ("half a write", 1),
        ("an epoch has ended", 0),
        ("after a write", 0),
        ("after a sync", 0),
    ],
    "two workers": [
        ("an epoch has ended", 2),
        ("after a write", 1),
        ("before a write", 0),
        ("half a write", 0),
        ("after a sync", 0),
    ],
}


@pytest.mark.parametrize("name", MOMENTS)
def test_a_search_of_models_that_is_killed_five_times_ends_as_one_that_is_not(name, tmp_path):
    options, counts = {"n_trials": 4, **SEARCHES[name]}, Counter()
    reference = reference_of(tmp_path / "reference", options)
    lives(tmp_path / "killed", options, MOMENTS[name], reference, counts)
    print(dict(counts))
    assert counts["kills"] == 5
    assert counts["while a trial was written"] >= 3
    assert counts["trials that went on within their training"] > 0


@pytest.mark.soak
def test_searches_of_models_that_are_killed_a_hundred_times_end_as_those_that_are_not(tmp_path):
    rng, counts, number = random.Random(0), Counter(), 0  # noqa: S311 - no secret
    references = {}
    while counts["kills"] < 100:
        name = list(SEARCHES)[number % len(SEARCHES)]
        options = {"n_trials": 6, **SEARCHES[name]}
        if name not in references:
            references[name] = reference_of(tmp_path / f"reference-{number}", options)
        moments = [
            (rng.choice(WRITING if rng.random() < 0.7 else ELSEWHERE), rng.randrange(3))
            for _ in range(20)
        ]
        lives(tmp_path / f"killed-{number}", options, moments, references[name], counts)
        number += 1
    print(f"{counts['kills']} kills of {number} searches: {dict(counts)}")
    assert counts["while a trial was written"] >= counts["kills"] / 2
    assert counts["trials that went on within their training"] > 0
