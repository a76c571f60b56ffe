"""The laws of the `Executor` port."""

import os
import signal
import threading
from typing import Any

from hypernets.application.port import Executor, Job, Measurement, Outcome, TrialContext
from hypernets.domain.error import BuildError
from hypernets.domain.history import Report, TrialState
from hypernets.testing.law import Suite

__all__ = ["Arithmetic", "ExecutorSuite", "IsolatingExecutorSuite"]


class Arithmetic:
    """Measures a number: reports its digits, and fails for some."""

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return the number as the reward, and the seed."""
        if architecture == "wrong":
            raise BuildError("too deep")
        if architecture == "broken":
            architecture = 1 / 0
        for step, digit in enumerate(str(architecture), 1):
            if context.report(step, {"digit": float(digit)}):
                break
        return Measurement({"reward": float(architecture), "seed": context.seed})


class ExecutorSuite(Suite):
    """What every executor must do. Subclass it, and say how executors are made."""

    def make(self) -> Executor:
        """Return an executor without jobs."""
        raise NotImplementedError("a suite must say how its executors are made: define make()")

    def test_it_has_the_methods_of_the_port(self) -> None:
        """Every method of the protocol is there."""
        assert isinstance(self.make(), Executor)

    def test_every_job_has_exactly_one_outcome(self) -> None:
        """Under its own ticket, once."""
        executor = self.make()
        tickets = [executor.submit(_job(n, 10 * n), _ignore) for n in range(1, 6)]
        assert len(set(tickets)) == 5
        outcomes = {outcome.ticket: outcome for outcome in _drained(executor, 5)}
        assert set(outcomes) == set(tickets)
        assert [_reward(outcomes[ticket]) for ticket in tickets] == [10.0, 20.0, 30.0, 40.0, 50.0]
        assert list(executor.completed(timeout_s=0.0)) == []

    def test_an_error_is_the_outcome_of_its_own_job_only(self) -> None:
        """A `TrialError`, and an exception of user code with its traceback."""
        executor = self.make()
        architectures = [1, "wrong", "broken", 2]
        tickets = [executor.submit(_job(n, a), _ignore) for n, a in enumerate(architectures, 1)]
        outcomes = {outcome.ticket: outcome for outcome in _drained(executor, 4)}
        assert set(outcomes) == set(tickets)
        done, failed = TrialState.COMPLETED, TrialState.FAILED
        assert [outcomes[t].state for t in tickets] == [done, failed, failed, done]
        wrong, broken = outcomes[tickets[1]].failure, outcomes[tickets[2]].failure
        assert wrong is not None
        assert broken is not None
        assert (wrong.kind, wrong.message) == ("BuildError", "too deep")
        assert (broken.kind, "1 / 0" in broken.traceback) == ("ZeroDivisionError", True)

    def test_reports_come_in_order_in_the_calling_thread_before_the_outcome(self) -> None:
        """And stand in the curve of the outcome."""
        executor = self.make()
        seen = []

        def report(report: Report) -> bool:
            seen.append((report.step, report.values["digit"], threading.get_ident()))
            return False

        executor.submit(_job(1, 573), report)
        (outcome,) = _drained(executor, 1)
        here = threading.get_ident()
        assert seen == [(1, 5.0, here), (2, 7.0, here), (3, 3.0, here)]
        assert [r.values["digit"] for r in outcome.curve] == [5.0, 7.0, 3.0]

    def test_a_job_that_is_told_to_stop_is_pruned_and_measured(self) -> None:
        """The answer of the report reaches the estimator."""
        executor = self.make()
        executor.submit(_job(1, 573), lambda report: report.step == 1)
        (outcome,) = _drained(executor, 1)
        assert outcome.state is TrialState.PRUNED
        assert _reward(outcome) == 573.0

    def test_a_cancelled_job_has_no_outcome(self) -> None:
        """A ticket that nobody knows is ignored."""
        executor = self.make()
        first, second = (executor.submit(_job(n, n), _ignore) for n in (1, 2))
        executor.cancel(first)
        executor.cancel("a ticket that nobody knows")
        assert [outcome.ticket for outcome in _drained(executor, 1)] == [second]
        assert list(executor.completed(timeout_s=0.0)) == []

    def test_the_seed_of_the_job_reaches_the_estimator(self) -> None:
        """As it was given."""
        executor = self.make()
        executor.submit(_job(77, 1), _ignore)
        (outcome,) = _drained(executor, 1)
        assert outcome.measurement is not None
        assert outcome.measurement.objectives["seed"] == 77


class Careless:
    """Measures what its process has gone through: each job leaves its mark, and may be the last."""

    marks: int = 0

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return how many jobs this process has served before."""
        if architecture == "exit":
            os._exit(3)
        if architecture == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        seen, Careless.marks = Careless.marks, Careless.marks + 1
        return Measurement({"reward": float(seen)})


class IsolatingExecutorSuite(ExecutorSuite):
    """What every executor must do whose jobs run outside this process."""

    def test_a_worker_that_dies_fails_its_own_job_only(self) -> None:
        """By an exit of its own, and by a signal."""
        executor = self.make()
        architectures = [1, "exit", "kill", 2]
        tickets = [
            executor.submit(Job(n, a, Careless(), seed=n), _ignore)
            for n, a in enumerate(architectures, 1)
        ]
        outcomes = {outcome.ticket: outcome for outcome in _drained(executor, 4)}
        assert set(outcomes) == set(tickets)
        assert [outcomes[t].measurement is not None for t in tickets] == [True, False, False, True]
        for ticket in tickets[1:3]:
            failure = outcomes[ticket].failure
            assert failure is not None
            assert failure.message

    def test_what_a_job_does_to_its_process_is_not_seen_here(self) -> None:
        """Its variables are its own."""
        executor, before = self.make(), Careless.marks
        executor.submit(Job(1, 1, Careless(), seed=1), _ignore)
        (outcome,) = _drained(executor, 1)
        assert outcome.measurement is not None
        assert Careless.marks == before


def _job(number: int, architecture: Any) -> Job:
    return Job(number, architecture, Arithmetic(), seed=number)


def _ignore(report: Report) -> bool:
    return False


def _reward(outcome: Outcome) -> float:
    assert outcome.measurement is not None, f"a measurement was due; received {outcome}"
    return outcome.measurement.objectives["reward"]


def _drained(executor: Executor, n: int) -> list[Outcome]:
    """Return the outcomes of `n` jobs, or fewer where they do not come."""
    outcomes: list[Outcome] = []
    for _ in range(10 * n):
        outcomes.extend(executor.completed())
        if len(outcomes) >= n:
            break
    return outcomes
