"""The laws of the `Executor` port, held against every executor, and against broken ones."""

import threading

import attrs
import pytest

from hypernets.adapters.process import ProcessExecutor
from hypernets.application import InlineExecutor
from hypernets.application.port import Job
from hypernets.domain.error import HypernetsError
from hypernets.domain.history import TrialState
from hypernets.testing import ExecutorSuite, IsolatingExecutorSuite, laws


class TestInlineExecutor(ExecutorSuite):
    def make(self):
        return InlineExecutor()


class TestForkingExecutor(IsolatingExecutorSuite):
    def make(self):
        return ProcessExecutor(preload=(), method="fork")


class TestFreshWorkerExecutor(IsolatingExecutorSuite):
    def make(self):
        return ProcessExecutor(preload=(), method="fresh")


class TestTwoAtATime(IsolatingExecutorSuite):
    def make(self):
        return ProcessExecutor(2, preload=())


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
        return super().submit(job, lambda report: False)


class Stubborn(InlineExecutor):
    def cancel(self, ticket):
        pass


class Seedless(InlineExecutor):
    def submit(self, job, report):
        return super().submit(Job(job.number, job.architecture, job.estimator, seed=0), report)


class Half:
    submit = InlineExecutor.submit


class Contagious(ProcessExecutor):
    """Fails whatever runs when a worker dies."""

    def __init__(self):
        super().__init__(preload=())
        self.dead = None

    def completed(self, timeout_s=None):
        outcomes = []
        for outcome in super().completed(timeout_s):
            self.dead = outcome.failure or self.dead
            failed = {"state": TrialState.LOST, "measurement": None, "failure": self.dead}
            outcomes.append(attrs.evolve(outcome, **failed) if self.dead else outcome)
        return outcomes


BROKEN = [
    (Half, "it_has_the_methods_of_the_port"),
    (Twice, "every_job_has_exactly_one_outcome"),
    (Fragile, "an_error_is_the_outcome_of_its_own_job_only"),
    (Threaded, "reports_come_in_order_in_the_calling_thread_before_the_outcome"),
    (Deaf, "a_job_that_is_told_to_stop_is_pruned_and_measured"),
    (Stubborn, "a_cancelled_job_has_no_outcome"),
    (Seedless, "the_seed_of_the_job_reaches_the_estimator"),
]
BROKEN_APART = [
    (Contagious, "a_worker_that_dies_fails_its_own_job_only"),
    (InlineExecutor, "what_a_job_does_to_its_process_is_not_seen_here"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN)
def test_a_broken_executor_is_found_out(broken, law):
    class Suite(ExecutorSuite):
        def make(self):
            return broken()

    with pytest.raises((AssertionError, HypernetsError)):
        getattr(Suite(), f"test_{law}")()


@pytest.mark.parametrize(("broken", "law"), BROKEN_APART)
def test_an_executor_that_does_not_keep_jobs_apart_is_found_out(broken, law):
    class Suite(IsolatingExecutorSuite):
        def make(self):
            return broken()

    with pytest.raises((AssertionError, HypernetsError)):
        getattr(Suite(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(ExecutorSuite))
    apart = set(laws(IsolatingExecutorSuite)) - set(laws(ExecutorSuite))
    assert {law for _, law in BROKEN_APART} == apart
