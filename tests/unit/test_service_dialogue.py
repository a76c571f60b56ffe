"""Ask and tell: whoever embeds the engine runs the trials."""

import threading

import pytest

from hypernets.application import EndReason, MemoryCatalogue, search
from hypernets.application.port import Measurement
from hypernets.application.service import SearchService, SessionState
from hypernets.domain.error import BuildError, SearchError, StopSearch
from hypernets.domain.history import TrialState
from hypernets.domain.space import Choice, Dynamic, HyperSpace, LayerModule

SEED = 3  # the first three proposals are different networks


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def sums():
    """3 x 3 = 9 configurations of two decisions, which build 5 different networks."""
    space = HyperSpace()
    with space.as_default():
        a, b = Choice([1, 2, 3], name="a"), Choice([1, 2, 3], name="b")
        total = Dynamic(lambda a, b: a + b, a=a, b=b)
        Dense({"units": total})(Input({"shape": (4,)}, name="in"))
    return space


def told(service, name="a", **options):
    return service.create(name, sums, "random", seed=SEED, **options)


def score(job):
    return sum(job.architecture.decisions.values())


def test_asked_and_told_one_by_one_it_is_the_search_that_the_library_would_run():
    session = told(SearchService())
    numbers = []
    while (job := session.ask()) is not None:
        numbers.append(job.number)
        trial = session.tell(job.number, score(job))
        assert (trial.number, trial.seed, trial.reward) == (job.number, job.seed, score(job))
    history = session.result()
    alone = search(sums, "random", lambda a: sum(a.decisions.values()), seed=SEED)
    assert [(t.number, t.decisions, t.seed, t.reward) for t in history] == [
        (t.number, t.decisions, t.seed, t.reward) for t in alone
    ]
    assert len(numbers) == 5
    assert len(history) == 9
    assert session.state is SessionState.ENDED
    assert session.progress().end_reason is EndReason.EXHAUSTED


def test_told_twice_is_told_once():
    session = told(SearchService())
    job = session.ask()
    first = session.tell(job.number, 0.5)
    assert session.tell(job.number, 0.5) is first
    assert session.tell(job.number, 0.75) is first
    assert session.tell(job.number, ValueError("late")) is first
    assert len(session.trials()) == 1


@pytest.mark.parametrize("number", [2, 0, -1, "1", None])
def test_what_was_never_asked_for_cannot_be_told(number):
    session = told(SearchService())
    session.ask()
    with pytest.raises(
        SearchError, match=r"asked for before it is told; received number .*: 1; ask"
    ):
        session.tell(number, 0.5)
    with pytest.raises(SearchError, match="must have been asked for before"):
        session.report(number, 1, {"loss": 1.0})
    assert len(session.trials()) == 0


def test_several_may_be_under_way_and_come_back_in_any_order():
    session = told(SearchService())
    jobs = []
    while (job := session.ask()) is not None:
        jobs.append(job)
    assert len(jobs) > 1
    assert session.state is SessionState.ASKED  # what is next has the network of one under way
    progress = session.progress()
    assert [each.number for each in progress.running] == [job.number for job in jobs]
    for job in reversed(jobs):
        session.tell(job.number, score(job))
    assert session.progress().running == ()
    assert session.progress().n_done == len(jobs)


def test_what_is_told_may_be_a_number_a_mapping_a_measurement_or_an_error():
    session = told(SearchService(), direction={"accuracy": "max", "size": "min"})
    results = [
        {"size": 3, "accuracy": 0.5},
        Measurement({"accuracy": 0.7, "size": 4}, details={"k": 1}),
        BuildError("too deep"),
        {"accuracy": 0.5},
    ]
    trials = [session.tell(session.ask().number, result) for result in results]
    assert dict(trials[0].objectives) == {"accuracy": 0.5, "size": 3.0}
    assert dict(trials[1].details) == {"k": 1}
    assert [t.state for t in trials[2:]] == [TrialState.FAILED] * 2
    assert (trials[2].failure.kind, trials[2].failure.message) == ("BuildError", "too deep")
    assert "without 'size'" in trials[3].failure.message


def test_reports_reach_the_callbacks_and_may_stop_the_trial():
    class Impatient:
        def on_trial_report(self, number, report):
            if report.step == 2:
                raise StopSearch

    session = told(SearchService(), callbacks=[Impatient()])
    job = session.ask()
    assert session.report(job.number, 1, {"loss": 0.5}) is False
    assert session.progress().running[0].step == 1
    assert session.report(job.number, 2, {"loss": 0.4}) is True
    trial = session.tell(job.number, 1.0)
    assert [(r.step, dict(r.values)) for r in trial.curve] == [
        (1, {"loss": 0.5}),
        (2, {"loss": 0.4}),
    ]
    assert session.ask() is None
    assert session.progress().end_reason is EndReason.STOPPED


def test_a_budget_ends_what_can_be_asked_for():
    session = told(SearchService())
    for _ in range(2):
        job = session.ask(max_trials=2)
        session.tell(job.number, 1.0)
    assert session.ask() is None
    assert session.state is SessionState.ENDED
    assert session.tell(job.number, 1.0).number == job.number
    assert session.ask(max_trials=3) is not None


def test_while_it_is_paused_nothing_is_given_out_and_what_is_out_may_be_told():
    session = told(SearchService())
    job = session.ask()
    session.pause()
    assert session.ask() is None
    assert session.tell(job.number, 1.0).reward == 1.0
    session.resume()
    assert session.ask().number > job.number


def test_what_was_under_way_when_a_service_ended_is_given_out_again_under_its_number():
    stores = MemoryCatalogue()
    first = SearchService(stores)
    session = told(first)
    one, two = session.ask(), session.ask()
    session.tell(two.number, 1.0)
    first.close()
    session = SearchService(stores).open("a", sums, "random", seed=SEED)
    again = session.ask()
    assert (again.number, again.seed) == (one.number, one.seed)
    assert again.architecture.decisions == one.architecture.decisions


def test_a_result_that_comes_after_the_service_was_started_again_is_taken():
    stores = MemoryCatalogue()
    first = SearchService(stores)
    session = told(first)
    one, two = session.ask(), session.ask()
    session.tell(two.number, 1.0)
    first.close()
    session = SearchService(stores).open("a", sums, "random", seed=SEED)
    assert session.tell(one.number, 0.5).decisions == one.architecture.decisions
    assert session.tell(two.number, 7.0).reward == 1.0
    assert session.ask().number > two.number


def test_what_a_late_result_brings_up_besides_is_given_out_first():
    stores = MemoryCatalogue()
    first = SearchService(stores)
    session = told(first)
    one, two, three = session.ask(), session.ask(), session.ask()
    session.tell(three.number, 1.0)
    first.close()
    session = SearchService(stores).open("a", sums, "random", seed=SEED)
    assert session.tell(two.number, 0.5).number == two.number
    again = session.ask()
    assert (again.number, again.architecture.decisions) == (one.number, one.architecture.decisions)
    assert session.ask().number > three.number


def test_told_again_when_all_is_over_it_is_harmless():
    session = told(SearchService())
    job = session.ask()
    trial = session.tell(job.number, 0.5)
    session.cancel()
    assert session.tell(job.number, 0.5) is trial
    with pytest.raises(SearchError, match=r"must be asked before it is told; .* is cancelled"):
        session.tell(job.number + 1, 0.5)


def test_what_was_asked_for_is_run_where_the_search_is_run_after_all():
    service = SearchService()
    session = service.create("a", sums, "random", lambda a: 1.0, seed=SEED)
    job = session.ask()
    history = session.run()
    assert history.trial(job.number).decisions == job.architecture.decisions
    assert len(history) == 9


def test_in_deterministic_mode_what_is_told_waits_for_its_turn():
    session = told(SearchService(), lag=3)
    one, two = session.ask(), session.ask()
    assert session.tell(two.number, 1.0) is None
    assert session.tell(two.number, 5.0) is None
    assert session.trials() == []
    assert session.tell(one.number, 1.0).number == one.number
    assert [t.number for t in session.trials()] == [one.number, two.number]
    assert session.tell(two.number, 5.0).reward == 1.0


def test_many_threads_may_ask_and_tell_at_once():
    def wide():
        space = HyperSpace()
        with space.as_default():
            Dense({"units": Choice(range(400))})(Input({"shape": (4,)}, name="in"))
        return space

    session = SearchService().create("a", wide, "random", seed=0)
    problems = []

    def work():
        try:
            while (job := session.ask(max_trials=200)) is not None:
                session.tell(job.number, float(job.number))
                session.tell(job.number, float(job.number))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(t.number for t in session.trials()) == list(range(1, 201))
    assert all(t.reward == t.number for t in session.trials())
