"""What one process has learned from the data, and the others need not."""

import signal
import subprocess
import sys
import threading

import pytest

from hypernets.adapters.keras.shared_statistics import SharedStatistics

MADE = {"mean": [0.1, float("inf"), -0.0], "vocabulary": ["ä", "b"], "num_bins": None}


def never():
    raise AssertionError("it is known")


def test_what_was_made_once_is_known_to_all(tmp_path):
    folder = tmp_path / "of" / "a search"
    assert SharedStatistics(folder).known("a layer", lambda: MADE) == MADE
    assert SharedStatistics(folder).known("a layer", never) == MADE
    assert SharedStatistics(folder).known("another", lambda: {"mean": 2}) == {"mean": 2}


def test_nothing_is_written_before_there_is_something(tmp_path):
    folder = tmp_path / "statistics"
    SharedStatistics(folder)
    assert not folder.exists()


def test_those_who_come_at_the_same_time_wait_for_the_first(tmp_path):
    n, calls, found = 8, [], []
    gate = threading.Barrier(n)

    def make():
        calls.append(1)
        return MADE

    def ask():
        gate.wait()
        found.append(SharedStatistics(tmp_path).known("a layer", make))

    threads = [threading.Thread(target=ask) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [MADE] * n
    assert len(calls) == 1


def test_what_cannot_be_made_is_tried_again(tmp_path):
    def fail():
        raise ValueError("no good")

    shared = SharedStatistics(tmp_path)
    with pytest.raises(ValueError, match="no good"):
        shared.known("a layer", fail)
    assert shared.known("a layer", lambda: MADE) == MADE


DYING = """
import pathlib, sys
from hypernets.adapters.keras.shared_statistics import SharedStatistics

def make():
    print("within", flush=True)
    sys.stdin.read()

SharedStatistics(pathlib.Path(sys.argv[1])).known("a layer", make)
"""


def test_one_that_is_killed_keeps_nobody_waiting(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", DYING, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "within\n"
        other.kill()
        assert other.wait() == -signal.SIGKILL
    assert SharedStatistics(tmp_path).known("a layer", lambda: MADE) == MADE
