"""The laws of the `Executor` port, held against every executor, and against broken ones."""

import threading

import pytest

from hypernets.adapters.process import ProcessExecutor
from hypernets.application import InlineExecutor
from hypernets.application.port import Executor, Job, Measurement
from hypernets.domain.error import BuildError
from hypernets.domain.history import TrialState


class Arithmetic:
    """Measures a number: reports its digits, and fails for some. Module level, so it may travel."""

    def estimate(self, architecture, context):
        if architecture == "wrong":
            raise BuildError("too deep")
        if architecture == "broken":
            return 1 / 0
        for step, digit in enumerate(str(architecture), 1):
            if context.report(step, {"digit": float(digit)}):
                break
        return Measurement({"reward": float(architecture), "seed": context.seed})


def job(number, architecture):
    return Job(number, architecture, Arithmetic(), seed=number)


def ignore(report):
    return False


def drain(executor, n):
    """Return the outcomes of `n` jobs."""
    outcomes = []
    for _ in range(10 * n):
        outcomes.extend(executor.completed())
        if len(outcomes) >= n:
            break
    return outcomes


# --- the laws; `make()` returns an executor without jobs -----------------------


def check_it_has_the_methods_of_the_port(make):
    assert isinstance(make(), Executor)


def check_every_job_has_exactly_one_outcome(make):
    executor = make()
    tickets = [executor.submit(job(n, 10 * n), ignore) for n in range(1, 6)]
    assert len(set(tickets)) == 5
    outcomes = {o.ticket: o for o in drain(executor, 5)}
    assert set(outcomes) == set(tickets)
    rewards = [outcomes[ticket].measurement.objectives["reward"] for ticket in tickets]
    assert rewards == [10.0, 20.0, 30.0, 40.0, 50.0]
    assert list(executor.completed(timeout_s=0.0)) == []


def check_an_error_is_the_outcome_of_its_own_job_only(make):
    executor = make()
    architectures = [1, "wrong", "broken", 2]
    tickets = [executor.submit(job(n, a), ignore) for n, a in enumerate(architectures, 1)]
    outcomes = {o.ticket: o for o in drain(executor, 4)}
    states = [outcomes[ticket].state for ticket in tickets]
    done, failed = TrialState.COMPLETED, TrialState.FAILED
    assert states == [done, failed, failed, done]
    wrong, broken = outcomes[tickets[1]].failure, outcomes[tickets[2]].failure
    assert (wrong.kind, wrong.message) == ("BuildError", "too deep")
    assert (broken.kind, "1 / 0" in broken.traceback) == ("ZeroDivisionError", True)


def check_reports_come_in_order_in_the_calling_thread_before_the_outcome(make):
    executor = make()
    seen = []

    def report(report):
        seen.append((report.step, report.values["digit"], threading.get_ident()))
        return False

    executor.submit(job(1, 573), report)
    (outcome,) = drain(executor, 1)
    here = threading.get_ident()
    assert seen == [(1, 5.0, here), (2, 7.0, here), (3, 3.0, here)]
    assert [r.values["digit"] for r in outcome.curve] == [5.0, 7.0, 3.0]


def check_a_job_that_is_told_to_stop_is_pruned_and_measured(make):
    executor = make()
    executor.submit(job(1, 573), lambda report: report.step == 1)
    (outcome,) = drain(executor, 1)
    assert outcome.state is TrialState.PRUNED
    assert outcome.measurement.objectives["reward"] == 573.0


def check_a_cancelled_job_has_no_outcome(make):
    executor = make()
    first, second = (executor.submit(job(n, n), ignore) for n in (1, 2))
    executor.cancel(first)
    executor.cancel("a ticket that nobody knows")
    assert [o.ticket for o in drain(executor, 1)] == [second]
    assert list(executor.completed(timeout_s=0.0)) == []


def check_the_seed_of_the_job_reaches_the_estimator(make):
    executor = make()
    executor.submit(job(77, 1), ignore)
    (outcome,) = drain(executor, 1)
    assert outcome.measurement.objectives["seed"] == 77


def forking():
    return ProcessExecutor(preload=(), method="fork")


def working():
    return ProcessExecutor(preload=(), method="fresh")


def two_at_a_time():
    return ProcessExecutor(2, preload=())


LAWS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("make", [InlineExecutor, forking, working, two_at_a_time])
def test_every_executor_keeps_the_laws(make, law):
    law(make)


# --- broken ones ---------------------------------------------------------------


class Twice(InlineExecutor):
    def completed(self, timeout_s=None):
        outcomes = super().completed(timeout_s)
        self.again = outcomes or getattr(self, "again", ())
        return self.again


class Fragile(InlineExecutor):
    def completed(self, timeout_s=None):
        outcomes = super().completed(timeout_s)
        if any(o.failure for o in outcomes):
            self._waiting.clear()
        return outcomes


class Threaded(InlineExecutor):
    def completed(self, timeout_s=None):
        outcomes = []
        thread = threading.Thread(target=lambda: outcomes.extend(InlineExecutor.completed(self)))
        thread.start()
        thread.join()
        return outcomes


class Deaf(InlineExecutor):
    def submit(self, job, report):
        return super().submit(job, ignore)


class Stubborn(InlineExecutor):
    def cancel(self, ticket):
        pass


class Seedless(InlineExecutor):
    def submit(self, job, report):
        return super().submit(Job(job.number, job.architecture, job.estimator, seed=0), report)


class Half:
    submit = InlineExecutor.submit


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Half, check_it_has_the_methods_of_the_port),
        (Twice, check_every_job_has_exactly_one_outcome),
        (Fragile, check_an_error_is_the_outcome_of_its_own_job_only),
        (Threaded, check_reports_come_in_order_in_the_calling_thread_before_the_outcome),
        (Deaf, check_a_job_that_is_told_to_stop_is_pruned_and_measured),
        (Stubborn, check_a_cancelled_job_has_no_outcome),
        (Seedless, check_the_seed_of_the_job_reaches_the_estimator),
    ],
)
def test_a_broken_executor_is_found_out(broken, law):
    with pytest.raises((AssertionError, KeyError)):
        law(broken)
