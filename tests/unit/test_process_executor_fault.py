"""What befalls a trial in a process of its own, and that it befalls no other one."""

import ctypes
import gc
import json
import math
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

import numpy as np
import pytest

from hypernets.adapters.process import ProcessExecutor
from hypernets.adapters.process.attempt import Attempt
from hypernets.application import search
from hypernets.application.port import Job, Measurement
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import SearchExhausted, TrainingError
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
        (self.folder / f"hanging-{os.getpid()}").touch()
        while True:
            time.sleep(1)

    def kills_the_zygote_once(self, context):
        mark = self.folder / "zygote-killed"
        if not mark.exists():
            mark.touch()
            zygote = os.getppid()
            assert b"zygote" in pathlib.Path(f"/proc/{zygote}/cmdline").read_bytes()
            os.kill(zygote, signal.SIGKILL)
            time.sleep(600)
        return self.good(context)

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


def processes_of(scratch):
    """Return the pids of all that was started for an executor, whatever group or parent it has.

    Its folder stands in the command line of what starts trials, which all that is forked shares.
    """
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(scratch).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # it ends while it is read
            continue
    return found


@pytest.fixture(params=["fork", "fresh"])
def method(request):
    return request.param


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Return an empty folder, where temporary files are kept from now on."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def hanging_is_late(tmp_path, monkeypatch):
    """Make a trial late as soon as it hangs, and no other one, however slow the machine is."""

    def elapsed_s(attempt, now_s):
        return math.inf if (tmp_path / f"hanging-{attempt.pid}").exists() else 0.0

    monkeypatch.setattr(Attempt, "elapsed_s", elapsed_s)


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


@pytest.mark.usefixtures("hanging_is_late")
@pytest.mark.parametrize("n_workers", [1, 2])
def test_each_fault_is_the_verdict_on_its_own_trial_only(tmp_path, temporary, n_workers, method):
    names = [name for fault in FAULTS for name in (fault, "good")]
    executor = ProcessExecutor(
        n_workers,
        deadline_s=0.1,
        memory_limit_bytes=256 * MEGABYTE,
        preload=(),
        retries=1,
        method=method,
    )
    with executor:
        outcomes = run(executor, tmp_path, *names)
        scratch = executor._house.scratch.path
        assert processes_of(scratch) or method == "fresh"  # whose last one may have gone
    found = [
        (name, o.state, o.failure and o.failure.kind)
        for name, o in zip(names, outcomes, strict=True)
    ]
    wanted = {**FAULTS, "good": (S.COMPLETED, None)}
    assert found == [(name, *wanted[name]) for name in names]
    assert all(len(outcome.curve) == 1 for outcome in outcomes)
    wait_until(lambda: not processes_of(scratch))
    assert not any(is_alive(path.read_text()) for path in tmp_path.glob("pid-*"))
    assert list(temporary.iterdir()) == []


class InOrder:
    """Proposes the architectures of a space in the order of their only decision."""

    direction, seed = "max", 0

    def __init__(self, space, n):
        self.space, self.left = space, list(range(1, n + 1))

    def ask(self):
        if not self.left:
            raise SearchExhausted
        return self.space.architecture({"units": self.left.pop(0)})

    def tell(self, trial):
        pass


class Ends:
    def __init__(self):
        self.numbers = Counter()

    def on_trial_end(self, trial, improved):
        self.numbers[trial.number] += 1


@pytest.mark.usefixtures("hanging_is_late")
@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_search_completes_whatever_befalls_its_trials(tmp_path, temporary, n_workers, method):
    faults = dict(FAULTS)
    if method == "fork":
        faults["kills_the_zygote_once"] = (S.COMPLETED, None)
    names = [name for fault in faults for name in (fault, "good")]
    space = HyperSpace()
    with space.as_default():
        Dense(units=Choice(list(range(1, len(names) + 1)), name="units"))(Input(shape=2))
    estimator, ends = Faulty(tmp_path), Ends()

    def estimate(architecture, context):
        return estimator.estimate(names[architecture.decisions["units"] - 1], context)

    executor = ProcessExecutor(
        n_workers,
        deadline_s=0.1,
        memory_limit_bytes=256 * MEGABYTE,
        preload=(),
        method=method,
    )
    with executor:
        history = search(
            space,
            InOrder(space, len(names)),
            estimate,
            executor=executor,
            n_workers=n_workers,
            callbacks=[ends],
        )
        scratch = executor._house.scratch.path
    found = {t.number: (t.state, t.failure and t.failure.kind) for t in history}
    wanted = {**faults, "good": (S.COMPLETED, None)}
    assert found == {number: wanted[name] for number, name in enumerate(names, 1)}
    assert len(history) == len(names)
    assert ends.numbers == dict.fromkeys(found, 1)
    wait_until(lambda: not processes_of(scratch))
    assert list(temporary.iterdir()) == []


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


def test_a_daemon_that_a_trial_leaves_is_ended(tmp_path):
    with ProcessExecutor(preload=()) as executor:
        (outcome,) = run(executor, tmp_path, "leaves_a_daemon")
        assert outcome.state is S.COMPLETED
        wait_until(lambda: not is_alive((tmp_path / "daemon").read_text()))


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


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_the_coordinator_dies_all_goes_with_it(tmp_path, method, n_workers, death):
    program = tmp_path / "program.py"
    program.write_text(COORDINATOR)
    environ = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, str(program), method, str(n_workers), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
    )
    with process:
        pids = json.loads(process.stdout.readline())
        assert len(pids) == 2 * n_workers
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
method, n_workers, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])

class Hanging:
    def estimate(self, architecture, context):
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        path = folder / f"pids-{context.number}"
        path.with_suffix(".tmp").write_text(f"{os.getpid()} {grandchild.pid}")
        path.with_suffix(".tmp").rename(path)
        time.sleep(600)

executor = ProcessExecutor(n_workers, preload=(), method=method)
for number in range(1, n_workers + 1):
    executor.submit(Job(number, "a", Hanging(), seed=1), lambda report: False)
paths = [folder / f"pids-{number}" for number in range(1, n_workers + 1)]
while not all(path.exists() for path in paths):
    executor.completed(timeout_s=0.01)
pids = [int(pid) for path in paths for pid in path.read_text().split()]
print(json.dumps(pids), flush=True)
executor.completed()
"""


def test_hundreds_of_trials_leave_no_descriptor_and_no_process_behind(method):
    class Quick:
        def estimate(self, architecture, context):
            return Measurement({"x": 1.0})

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    gc.collect()  # what earlier tests have let go of would be closed at some moment between
    before = descriptors()
    with ProcessExecutor(2, preload=(), method=method, recycle_after=3) as executor:
        for number in range(1, 91):
            executor.submit(Job(number, "a", Quick(), seed=1), lambda report: False)
        n_done = 0
        while n_done < 90:
            n_done += len(list(executor.completed()))
        # Idle workers keep two each, the zygote its own few; one a trial or a worker would be 30.
        assert descriptors() - before < 15
        scratch = executor._house.scratch.path
        assert len(processes_of(scratch)) <= 2
        files = [path.name for path in scratch.iterdir()]
        assert all(name.startswith(("trial-", "zygote", "worker")) for name in files)
    assert descriptors() == before
    wait_until(lambda: not processes_of(scratch))
