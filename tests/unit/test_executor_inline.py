import pytest

from hypernets.application import InlineExecutor
from hypernets.application.loop.estimation import (
    FunctionEstimator,
    as_estimator,
    estimator_name,
)
from hypernets.application.port import Job, Measurement
from hypernets.domain.error import BuildError
from hypernets.domain.history import TrialState


def job(number, function):
    return Job(number, "an architecture", FunctionEstimator(function), seed=number)


def ignore(report):
    return False


def test_a_job_waits_until_its_outcome_is_asked_for():
    calls = []
    executor = InlineExecutor()
    executor.submit(job(1, calls.append), ignore)
    assert calls == []
    list(executor.completed())
    assert calls == ["an architecture"]


def test_outcomes_come_in_the_order_of_the_jobs_each_once():
    executor = InlineExecutor()
    tickets = [executor.submit(job(n, lambda a: 1.0), ignore) for n in (1, 2)]
    assert [o.ticket for _ in range(3) for o in executor.completed()] == tickets


def test_a_cancelled_job_is_not_run():
    executor = InlineExecutor()
    ticket = executor.submit(job(1, lambda a: 1.0), ignore)
    executor.cancel(ticket)
    executor.cancel("unknown")
    assert list(executor.completed()) == []


def test_an_error_made_on_purpose_has_no_traceback_unless_it_wraps_another():
    def plain(architecture):
        raise BuildError("too deep")

    def wrapping(architecture):
        try:
            [].pop()
        except IndexError as error:
            raise BuildError("too deep") from error

    executor = InlineExecutor()
    for function in (plain, wrapping):
        executor.submit(job(1, function), ignore)
    failures = [o.failure for _ in range(2) for o in executor.completed()]
    assert failures[0].traceback == ""
    assert "pop from empty list" in failures[1].traceback


def test_what_was_reported_before_an_error_is_kept():
    def estimate(architecture, context):
        context.report(1, {"loss": 3})
        raise ValueError("no")

    executor = InlineExecutor()
    executor.submit(job(1, estimate), ignore)
    (outcome,) = executor.completed()
    assert outcome.state is TrialState.FAILED
    assert [r.values for r in outcome.curve] == [{"loss": 3.0}]


def test_a_job_that_is_told_to_stop_stays_told():
    answers = iter([False, True, False])
    told = []

    def estimate(architecture, context):
        told.extend(context.report(step, {}) for step in range(3))
        return 1.0

    executor = InlineExecutor()
    executor.submit(job(1, estimate), lambda report: next(answers))
    (outcome,) = executor.completed()
    assert told == [False, True, True]
    assert outcome.state is TrialState.PRUNED


def test_an_interrupt_is_no_outcome():
    def estimate(architecture):
        raise KeyboardInterrupt

    executor = InlineExecutor()
    executor.submit(job(1, estimate), ignore)
    with pytest.raises(KeyboardInterrupt):
        list(executor.completed())


def test_a_function_with_a_second_parameter_is_given_the_context():
    def with_default(architecture, scale=2.0):
        return scale

    def with_context(architecture, context):
        return context.seed

    executor = InlineExecutor()
    for function in (with_default, with_context, lambda a: Measurement({"x": 5}), len):
        executor.submit(job(7, function), ignore)
    outcomes = [o for _ in range(4) for o in executor.completed()]
    values = [dict(o.measurement.objectives) for o in outcomes]
    assert values == [{"reward": 2.0}, {"reward": 7}, {"x": 5}, {"reward": 15}]


def test_an_estimator_is_known_by_its_name_or_that_of_its_class():
    class Mine:
        def estimate(self, architecture, context):
            return Measurement({"x": 1})

    class Named(Mine):
        name = "the named one"

    assert estimator_name(as_estimator(Mine())).endswith("Mine")
    assert estimator_name(as_estimator(Named())) == "the named one"
    assert estimator_name(as_estimator(len)) == "builtins.len"
