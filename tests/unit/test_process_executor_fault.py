"""What befalls a trial in a process of its own, and that it befalls no other one."""

import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from hypernets.adapters.process import ProcessExecutor
from hypernets.application import search
from hypernets.application.port import Job, Measurement
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import TrainingError
from hypernets.domain.history import TrialState
from hypernets.frameworks.keras.layers import Dense, Input

MEGABYTE = 2**20
S = TrialState


class Faulty:
    """Does what the architecture says."""

    def __init__(self, folder):
        self.folder = folder

    def estimate(self, architecture, context):
        (self.folder / f"pid-{context.number}").write_text(str(os.getpid()))
        context.report(1, {"x": context.number})
        return getattr(self, architecture)(context)

    def good(self, context):
        return Measurement({"x": float(context.number)})

    def raises(self, context):
        raise TrainingError("no luck")

    def exits(self, context):
        sys.exit(3)

    def os_exits(self, context):
        os._exit(0)

    def os_exits_badly(self, context):
        os._exit(1)

    def segfaults(self, context):
        ctypes.string_at(0)

    def aborts(self, context):
        os.abort()

    def is_killed(self, context):
        with (self.folder / "attempts").open("a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)

    def is_killed_once(self, context):
        mark = self.folder / f"killed-{context.number}"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.good(context)

    def hangs(self, context):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        while True:
            time.sleep(1)

    def hogs(self, context):
        return Measurement({"x": len(bytearray(2**40))})

    def grows(self, context):
        held = []
        while True:
            held.append(np.ones(MEGABYTE // 8))

    def unpicklable(self, context):
        return Measurement({"x": 1.0}, details={"f": lambda: 0})

    def leaves_a_grandchild(self, context):
        """Leaves a process that holds every descriptor, the line to the coordinator included."""
        pid = os.fork()
        if not pid:
            time.sleep(600)
        (self.folder / "grandchild").write_text(str(pid))
        return self.good(context)

    def leaves_a_daemon(self, context):
        reading, writing = os.pipe()
        if not os.fork():
            os.setsid()
            if os.fork():
                os._exit(0)
            (self.folder / "daemon").write_text(str(os.getpid()))
            os.write(writing, b"x")
            time.sleep(600)
        os.read(reading, 1)
        return self.good(context)

    def babbles(self, context):
        """Writes to every descriptor that is open, the line to the coordinator included."""
        for number in range(3, 64):
            try:
                os.write(number, b"\xff" * 64)
            except OSError:
                continue
        time.sleep(600)


def run(executor, folder, *architectures):
    """Return the outcomes of trials, in their order, each of which came exactly once."""
    estimator = Faulty(folder)
    tickets = [
        executor.submit(Job(n, a, estimator, seed=n), lambda report: False)
        for n, a in enumerate(architectures, 1)
    ]
    outcomes = []
    while len(outcomes) < len(tickets):
        outcomes.extend(executor.completed())
    assert list(executor.completed(timeout_s=0.0)) == []
    by_ticket = {outcome.ticket: outcome for outcome in outcomes}
    assert len(by_ticket) == len(outcomes)
    return [by_ticket[ticket] for ticket in tickets]


def is_alive(pid):
    try:
        status = pathlib.Path("/proc", str(pid), "status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ends while it is read
        return False
    return "\nState:\tZ" not in status


def wait_until(condition):
    """Wait for what must happen; the test times out where it does not."""
    while not condition():
        time.sleep(0.005)


@pytest.fixture(params=["fork", "fresh"])
def method(request):
    return request.param


FAULTS = {
    "raises": (S.FAILED, "TrainingError"),
    "exits": (S.FAILED, "SystemExit"),
    "os_exits": (S.FAILED, "ProcessExitError"),
    "os_exits_badly": (S.FAILED, "ProcessExitError"),
    "segfaults": (S.FAILED, "SIGSEGV"),
    "aborts": (S.FAILED, "SIGABRT"),
    "is_killed_once": (S.COMPLETED, None),
    "is_killed": (S.LOST, "TrialLostError"),
    "hangs": (S.TIMED_OUT, "TrialTimeoutError"),
    "hogs": (S.OUT_OF_MEMORY, "MemoryError"),
    "grows": (S.OUT_OF_MEMORY, "OutOfMemoryError"),
    "unpicklable": (S.FAILED, "TrainingError"),
    "babbles": (S.FAILED, "ProtocolError"),
    "leaves_a_grandchild": (S.COMPLETED, None),
}


@pytest.mark.parametrize("n_workers", [1, 2])
def test_each_fault_is_the_verdict_on_its_own_trial_only(tmp_path, n_workers, method):
    names = [name for fault in FAULTS for name in (fault, "good")]
    executor = ProcessExecutor(
        n_workers,
        deadline_s=3.0,
        memory_limit_bytes=256 * MEGABYTE,
        preload=(),
        retries=1,
        method=method,
    )
    with executor:
        outcomes = dict(zip(names, run(executor, tmp_path, *names), strict=True))
        scratch = executor._house.scratch.path
    found = {name: (o.state, o.failure and o.failure.kind) for name, o in outcomes.items()}
    assert found == {**FAULTS, "good": (S.COMPLETED, None)}
    assert all(len(outcome.curve) == 1 for outcome in outcomes.values())
    assert not scratch.exists()
    assert not any(is_alive(path.read_text()) for path in tmp_path.glob("pid-*"))
    wait_until(lambda: not is_alive((tmp_path / "grandchild").read_text()))


def test_only_what_was_lost_is_tried_again_and_its_reports_begin_anew(tmp_path):
    with ProcessExecutor(preload=(), retries=2) as executor:
        (outcome,) = run(executor, tmp_path, "is_killed")
    assert outcome.state is S.LOST
    assert (tmp_path / "attempts").read_text() == "xxx"
    assert len(outcome.curve) == 1
    assert "in 3 attempts" in outcome.failure.message


def test_a_fault_of_compiled_code_says_where_in_the_log(tmp_path):
    with ProcessExecutor(preload=()) as executor:
        (outcome,) = run(executor, tmp_path, "segfaults")
    assert "string_at" in outcome.failure.traceback
    assert "in segfaults" in outcome.failure.traceback


def test_a_trial_that_hangs_says_where(tmp_path, method):
    with ProcessExecutor(preload=(), deadline_s=0.3, method=method) as executor:
        (outcome,) = run(executor, tmp_path, "hangs")
    assert "in hangs" in outcome.failure.traceback
    assert "deadline_s=0.3" in outcome.failure.message


def test_what_the_search_does_meanwhile_is_not_counted_to_the_deadline(method):
    class Asking:
        def estimate(self, architecture, context):
            context.report(1, {})
            return Measurement({"x": 1.0})

    def slow(report):
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            pass
        return False

    with ProcessExecutor(preload=(), deadline_s=0.5, method=method) as executor:
        executor.submit(Job(1, "a", Asking(), seed=1), slow)
        (outcome,) = executor.completed()
    assert outcome.state is S.COMPLETED


def test_a_result_that_is_there_counts_however_late_it_is_looked_at(tmp_path, method):
    class Quick:
        def estimate(self, architecture, context):
            return Measurement({"x": 1.0})

    with ProcessExecutor(preload=(), deadline_s=0.2, method=method) as executor:
        for number in (1, 2):  # the first one starts what starts the processes
            executor.submit(Job(number, "a", Quick(), seed=1), lambda report: False)
            until = time.monotonic() + 0.4
            wait_until(lambda until=until: time.monotonic() > until)
            (outcome,) = executor.completed()
            assert outcome.state is S.COMPLETED


def test_a_process_that_does_not_end_after_its_result_is_ended(tmp_path, monkeypatch):
    class Lingering:
        def estimate(self, architecture, context):
            os._exit = lambda status: time.sleep(600)  # in the process of the trial
            return Measurement({"x": 1.0})

    monkeypatch.setattr("hypernets.adapters.process.executor._GRACE_S", 0.1)
    with ProcessExecutor(preload=()) as executor:
        executor.submit(Job(1, "a", Lingering(), seed=1), lambda report: False)
        (outcome,) = executor.completed()
    assert outcome.state is S.COMPLETED


def test_a_daemon_that_a_trial_leaves_is_ended(tmp_path):
    with ProcessExecutor(preload=()) as executor:
        (outcome,) = run(executor, tmp_path, "leaves_a_daemon")
        assert outcome.state is S.COMPLETED
        wait_until(lambda: not is_alive((tmp_path / "daemon").read_text()))


def running(executor, folder, n):
    """Begin `n` trials that hang and return the pids of their processes, when they do."""
    estimator = Faulty(folder)
    for number in range(1, n + 1):
        executor.submit(Job(number, "hangs", estimator, seed=1), lambda report: False)
    paths = [folder / f"pid-{number}" for number in range(1, n + 1)]
    while not all(path.exists() and path.read_text() for path in paths):
        assert list(executor.completed(timeout_s=0.01)) == []
    return [int(path.read_text()) for path in paths]


@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_killed_zygote_costs_an_attempt_and_no_trial(tmp_path, n_workers):
    class Waiting:
        def estimate(self, architecture, context):
            (tmp_path / f"begun-{context.number}").touch()
            while not (tmp_path / "go").exists():
                time.sleep(0.001)
            return Measurement({"x": float(context.number)})

    with ProcessExecutor(n_workers, preload=()) as executor:
        for number in range(1, n_workers + 1):
            executor.submit(Job(number, "a", Waiting(), seed=1), lambda report: False)
        while len(list(tmp_path.glob("begun-*"))) < n_workers:
            list(executor.completed(timeout_s=0.01))
        os.kill(executor._house.launcher._zygote.process.pid, signal.SIGKILL)
        (tmp_path / "go").touch()
        outcomes = []
        while len(outcomes) < n_workers:
            outcomes.extend(executor.completed())
    assert {outcome.state for outcome in outcomes} == {S.COMPLETED}
    assert len({outcome.ticket for outcome in outcomes}) == n_workers


def test_a_zygote_that_never_comes_up_loses_the_trial_and_says_why(tmp_path, monkeypatch):
    (tmp_path / "deadly_module.py").write_text("import os\nos._exit(7)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ProcessExecutor(preload=("deadly_module",), retries=1) as executor:
        (outcome,) = run(executor, tmp_path, "good")
    assert outcome.state is S.LOST


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_the_coordinator_dies_all_goes_with_it(tmp_path, method, death):
    program = tmp_path / "program.py"
    program.write_text(COORDINATOR)
    environ = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, str(program), method, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
    )
    with process:
        pids = json.loads(process.stdout.readline())
        assert len(pids) == 4
        assert all(is_alive(pid) for pid in pids)
        process.send_signal(death)
        process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))
    wait_until(lambda: not list((tmp_path / "temporary").iterdir()))


COORDINATOR = """
import json, os, pathlib, signal, subprocess, sys, time
from hypernets.adapters.process import ProcessExecutor
from hypernets.application.port import Job

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
method, folder = sys.argv[1], pathlib.Path(sys.argv[2])

class Hanging:
    def estimate(self, architecture, context):
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        path = folder / f"pids-{context.number}"
        path.with_suffix(".tmp").write_text(f"{os.getpid()} {grandchild.pid}")
        path.with_suffix(".tmp").rename(path)
        time.sleep(600)

executor = ProcessExecutor(2, preload=(), method=method)
for number in (1, 2):
    executor.submit(Job(number, "a", Hanging(), seed=1), lambda report: False)
paths = [folder / "pids-1", folder / "pids-2"]
while not all(path.exists() for path in paths):
    executor.completed(timeout_s=0.01)
pids = [int(pid) for path in paths for pid in path.read_text().split()]
print(json.dumps(pids), flush=True)
executor.completed()
"""


def test_a_search_completes_whatever_befalls_its_trials(tmp_path):
    faults = ["os_exits", "segfaults", "hangs", "raises", "is_killed_once", "good", "good", "good"]
    space = HyperSpace()
    with space.as_default():
        Dense(units=Choice(list(range(1, len(faults) + 1)), name="units"))(Input(shape=2))
    estimator = Faulty(tmp_path)

    def estimate(architecture, context):
        return getattr(estimator, faults[architecture.decisions["units"] - 1])(context)

    with ProcessExecutor(2, deadline_s=0.5, preload=()) as executor:
        history = search(
            space,
            estimate=estimate,
            direction="max",
            seed=0,
            executor=executor,
            n_workers=2,
        )
    states = {faults[t.decisions["units"] - 1]: t.state for t in history}
    assert states == {
        "os_exits": S.FAILED,
        "segfaults": S.FAILED,
        "hangs": S.TIMED_OUT,
        "raises": S.FAILED,
        "is_killed_once": S.COMPLETED,
        "good": S.COMPLETED,
    }
    assert sorted(trial.number for trial in history) == list(range(1, len(faults) + 1))


def test_hundreds_of_trials_leave_no_descriptor_and_no_process_behind(method):
    class Quick:
        def estimate(self, architecture, context):
            return Measurement({"x": 1.0})

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    with ProcessExecutor(2, preload=(), method=method, recycle_after=3) as executor:
        for number in range(1, 91):
            executor.submit(Job(number, "a", Quick(), seed=1), lambda report: False)
        n_done = 0
        while n_done < 90:
            n_done += len(list(executor.completed()))
        # Idle workers keep two each, the zygote its own few; one a trial or a worker would be 30.
        assert descriptors() - before < 15
        files = [path.name for path in executor._house.scratch.path.iterdir()]
        assert all(name.startswith(("trial-", "zygote", "worker")) for name in files)
    assert descriptors() == before
