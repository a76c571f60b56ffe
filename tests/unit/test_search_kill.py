"""Kills of a whole search: nothing acknowledged is lost; it ends as if it had not been killed.

A real process runs a search in a durable store, with a light estimator that leaves checkpoints. At
a moment that is drawn beforehand it says where it is and stands still; there it is killed. So no
kill hangs on the speed of the machine. Then the store is looked at, and the search is gone on with,
again and again, until it has ended by itself.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter

import pytest

from hypernets.adapters.store.hdf5 import Hdf5Store, verify

N_TRIALS = 40
SEARCHES = {
    "random": {"searcher": "random"},
    "a searcher that learns": {"searcher": "climbing"},
    "two workers, deterministic": {"searcher": "climbing", "n_workers": 2, "lag": 3},
    "several seeds each": {"searcher": "random", "replicates": 3},
}

# It forks a child for each line that it reads: a folder, a search, and the moment to stand still at
# (its name, and how many of that name are passed before). The child says what it does.
PROGRAM = """
import json, os, signal, sys, threading

import numpy as np

from hypernets.adapters.checkpoint import CheckpointFolder
from hypernets.adapters.store.hdf5 import Hdf5Store, writer
from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.application.loop.entry import make_search
from hypernets.application.port import Measurement, SavedState
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import TrainingError
from hypernets.frameworks.keras.layers import Dense, Input

writer._FEWEST_ROWS, writer._MOST_ROWS = 7, 15  # several segments


def say(*words):
    os.write(1, (json.dumps(words) + "\\n").encode())


class Moment:
    "Stands still when it has been passed so often; whoever kills it is told."
    def __init__(self, name, passed):
        self.name, self.left = name, passed
    def __call__(self, name):
        if name == self.name:
            if not self.left:
                say("stands", name)
                signal.pause()
            self.left -= 1


class Disk(SystemDisk):
    "Says where it is in the course of a write."
    def __init__(self, moment):
        self.moment = moment
    def write(self, descriptor, content, offset):
        self.moment("before a write")
        half = len(content) // 2
        super().write(descriptor, content[:half], offset)
        self.moment("half a write")
        super().write(descriptor, content[half:], offset + half)
        self.moment("after a write")
    def sync(self, descriptor):
        super().sync(descriptor)
        self.moment("after a sync")
    def rename(self, source, target):
        self.moment("before a rename")
        super().rename(source, target)
        self.moment("after a rename")


class Store(Hdf5Store):
    "Says what it has acknowledged."
    def append(self, trial):
        say("keeps", trial.number)
        super().append(trial)
        say("kept", trial.number)
        self.moment("acknowledged")


class Callback:
    def __init__(self, moment):
        self.moment = moment
    def on_search_begin(self, search):
        self.moment("the search begins")
    def on_trial_begin(self, number, architecture):
        self.moment("a trial begins")
    def on_trial_end(self, trial, improved):
        say("announced", trial.number)
        self.moment("announced")


class Estimator:
    "Trains a number in four steps, and leaves how far it has come; some architectures fail."
    def __init__(self, moment):
        self.moment = moment
    def estimate(self, architecture, context):
        decisions = list(architecture.decisions.values())
        say("begins", context.number, decisions, context.seed)
        saved = context.checkpoint.load()
        rewards = [] if saved is None else [float(r) for r in saved.arrays["rewards"]]
        if rewards:
            say("resumes", context.number, len(rewards))
        for step, reward in enumerate(rewards, 1):
            context.report(step, {"loss": -reward})
        for step in range(len(rewards) + 1, 5):
            if step == 3 and sum(map(len, map(str, decisions))) % 5 == 0:
                raise TrainingError(f"diverged at {decisions}")
            noise = np.random.default_rng([context.seed, step]).normal()
            rewards.append(noise + sum(decisions) / 100)
            context.report(step, {"loss": -rewards[-1]})
            self.moment("between steps")
            context.checkpoint.save(SavedState({}, {"rewards": np.array(rewards)}))
            self.moment("after a checkpoint")
        return Measurement({"reward": max(rewards)}, details={"last": rewards[-1]})


class Climbing:
    "Changes one decision of the best that it has been told of."
    def __init__(self, space, optimize_direction="max", seed=0):
        self.space, self.direction, self.seed = space(), optimize_direction, seed
        self.n_asked, self.best, self.reward = 0, None, None
    def ask(self):
        self.n_asked += 1
        rng = np.random.default_rng([self.seed, self.n_asked])
        architecture = self.space.sample(rng)
        if self.best is None or rng.random() < 0.3:
            return architecture
        name = rng.choice(list(self.best))
        return self.space.architecture({**self.best, name: architecture.decisions[name]})
    def tell(self, trial):
        if trial.reward is not None and (self.reward is None or trial.reward > self.reward):
            self.reward, self.best = trial.reward, dict(trial.decisions)


def space():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=4)
        for name in "abcd":
            x = Dense(units=Choice(range(1, 31), name=name))(x)
    return space


def child(folder, options, name, passed):
    moment = Moment(name, passed)
    options = dict(options)
    n_trials = options.pop("n_trials")
    searcher = Climbing if options.pop("searcher") == "climbing" else "random"
    Store.moment = moment
    with Store(folder, disk=Disk(moment)) as store:
        moment("opened")
        search = make_search(
            space, searcher, Estimator(moment), seed=7, store=store,
            callbacks=[Callback(moment)], checkpoints=CheckpointFolder(folder + "/checkpoints"),
            **options,
        )
        search.run(n_trials)
    say("ended")


for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        try:
            child(*json.loads(line))
        except BaseException:
            import traceback
            say("failed", traceback.format_exc())
        os._exit(0)
    say("pid", pid)
    status = os.waitpid(pid, 0)[1]
    say("dead", os.waitstatus_to_exitcode(status))
"""

WRITING = (
    "before a write",
    "half a write",
    "after a write",
    "after a sync",
    "before a rename",
    "after a rename",
)
ELSEWHERE = (
    "opened",
    "the search begins",
    "a trial begins",
    "between steps",
    "after a checkpoint",
    "acknowledged",
    "announced",
)


class Nursery:
    """Makes children, reads what they say, and kills them where they stand still."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a process that forks has one thread
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.process.stdout.close()

    def run(self, folder, options, moment="never", passed=0):
        """Return what a child has said, and whether it was killed."""
        self.process.stdin.write(json.dumps([str(folder), options, moment, passed]) + "\n")
        self.process.stdin.flush()
        said, pid, stands = [], None, False
        for line in self.process.stdout:
            word, *rest = json.loads(line)
            if word == "pid":
                (pid,) = rest
            elif word == "dead":
                assert rest == [-signal.SIGKILL if stands else 0], said
                return said, stands
            elif word == "failed":
                raise AssertionError(rest[0])
            else:
                stands = stands or word == "stands"
                said.append((word, *rest))
            if stands and pid is not None:
                os.kill(pid, signal.SIGKILL)
                pid = None
        raise AssertionError("the nursery died")


class Life:
    """One search, over all the processes that it takes, and what they have said."""

    def __init__(self, folder, reference):
        self.folder, self.reference = folder, reference
        self.acknowledged, self.begun, self.stored = set(), {}, []
        self.counts = Counter()

    def hear(self, said, was_killed):
        """Take in what a process has said, and look at what it has left."""
        writing = None
        for word, *rest in said:
            if word == "keeps":
                writing = rest[0]
            elif word == "kept":
                self.acknowledged.add(rest[0])
                writing = None
            elif word == "announced":
                assert rest[0] in self.acknowledged
            elif word == "begins":
                number, *what = rest
                assert number not in self.acknowledged
                # a trial in flight keeps its number, its architecture and its seed
                assert self.begun.setdefault(number, what) == what
            elif word == "resumes":
                self.counts["trials that went on from a checkpoint"] += 1
        if was_killed:
            self.counts["kills"] += 1
            self.counts["while a trial was written" if writing else "elsewhere"] += 1
        self.look(writing)

    def look(self, writing):
        """Open the store without a repair: nothing is lost, nothing torn is to be seen."""
        assert verify(self.folder).is_intact, verify(self.folder)
        with Hdf5Store(self.folder, "r") as store:
            self.stored = facts(store.load())
        numbers = {fact["number"] for fact in self.stored}
        lost = self.acknowledged - numbers
        assert not lost, f"acknowledged and lost: {lost}"
        assert numbers <= self.acknowledged | {writing}
        self.counts["stored and not acknowledged"] += len(numbers - self.acknowledged)
        self.acknowledged = numbers
        known = {fact["number"]: fact for fact in self.reference}
        assert [fact for fact in self.stored if fact != known[fact["number"]]] == []


def facts(history):
    """Return what must be the same in each run."""
    return [
        {
            "number": trial.number,
            "decisions": dict(trial.decisions),
            "signature": trial.signature,
            "state": trial.state.value,
            "objectives": dict(trial.objectives),
            "curve": [(report.step, dict(report.values)) for report in trial.curve],
            "seed": trial.seed,
            "replicate": trial.replicate,
            "asked_after": trial.asked_after,
            "answered_by": trial.answered_by,
            "details": dict(trial.details),
            "failure": trial.failure and trial.failure.message,
        }
        for trial in history
    ]


def sha256(history_facts):
    return hashlib.sha256(json.dumps(history_facts, sort_keys=True).encode()).hexdigest()


def kill_often(folder, n_kills, seed):
    """Kill searches at least so often, and hold each against one that was let alone."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    counts, number = Counter(), 0
    with Nursery() as nursery:
        references = {}
        for name, options in SEARCHES.items():
            options = {"n_trials": N_TRIALS, **options}
            said, _ = nursery.run(folder / f"reference-{len(references)}", options)
            assert said[-1] == ("ended",)
            with Hdf5Store(folder / f"reference-{len(references)}", "r") as store:
                references[name] = facts(store.load())
            assert len({fact["state"] for fact in references[name]}) == 2  # some have failed
        while counts["kills"] < n_kills:
            name = list(SEARCHES)[number % len(SEARCHES)]
            options = {"n_trials": N_TRIALS, **SEARCHES[name]}
            life = Life(folder / f"killed-{number}", references[name])
            was_killed = True
            while was_killed:
                moments = WRITING if rng.random() < 0.65 else ELSEWHERE
                said, was_killed = nursery.run(
                    life.folder, options, rng.choice(moments), rng.randrange(5)
                )
                life.hear(said, was_killed)
            assert sha256(life.stored) == sha256(references[name])
            counts += life.counts
            counts["searches"] += 1
            number += 1
    print(f"{counts['kills']} kills of {counts['searches']} searches: {dict(counts)}")
    return counts


def require_enough(counts, n_kills):
    assert counts["kills"] >= n_kills
    assert counts["while a trial was written"] >= counts["kills"] / 2
    assert counts["stored and not acknowledged"] > 0
    assert counts["trials that went on from a checkpoint"] > 0
    assert counts["searches"] >= len(SEARCHES)


def test_a_search_that_is_killed_two_hundred_times_ends_as_one_that_is_not(tmp_path):
    require_enough(kill_often(tmp_path, 200, seed=0), 200)


@pytest.mark.soak
def test_a_search_that_is_killed_a_thousand_times_ends_as_one_that_is_not(tmp_path):
    require_enough(kill_often(tmp_path, 1_000, seed=1), 1_000)
