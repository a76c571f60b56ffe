"""Trials in processes of their own: what they are given, what comes back, what is left."""

import os
import pathlib
import sys
import threading
import time

import numpy as np
import pytest

from hypernets.adapters.process import ArtifactFile, ProcessExecutor
from hypernets.application import search
from hypernets.application.port import Job, Measurement
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.architecture.detached import DetachedArchitecture
from hypernets.domain.error import SearchError
from hypernets.domain.history import TrialState
from hypernets.frameworks.keras.layers import Dense, Input

FACTOR = 3  # a global of this module, which no path leads to


class Calling:
    """Measures by calling a function of the context."""

    def __init__(self, function):
        self.function = function

    def estimate(self, architecture, context):
        return self.function(architecture, context)


def job(number, function, architecture="an architecture"):
    return Job(number, architecture, Calling(function), seed=number)


def measured(**objectives):
    return Measurement(objectives)


def ignore(report):
    return False


def run(executor, *jobs, report=ignore):
    """Return the outcomes of jobs, in their order."""
    tickets = [executor.submit(each, report) for each in jobs]
    outcomes = {}
    while len(outcomes) < len(jobs):
        outcomes.update({outcome.ticket: outcome for outcome in executor.completed()})
    assert list(executor.completed()) == []
    return [outcomes[ticket] for ticket in tickets]


@pytest.fixture(scope="module", params=["fork", "fresh"])
def executor(request):
    with ProcessExecutor(preload=(), method=request.param) as executor:
        yield executor


@pytest.fixture(params=["fork", "fresh"])
def own_executor(request):
    with ProcessExecutor(preload=(), method=request.param) as executor:
        yield executor


def make_space():
    space = HyperSpace()
    with space.as_default():
        x = Dense(units=Choice([4, 8], name="units"), activation=Choice([abs, None], name="act"))(
            Input(shape=3)
        )
        Dense(units=1, name="out")(x)
    return space


# --- what a trial is given ------------------------------------------------------


def test_a_trial_has_a_process_of_its_own_and_code_that_no_path_leads_to(executor):
    (outcome,) = run(executor, job(1, lambda a, c: measured(pid=os.getpid(), factor=FACTOR)))
    assert outcome.measurement.objectives["pid"] != os.getpid()
    assert outcome.measurement.objectives["factor"] == 3


def test_forked_trials_have_a_process_each_and_workers_serve_several():
    with ProcessExecutor(preload=(), method="fork") as executor:
        first, second = run(
            executor, *[job(n, lambda a, c: measured(x=os.getpid())) for n in (1, 2)]
        )
        assert first.measurement != second.measurement
    with ProcessExecutor(preload=(), method="fresh", recycle_after=2) as executor:
        jobs = [job(n, lambda a, c: measured(x=os.getpid())) for n in range(1, 6)]
        pids = [outcome.measurement.objectives["x"] for outcome in run(executor, *jobs)]
        assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


def test_a_trial_finds_itself_where_the_search_is(executor, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("A_WORD", "given")
    monkeypatch.setattr(sys, "argv", ["program", "--flag"])
    monkeypatch.syspath_prepend(str(tmp_path))

    def look(architecture, context):
        details = {
            "cwd": os.getcwd(),
            "word": os.environ["A_WORD"],
            "argv": sys.argv,
            "path": sys.path[0],
            "stdin": sys.stdin.read(),
        }
        return Measurement({"x": 1.0}, details=details)

    (outcome,) = run(executor, job(1, look))
    here = str(tmp_path)
    wanted = {"cwd": here, "word": "given", "argv": ["program", "--flag"], "path": here}
    assert outcome.measurement.details == {**wanted, "stdin": ""}


def test_an_architecture_travels_without_its_space(executor):
    space = make_space()
    architecture = space.sample(seed=1)

    def look(found, context):
        details = {
            "kind": type(found).__name__,
            "decisions": {name: repr(value) for name, value in found.decisions.items()},
            "text": found.to_text(),
            "json": found.to_json(),
            "signature": found.signature,
        }
        return Measurement({"parameters": found.cost().parameters}, details=details)

    (outcome,) = run(executor, job(1, look, architecture))
    assert outcome.measurement.objectives["parameters"] == architecture.cost().parameters
    assert outcome.measurement.details == {
        "kind": "DetachedArchitecture",
        "decisions": {name: repr(value) for name, value in architecture.decisions.items()},
        "text": architecture.to_text(),
        "json": architecture.to_json(),
        "signature": architecture.signature,
    }


def test_a_detached_architecture_holds_no_space():
    architecture = make_space().sample(seed=1)
    detached = architecture.detached()
    assert isinstance(detached, DetachedArchitecture)
    assert detached.detached() is detached
    assert detached == make_space().sample(seed=1).detached()
    changed = {**architecture.decisions, "act": None if architecture.decisions["act"] else abs}
    assert detached != make_space().architecture(changed).detached()
    assert repr(detached) == repr(architecture).replace("<", "<Detached", 1)
    assert not hasattr(detached, "frozen")


def test_large_arrays_are_written_once_and_a_trial_may_change_its_own(own_executor):
    data = np.zeros(2**18)  # two megabytes

    class Summing:
        def __init__(self):
            self.data = data
            self.words = np.array(["a", "b"] * 2**17, dtype=object)

        def estimate(self, architecture, context):
            before = float(self.data.sum())
            self.data += 1.0
            details = {"kind": type(self.data).__name__, "words": "".join(self.words[:3])}
            return Measurement({"before": before, "after": self.data.sum()}, details=details)

    estimator = Summing()
    outcomes = run(own_executor, *[Job(n, "a", estimator, seed=n) for n in (1, 2)])
    for outcome in outcomes:
        assert outcome.measurement.objectives == {"before": 0.0, "after": 2.0**18}
        assert outcome.measurement.details == {"kind": "ndarray", "words": "aba"}
    assert data.sum() == 0.0
    scratch = own_executor._house.scratch.path
    assert sorted(path.name for path in scratch.glob("array-*")) == ["array-1.npy", "array-2.npy"]
    assert list(scratch.glob("job-*")) == list(scratch.glob("header-*")) == []


def test_what_is_random_by_accident_is_seeded_all_the_same(executor):
    def draw(architecture, context):
        import random

        return measured(a=random.random(), b=np.random.rand())  # noqa: NPY002, S311 - as users do

    first, again = run(executor, job(7, draw), job(7, draw))
    (other,) = run(executor, job(8, draw))
    assert first.measurement == again.measurement
    assert other.measurement.objectives["a"] != first.measurement.objectives["a"]
    assert other.measurement.objectives["b"] != first.measurement.objectives["b"]


def test_the_threads_of_the_machine_are_divided():
    class Asking:
        def prepare_process(self, threads):
            self.threads = threads

        def estimate(self, architecture, context):
            environ = os.environ.get("TF_NUM_INTRAOP_THREADS")
            return Measurement({"x": 1.0}, details={"threads": self.threads, "environ": environ})

    cores = len(os.sched_getaffinity(0))
    for options, wanted in (
        ({"n_workers": 2}, max(1, cores // 2)),
        ({"threads": 3}, 3),
        ({}, None),
    ):
        with ProcessExecutor(preload=(), **options) as executor:
            (outcome,) = run(executor, Job(1, "a", Asking(), seed=1))
        details = outcome.measurement.details
        assert details == {"threads": wanted, "environ": None if wanted is None else str(wanted)}


# --- what comes back ------------------------------------------------------------


def test_numbers_come_back_as_they_were(executor):
    def estimate(architecture, context):
        context.report(1, {"loss": float("nan"), "x": 1 / 3})
        return Measurement(
            {"a": 1 / 3, "b": np.float32(0.1), "c": float("inf"), "d": np.int64(2**40)},
            timings={"fit_s": 0.25},
            details={"list": [1, None, "é"], "array": np.arange(3)},
        )

    (outcome,) = run(executor, job(1, estimate))
    measurement = outcome.measurement
    wanted = {"a": 1 / 3, "b": float(np.float32(0.1)), "c": float("inf"), "d": 2**40}
    assert measurement.objectives == wanted
    assert measurement.timings == {"fit_s": 0.25}
    assert measurement.details == {"list": [1, None, "é"], "array": [0, 1, 2]}
    (report,) = outcome.curve
    assert report.values["x"] == 1 / 3
    assert np.isnan(report.values["loss"])


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda: "seven", "must return a Measurement; received 'seven'"),
        (lambda: Measurement({"x": object()}), "objectives of a measurement must be JSON values"),
        (lambda: Measurement({"x": 1}, details={"f": len}), "details of a measurement must be"),
        (lambda: Measurement({"x": 1}, artifact=object()), "must be a list of arrays"),
        (lambda: Measurement({"x": 1}, artifact=[threading.Lock()]), "must be a list of arrays"),
    ],
)
def test_what_cannot_come_back_fails_its_trial(executor, returned, message):
    (outcome,) = run(executor, job(1, lambda a, c: returned()))
    assert outcome.state is TrialState.FAILED
    assert message in outcome.failure.message


def test_an_artifact_comes_back_as_a_file_that_goes_with_its_last_holder(own_executor, tmp_path):
    arrays = [np.arange(6.0).reshape(2, 3), np.array(7)]
    first, second = run(
        own_executor,
        *[job(n, lambda a, c: Measurement({"x": 1}, artifact=arrays)) for n in (1, 2)],
    )
    kept, dropped = first.measurement.artifact, second.measurement.artifact
    assert isinstance(kept, ArtifactFile)
    assert kept.is_intact()
    assert [a.tolist() for a in kept.arrays()] == [a.tolist() for a in arrays]
    kept.move_to(tmp_path / "kept.npz")
    path = dropped.path
    assert path.exists()
    del second, dropped
    assert not path.exists()
    own_executor.close()
    assert len(kept.arrays()) == 2
    kept.path.write_bytes(b"something else")
    assert not kept.is_intact()


def test_an_estimator_may_write_its_artifact_itself(executor):
    class Writing:
        def estimate(self, architecture, context):
            return Measurement({"x": 1}, artifact="some text")

        def save_artifact(self, artifact, path):
            path.write_text(artifact)

    (outcome,) = run(executor, Job(1, "a", Writing(), seed=1))
    assert outcome.measurement.artifact.path.read_text() == "some text"


def test_a_trial_is_told_to_stop_at_the_very_report(executor):
    def estimate(architecture, context):
        steps = [step for step in range(1, 100) if context.report(step, {"x": step})]
        return Measurement({"n_steps": 100 - steps[0]}, details={"first": steps[0]})

    (outcome,) = run(executor, job(1, estimate), report=lambda report: report.step == 5)
    assert outcome.state is TrialState.PRUNED
    assert outcome.measurement.details["first"] == 5
    assert len(outcome.curve) == 99


def test_what_a_trial_prints_appears_in_order_with_its_reports(capsys, monkeypatch):
    def estimate(architecture, context):
        print("befor\u00e9")
        print("no new line", end="")
        sys.stderr.write("to the log only\n")
        context.report(1, {"x": 1})
        print(", after", sys.stdout.isatty())
        return measured(x=1)

    def report(report):
        print("[report]", end="")
        return False

    with ProcessExecutor(preload=(), echo=True) as executor:
        run(executor, job(1, estimate), report=report)
    assert capsys.readouterr().out == "befor\u00e9\nno new line[report], after False\n"


def test_nothing_is_printed_unless_asked_for_and_the_log_has_it_all(capfd, tmp_path):
    def estimate(architecture, context):
        print("to stdout")
        sys.stderr.write("to stderr\n")
        os.write(1, b"to the descriptor\n")
        return measured(x=1)

    with ProcessExecutor(preload=(), folder=tmp_path / "run") as executor:
        run(executor, job(12, estimate))
        run(executor, job(12, estimate))
    assert capfd.readouterr() == ("", "")
    lines = (tmp_path / "run" / "trial-12.log").read_text().splitlines()
    assert sorted(lines) == ["to stderr", "to stdout", "to the descriptor"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["trial-12.log"]


def test_what_cannot_travel_is_said_at_once(executor):
    with pytest.raises(SearchError, match=r"an estimator must be fit to travel.*lock"):
        executor.submit(Job(1, "a", Calling(threading.Lock()), seed=1), ignore)
    ticket = executor.submit(job(2, len, architecture=threading.Lock()), ignore)
    (outcome,) = executor.completed()
    assert (outcome.ticket, outcome.failure.kind) == (ticket, "BuildError")


def test_modules_that_travelled_by_value_are_not_remembered(executor):
    import cloudpickle

    run(executor, job(1, lambda a, c: measured(x=FACTOR)))
    assert cloudpickle.list_registry_pickle_by_value() == set()


# --- the executor ---------------------------------------------------------------


def test_trials_run_side_by_side_and_the_others_wait(tmp_path):
    def meet(architecture, context):
        (tmp_path / f"{context.number}").touch()
        other = tmp_path / f"{3 - context.number}"
        while context.number < 3 and not other.exists():
            time.sleep(0.001)
        return measured(x=context.number)

    with ProcessExecutor(n_workers=2, preload=()) as executor:
        outcomes = run(executor, *[job(n, meet) for n in (1, 2, 3)])
    assert [o.measurement.objectives["x"] for o in outcomes] == [1, 2, 3]


def test_completed_leaves_a_running_trial_alone_when_the_time_is_up(executor, tmp_path):
    def wait(architecture, context):
        while not (tmp_path / "go").exists():
            time.sleep(0.001)
        return measured(x=1)

    ticket = executor.submit(job(1, wait), ignore)
    assert list(executor.completed(timeout_s=0.0)) == []
    assert list(executor.completed(timeout_s=0.05)) == []
    (tmp_path / "go").touch()
    (outcome,) = executor.completed()
    assert outcome.ticket == ticket


def test_two_executors_in_threads_do_not_meet():
    found = {}

    def work(name):
        with ProcessExecutor(preload=()) as executor:
            jobs = [job(n, lambda a, c: measured(x=c.number)) for n in range(1, 6)]
            found[name] = [o.measurement.objectives["x"] for o in run(executor, *jobs)]

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"a": [1, 2, 3, 4, 5], "b": [1, 2, 3, 4, 5]}


def test_an_executor_outlives_the_thread_that_made_it():
    executor = ProcessExecutor(preload=())
    thread = threading.Thread(target=lambda: run(executor, job(1, lambda a, c: measured(x=1))))
    thread.start()
    thread.join()
    zygote = executor._house.launcher._zygote.process.pid
    (outcome,) = run(executor, job(2, lambda a, c: measured(ppid=os.getppid())))
    assert outcome.measurement.objectives["ppid"] == zygote
    executor.close()


def test_a_search_gives_the_same_trials_as_in_one_process():
    def estimate(architecture, context):
        context.report(1, {"x": 1.0})
        if architecture.decisions["units"] == 8 and context.seed % 2:
            raise ValueError("no")
        return {"reward": architecture.cost().parameters + context.seed / 2**31}

    with ProcessExecutor(n_workers=1, preload=()) as executor:
        apart = search(make_space(), estimate=estimate, max_trials=4, seed=3, executor=executor)
    inline = search(make_space(), estimate=estimate, max_trials=4, seed=3)

    def told(history):
        rows = [
            (t.number, t.decisions, t.signature, t.state, t.objectives, t.curve) for t in history
        ]
        return rows, [t.failure and t.failure.kind for t in history]

    assert told(apart) == told(inline)


def test_closing_leaves_nothing_and_a_closed_executor_says_so(own_executor):
    executor = own_executor
    run(executor, job(1, lambda a, c: measured(x=1)))
    scratch = executor._house.scratch.path
    assert scratch.exists()
    executor.submit(job(2, lambda a, c: time.sleep(600)), ignore)
    executor.close()
    executor.close()
    assert not scratch.exists()
    assert list(executor.completed()) == []
    with pytest.raises(SearchError, match="must be open"):
        executor.submit(job(3, len), ignore)


def test_a_forgotten_executor_is_closed():
    executor = ProcessExecutor(preload=())
    run(executor, job(1, lambda a, c: measured(x=1)))
    scratch, process = executor._house.scratch.path, executor._house.launcher._zygote.process
    del executor
    assert process.returncode is not None
    assert not scratch.exists()


def test_a_cancelled_trial_is_killed_and_makes_room(executor, tmp_path):
    def hang(architecture, context):
        (tmp_path / "pid").write_text(str(os.getpid()))
        context.report(1, {})
        time.sleep(600)

    first = executor.submit(job(1, hang), ignore)
    second = executor.submit(job(2, lambda a, c: measured(x=2)), ignore)
    while not (tmp_path / "pid").exists():
        list(executor.completed(timeout_s=0.01))
    executor.cancel(first)
    outcomes = list(executor.completed())
    assert [outcome.ticket for outcome in outcomes] == [second]
    assert not pathlib.Path("/proc", (tmp_path / "pid").read_text()).exists()
    assert list(executor.completed()) == []


def test_a_module_to_preload_that_is_not_there_is_left_out():
    with ProcessExecutor(preload=("no_such_module", "colorsys")) as executor:
        loaded = lambda a, c: measured(x="colorsys" in sys.modules)  # noqa: E731
        (outcome,) = run(executor, job(1, loaded))
    assert outcome.measurement.objectives["x"] is True


def test_an_estimator_names_what_to_preload():
    class Naming(Calling):
        preload = ("colorsys",)

    with ProcessExecutor() as executor:
        naming = Naming(lambda a, c: measured(x="colorsys" in sys.modules))
        (outcome,) = run(executor, Job(1, "a", naming, seed=1))
    assert outcome.measurement.objectives["x"] is True


def test_a_zygote_with_threads_is_not_forked_and_workers_serve_instead(tmp_path, monkeypatch):
    (tmp_path / "threaded_module.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ProcessExecutor(preload=("threaded_module",)) as executor:
        outcomes = run(executor, *[job(n, lambda a, c: measured(x=os.getpid())) for n in (1, 2)])
        assert outcomes[0].measurement == outcomes[1].measurement
        assert not executor._house.forks


@pytest.mark.parametrize(
    "options",
    [
        {"n_workers": 0},
        {"n_workers": True},
        {"deadline_s": 0},
        {"deadline_s": "10"},
        {"memory_limit_bytes": -1},
        {"retries": -1},
        {"threads": 0},
        {"recycle_after": 0},
        {"method": "spawn"},
    ],
)
def test_arguments_that_make_no_sense_are_refused(options):
    (name,) = options
    with pytest.raises(SearchError, match=f"^{name} must be .*; received .*; "):
        ProcessExecutor(**options)
