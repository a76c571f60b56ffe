"""How long a trial in a process of its own may take, and what of that is its own doing.

Where it matters how late it is, the clock is put forward by hand: a slow machine changes nothing.
"""

import os
import pathlib
import signal
import socket
import time

import pytest

from hypernets.adapters.process import ProcessExecutor
from hypernets.application.port import Job, Measurement
from hypernets.domain.history import TrialState

DEADLINE_S = 600.0


class PutForward:
    """The clock of the machine, ahead by as much as it is told to be."""

    def __init__(self, executor):
        self.ahead_s = 0.0
        executor._clock = self

    def __call__(self):
        return time.monotonic() + self.ahead_s


class Hanging:
    def __init__(self, mark):
        self.mark = mark

    def estimate(self, architecture, context):
        self.hang()

    def hang(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        self.mark.write_text(str(os.getpid()))
        while True:
            time.sleep(1)


class Quick:
    def estimate(self, architecture, context):
        return Measurement({"x": 1.0})


def ignore(report):
    return False


@pytest.fixture(params=["fork", "fresh"])
def method(request):
    return request.param


def test_a_trial_that_hangs_is_ended_when_its_time_is_up(tmp_path, method):
    with ProcessExecutor(preload=(), deadline_s=0.3, method=method) as executor:
        executor.submit(Job(1, "a", Hanging(tmp_path / "mark"), seed=1), ignore)
        (outcome,) = executor.completed()
        assert outcome.state is TrialState.TIMED_OUT
        assert "deadline_s=0.3" in outcome.failure.message
        executor.submit(Job(2, "a", Hanging(tmp_path / "mark"), seed=1), ignore)
        (outcome,) = executor.completed()
        assert outcome.state is TrialState.TIMED_OUT


def test_a_trial_that_hangs_says_where(tmp_path, method):
    mark = tmp_path / "mark"
    with ProcessExecutor(preload=(), deadline_s=DEADLINE_S, method=method) as executor:
        clock = PutForward(executor)
        executor.submit(Job(1, "a", Hanging(mark), seed=1), ignore)
        while not (mark.exists() and mark.read_text()):
            assert list(executor.completed(timeout_s=0.01)) == []
        clock.ahead_s = DEADLINE_S
        (outcome,) = executor.completed()
        assert outcome.state is TrialState.TIMED_OUT
        assert "in hang" in outcome.failure.traceback
        assert not pathlib.Path("/proc", mark.read_text()).exists()


def test_what_the_search_does_meanwhile_is_not_counted_to_the_deadline(method):
    class Asking:
        def estimate(self, architecture, context):
            context.report(1, {})
            return Measurement({"x": 1.0})

    with ProcessExecutor(preload=(), deadline_s=DEADLINE_S, method=method) as executor:
        clock = PutForward(executor)

        def slow(report):
            clock.ahead_s += 2 * DEADLINE_S
            return False

        executor.submit(Job(1, "a", Asking(), seed=1), slow)
        (outcome,) = executor.completed()
    assert outcome.state is TrialState.COMPLETED


def test_a_result_that_is_there_counts_however_late_it_is_looked_at(method):
    with ProcessExecutor(preload=(), deadline_s=DEADLINE_S, method=method) as executor:
        clock = PutForward(executor)
        for number in (1, 2):  # the first one starts what starts the processes
            ticket = executor.submit(Job(number, "a", Quick(), seed=1), ignore)
            channel = executor._running[ticket].channel
            while b'"result"' not in channel.recv(2**16, socket.MSG_PEEK):
                time.sleep(0.001)
            clock.ahead_s = 2 * DEADLINE_S
            (outcome,) = executor.completed()
            assert outcome.state is TrialState.COMPLETED
            clock.ahead_s = 0.0


def test_a_process_that_does_not_end_after_its_result_is_ended(monkeypatch):
    class Lingering:
        def estimate(self, architecture, context):
            os._exit = lambda status: time.sleep(600)  # in the process of the trial
            return Measurement({"x": 1.0})

    monkeypatch.setattr("hypernets.adapters.process.executor._GRACE_S", 0.1)
    with ProcessExecutor(preload=()) as executor:
        executor.submit(Job(1, "a", Lingering(), seed=1), ignore)
        (outcome,) = executor.completed()
    assert outcome.state is TrialState.COMPLETED
