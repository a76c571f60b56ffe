"""Kills: a real process that appends is killed, at every write and anywhere; nothing is lost."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter

import pytest

from hypernets.adapters.store.hdf5 import Hdf5Store
from hypernets.domain.history import Report, Trial, TrialState

# It forks a child for each line that it reads: (folder, first number, kill at which write, how).
# The child says when it begins to append and when that was acknowledged.
PROGRAM = """
import json, os, signal, sys, h5py
from hypernets.adapters.store.hdf5 import Hdf5Store, writer
from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.domain.history import Report, Trial, TrialState

writer._FEWEST_ROWS, writer._MOST_ROWS, writer._LEAST_DOCUMENT = 7, 40, 300

def trial(number):
    curve = tuple(Report(step, {"loss": step / number}) for step in range(number * 7 % 12))
    state = TrialState.COMPLETED
    return Trial(number, {"n": number}, f"s{number}", state, {"r": number}, curve=curve)

class Quick(SystemDisk):
    def sync(self, descriptor):  # what is written survives a kill without it
        pass
    def sync_folder(self, folder):
        pass

class Deadly(Quick):
    def __init__(self, at, how):
        self.left, self.how = at, how
    def die(self):
        os.kill(os.getpid(), signal.SIGKILL)
    def turn(self):
        self.left -= 1
        return self.left == 0
    def write(self, descriptor, content, offset):
        mine = self.turn()
        if mine and self.how == "before":
            self.die()
        if mine and self.how == "half":
            os.pwrite(descriptor, content[: len(content) // 2], offset)
            self.die()
        super().write(descriptor, content, offset)
        if mine:
            self.die()
    def sync(self, descriptor):
        if self.turn():
            self.die()
    def rename(self, source, target):
        mine = self.turn()
        if mine and self.how == "before":
            self.die()
        super().rename(source, target)
        if mine:
            self.die()
    def remove(self, path):
        super().remove(path)
        if self.turn():
            self.die()

def child(folder, first, at, how, compact):
    disk = Deadly(at, how) if at else Quick()
    store = Hdf5Store(folder, disk=disk)
    if compact:
        os.write(1, b"compact\\n")
        store.compact()
        os.write(1, b"compacted\\n")
    for number in range(first, first + 400):
        os.write(1, f"begin {number}\\n".encode())
        store.append(trial(number))
        os.write(1, f"kept {number}\\n".encode())
    os._exit(0)

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        child(*json.loads(line))
    os.write(1, f"pid {pid}\\n".encode())
    status = os.waitpid(pid, 0)[1]
    os.write(1, f"dead {os.waitstatus_to_exitcode(status)}\\n".encode())
"""


def trial(number):
    curve = tuple(Report(step, {"loss": step / number}) for step in range(number * 7 % 12))
    return Trial(
        number, {"n": number}, f"s{number}", TrialState.COMPLETED, {"r": number}, curve=curve
    )


class Nursery:
    """Makes children, and reads what they say."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.process.stdout.close()

    def run(self, *what, kill_when=None):
        """Return what the child said, killed from here as soon as it says something."""
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        said, pid, due = [], None, False
        for line in self.process.stdout:
            word = line.strip()
            if word.startswith("pid "):
                pid = int(word[4:])
            elif word.startswith("dead "):
                assert word == f"dead {-signal.SIGKILL}", said
                return said
            else:
                said.append(word)
                due = due or word == kill_when
            if due and pid is not None:
                os.kill(pid, signal.SIGKILL)
                due = False
        raise AssertionError("the nursery died")


def kill_often(folder, n_kills, seed):
    rng = random.Random(seed)  # noqa: S311 - no secret
    counts, n_stored = Counter(), 0
    with Nursery() as nursery:
        for i in range(n_kills):
            if n_stored > 400:
                folder, n_stored = folder.with_name(f"{folder.name}x"), 0
            compact = rng.random() < 0.1
            if i % 2:
                at, how = rng.randint(1, 12), rng.choice(("before", "half", "after"))
                said = nursery.run(str(folder), n_stored + 1, at, how, compact)
            else:
                begin = f"begin {n_stored + rng.randint(1, 30)}"
                said = nursery.run(str(folder), n_stored + 1, 0, "", compact, kill_when=begin)
            kept = max((int(w[5:]) for w in said if w.startswith("kept ")), default=n_stored)
            counts[
                "while it wrote"
                if said and said[-1].startswith(("begin", "compact")) and said[-1] != "compacted"
                else "between writes"
            ] += 1
            n_stored = check(folder, kept, counts)
    print(f"{n_kills} kills: {dict(counts)}")
    return counts


def check(folder, kept, counts):
    with Hdf5Store(folder, "r") as store:
        found = list(store.load())
    assert len(found) in (kept, kept + 1), f"{len(found)} stored, {kept} acknowledged"
    assert found == [trial(number) for number in range(1, len(found) + 1)]
    counts["stored and not acknowledged"] += len(found) - kept
    return len(found)


def test_two_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path):
    counts = kill_often(tmp_path / "store", 200, seed=0)
    assert counts["while it wrote"] >= 100
    assert counts["stored and not acknowledged"] > 0


@pytest.mark.soak
def test_a_thousand_kills_lose_nothing_that_was_acknowledged(tmp_path):
    counts = kill_often(tmp_path / "store", 1_000, seed=1)
    assert counts["while it wrote"] >= 500
