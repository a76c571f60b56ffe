"""Searches of the service: by name, in the foreground and in the background, side by side."""

import asyncio
import threading

import pytest

from hypernets.application import EndReason, InlineExecutor, MemoryCatalogue, MemoryStore, search
from hypernets.application.service import SearchService, SessionState
from hypernets.domain.error import OtherSearchError, SearchError, SpaceError, StopSearch, StoreError
from hypernets.domain.history import Direction
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class Hand:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.time_s = 100.0

    def now(self):
        return self.time_s


class Gate:
    """An estimate whose trials wait until they are let through."""

    def __init__(self):
        self.begun, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, architecture):
        self.begun.release()
        assert self.open.acquire(timeout=60)
        return units(architecture)

    def await_trial(self):
        assert self.begun.acquire(timeout=60)

    def let_through(self, n=1):
        self.open.release(n)


def space_of(n=30):
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(n), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def units(architecture):
    return float(architecture.decisions["units"])


@pytest.fixture
def service():
    with SearchService() as service:
        yield service


def created(service, estimate=units, name="a", **options):
    return service.create(name, space_of, "random", estimate, seed=0, **options)


# --- names ------------------------------------------------------------------------


def test_searches_are_known_by_their_names(service):
    one, two = created(service, name="one"), created(service, name="two")
    assert service.names() == service.open_names() == ["one", "two"]
    assert service.session("one") is one
    assert service.session("two") is two
    service.close("one")
    assert service.names() == ["one", "two"]
    assert service.open_names() == ["two"]
    service.delete("one")
    service.delete("two")
    assert service.names() == service.open_names() == []


@pytest.mark.parametrize("name", ["", "../x", ".hidden", "-x", "a/b", "a b", "x" * 101, 3, None])
def test_a_name_that_could_not_be_that_of_a_folder_is_refused(service, name):
    with pytest.raises(SearchError, match="the name of a search must consist of letters"):
        created(service, name=name)


def test_a_name_that_is_taken_or_not_there_is_an_error_that_says_so(service):
    created(service)
    with pytest.raises(SearchError, match=r"not be open already; received 'a'.*session\('a'\)"):
        created(service)
    service.close("a")
    with pytest.raises(StoreError, match="must be new to its catalogue; received 'a'"):
        created(service)
    for use in (service.session, service.close):
        with pytest.raises(SearchError, match="must be open to be used; received 'b', where these"):
            use("b")
    for use in (service.delete, lambda name: service.open(name, space_of, "random", units)):
        with pytest.raises(StoreError, match="must be in its catalogue; received 'b', where there"):
            use("b")


def test_a_search_that_could_not_be_created_leaves_no_store(service):
    with pytest.raises(SpaceError):
        service.create("a", "no space", "random", units)
    with pytest.raises(SearchError, match="searcher must be one of"):
        service.create("a", space_of, "nobody", units)
    with pytest.raises(SearchError, match=r"executor must be one of 'inline'.*received 'nothing'"):
        created(service, executor="nothing")
    assert service.names() == service.open_names() == []


# --- running ----------------------------------------------------------------------


def test_a_search_of_the_service_is_the_search_of_the_library(service):
    session = created(service)
    history = session.run(max_trials=8)
    alone = search(space_of, "random", units, seed=0, max_trials=8)
    assert [(t.decisions, t.seed) for t in history] == [(t.decisions, t.seed) for t in alone]
    assert session.state is SessionState.ENDED
    assert session.run(max_trials=9).n_evaluated == 9


def test_a_search_runs_in_the_background(service):
    gate = Gate()
    session = created(service, gate)
    session.start(max_trials=3)
    gate.await_trial()
    assert session.state is SessionState.RUNNING
    with pytest.raises(TimeoutError):
        session.wait(timeout_s=0.0)
    gate.let_through(3)
    assert len(session.wait(60)) == 3
    assert session.state is SessionState.ENDED


def test_what_goes_wrong_in_the_background_is_raised_where_somebody_waits(service):
    def estimate(_):
        raise ValueError("never")

    session = created(service, estimate)
    session.start(max_trials=3)
    with pytest.raises(SearchError, match="at least one trial of a search must succeed"):
        session.wait(60)
    assert session.state is SessionState.FAILED
    with pytest.raises(SearchError, match="at least one trial"):
        session.run(max_trials=4)


def test_only_one_run_at_a_time(service):
    gate = Gate()
    session = created(service, gate)
    session.start(max_trials=1)
    gate.await_trial()
    for use in (session.run, session.start, session.ask):
        with pytest.raises(SearchError, match=r"search 'a' must be at rest .*one that is running"):
            use()
    with pytest.raises(SearchError, match="must be asked before it is told; received one that is"):
        session.tell(1, 0.5)
    with pytest.raises(SearchError, match="must be at rest to be deleted; received one that is ru"):
        service.delete("a")
    gate.let_through()
    session.wait(60)


def test_several_searches_side_by_side_do_what_each_does_alone(service):
    alone = [
        [(t.decisions, t.seed) for t in search(space_of, "random", units, seed=n, max_trials=20)]
        for n in range(5)
    ]
    sessions = [
        service.create(f"s{n}", space_of, "random", units, seed=n) for n in range(len(alone))
    ]
    for session in sessions:
        session.start(max_trials=20)
    together = [[(t.decisions, t.seed) for t in session.wait(60)] for session in sessions]
    assert together == alone


def test_a_limit_that_makes_no_sense_is_refused_at_once_and_nothing_runs(service):
    session = created(service)
    with pytest.raises(SearchError, match="max_trials must be >= 1; received 0"):
        session.start(max_trials=0)
    assert session.state is SessionState.READY
    with pytest.raises(SearchError, match="must have been run to be waited for"):
        session.wait()


def test_a_search_without_an_estimate_cannot_be_run(service):
    session = service.create("a", space_of, "random")
    with pytest.raises(SearchError, match="must have an estimate to be run; received none"):
        session.run(max_trials=1)


# --- pause, resume, cancel -----------------------------------------------------------


def test_a_pause_lets_the_trial_end_and_resume_goes_on_with_what_is_left(service):
    gate = Gate()
    session = created(service, gate)
    session.start(max_trials=3)
    gate.await_trial()
    session.pause()
    session.pause()
    assert session.state is SessionState.RUNNING
    gate.let_through()
    assert len(session.wait(60)) == 1
    assert session.state is SessionState.PAUSED
    session.pause()
    session.resume()
    gate.let_through(2)
    assert len(session.wait(60)) == 3
    assert session.state is SessionState.ENDED


def test_a_pause_that_is_resumed_before_it_came_about_leaves_the_search_running(service):
    gate = Gate()
    session = created(service, gate)
    session.start(max_trials=3)
    gate.await_trial()
    session.pause()
    session.resume()
    gate.let_through(3)
    assert len(session.wait(60)) == 3
    assert session.state is SessionState.ENDED


def test_a_pause_before_the_run_has_begun_is_kept():
    class Clock(Hand):
        """Pauses the search when it is read for the first time by the run."""

        def now(self):
            if self.armed and session.state is SessionState.RUNNING:
                self.armed = False
                session.pause()
            return super().now()

    clock = Clock()
    clock.armed = False
    session = created(SearchService(clock=clock))
    clock.armed = True
    assert len(session.run(max_trials=5)) == 0
    assert session.state is SessionState.PAUSED


def test_time_that_a_search_has_paused_is_not_counted():
    clock, gate = Hand(), Gate()
    service = SearchService(clock=clock)
    session = created(service, gate)
    session.start(max_trials=100, max_time_s=10)
    gate.await_trial()
    clock.time_s += 6
    session.pause()
    gate.let_through()
    session.wait(60)
    clock.time_s += 1_000
    assert session.progress().elapsed_s == 6
    session.resume()
    gate.await_trial()
    clock.time_s += 5
    assert session.progress().elapsed_s == 11
    gate.let_through()
    assert len(session.wait(60)) == 2
    assert session.progress().end_reason is EndReason.MAX_TIME


def test_cancelled_it_is_over_for_good_and_what_is_stored_is_kept(service):
    gate = Gate()
    session = created(service, gate)
    session.start(max_trials=9)
    gate.await_trial()
    gate.let_through()
    gate.await_trial()
    session.cancel()
    gate.let_through()
    session.wait(60)
    session.cancel()
    assert session.state is SessionState.CANCELLED
    assert len(session.trials()) == 2
    with pytest.raises(SearchError, match=r"must be at rest to be run; .* is cancelled"):
        session.run(max_trials=3)
    with pytest.raises(SearchError, match=r"must be paused to be resumed; .* is cancelled"):
        session.resume()
    service.close("a")
    gate.let_through(3)
    again = service.open("a", space_of, "random", gate, seed=0)
    assert len(again.run(max_trials=5)) == 5


def test_cancelling_gives_up_what_the_executor_can_leave_alone():
    cancelled, begun = [], threading.Event()

    class Endless(InlineExecutor):
        """Runs nothing; says that a trial is under way."""

        def completed(self, timeout_s=None):
            begun.set()
            return ()

        def cancel(self, ticket):
            cancelled.append(ticket)
            super().cancel(ticket)

    service = SearchService(executors=lambda name: Endless())
    session = created(service, executor="endless")
    session.start(max_trials=9)
    assert begun.wait(60)
    session.cancel()
    assert len(session.wait(60)) == 0
    assert cancelled == [1]
    assert session.state is SessionState.CANCELLED


def test_only_what_is_under_way_can_be_paused(service):
    session = created(service)
    with pytest.raises(SearchError, match="must be running to be paused; received one that is rea"):
        session.pause()


def test_a_callback_that_stops_a_search_ends_it(service):
    class Stop:
        def on_trial_end(self, trial, improved):
            raise StopSearch

    session = created(service, callbacks=[Stop()])
    assert len(session.run(max_trials=5)) == 1
    assert session.state is SessionState.ENDED


def test_closing_the_service_ends_every_search_in_good_order():
    service, gate = SearchService(), Gate()
    sessions = [created(service, gate, name=name) for name in ("a", "b")]
    for session in sessions:
        session.start(max_trials=20)
        gate.await_trial()
    gate.let_through(40)
    service.close()
    assert [session.state for session in sessions] == [SessionState.CLOSED] * 2
    assert all(session.trials() for session in sessions)
    assert service.open_names() == []


def test_what_the_service_has_made_for_a_search_is_closed_with_it():
    closed = []

    class Executor(InlineExecutor):
        def close(self):
            closed.append(self)

    service, own = SearchService(executors=lambda name: Executor()), Executor()
    created(service, name="made", executor="any")
    created(service, name="given", executor=own)
    service.close()
    assert len(closed) == 1
    assert own not in closed


def test_the_store_is_let_go_with_its_search():
    closed = []

    class Store(MemoryStore):
        def close(self):
            closed.append(self)

    class Stores(MemoryCatalogue):
        def create(self, name):
            self._stores[name] = Store()
            return self._stores[name]

    service = SearchService(Stores())
    created(service)
    service.close("a")
    assert len(closed) == 1


def test_of_many_that_create_one_name_one_succeeds_and_the_others_are_told():
    service, barrier = SearchService(), threading.Barrier(6)
    made, refused = [], []

    def create():
        barrier.wait()
        try:
            made.append(created(service))
        except (SearchError, StoreError) as error:
            refused.append(error)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 5)
    assert service.session("a") is made[0]


def test_a_search_that_takes_long_to_open_keeps_nobody_waiting():
    opening, go = threading.Event(), threading.Event()

    class Stores(MemoryCatalogue):
        def create(self, name):
            if name == "slow":
                opening.set()
                assert go.wait(60)
            return super().create(name)

    service = SearchService(Stores())
    thread = threading.Thread(target=created, args=(service,), kwargs={"name": "slow"})
    thread.start()
    assert opening.wait(60)
    assert len(created(service, name="fast").run(max_trials=2)) == 2
    with pytest.raises(SearchError, match="must not be open already; received 'slow'"):
        created(service, name="slow")
    go.set()
    thread.join()
    assert service.open_names() == ["fast", "slow"]


def test_a_search_cannot_be_closed_by_its_own_callback_which_would_wait_for_itself(service):
    caught = []

    class Close:
        def on_trial_end(self, trial, improved):
            with pytest.raises(SearchError, match="must not be closed from within") as error:
                service.close("a")
            caught.append(error)
            session.pause()

    session = created(service, callbacks=[Close()])
    session.run(max_trials=3)
    assert len(caught) == 1


# --- going on ---------------------------------------------------------------------------


def test_what_one_service_has_begun_another_goes_on_with():
    stores = MemoryCatalogue()
    whole = created(SearchService()).run(max_trials=9)
    with SearchService(stores) as first:
        created(first).run(max_trials=4)
    second = SearchService(stores)
    session = second.open("a", space_of, "random", units, seed=0)
    assert session.progress().n_done == len(session.trials()) == 4
    history = session.run(max_trials=9)
    assert [t.decisions for t in history] == [t.decisions for t in whole]


def test_the_store_of_another_search_is_refused_when_it_is_opened(service):
    created(service).run(max_trials=4)
    service.close("a")
    with pytest.raises(OtherSearchError, match="seed: 0 is stored, 1 was given"):
        service.open("a", space_of, "random", units, seed=1)
    assert service.open_names() == []
    assert len(service.open("a", space_of, "random", units, seed=0).trials()) == 4


# --- looking ------------------------------------------------------------------------------


def test_progress_is_a_value_that_counts_everything():
    clock = Hand()
    service = SearchService(clock=clock)

    def estimate(architecture):
        clock.time_s += 10
        if units(architecture) % 3 == 0:
            raise ValueError
        return units(architecture)

    seen = []

    class Look:
        def on_trial_begin(self, number, architecture):
            seen.append(session.progress())

    session = created(service, estimate, callbacks=[Look()])
    before = session.progress()
    assert (before.state, before.n_done, before.best) == (SessionState.READY, 0, None)
    assert before.elapsed_s == 0.0
    session.run(max_trials=6)
    during = seen[4]
    assert during.state is SessionState.RUNNING
    assert during.n_done == 4
    assert [running.number for running in during.running] == [5]
    assert (during.elapsed_s, during.left_s, during.max_trials) == (40.0, 20.0, 6)
    after = session.progress()
    assert (after.n_done, after.running, after.elapsed_s) == (6, (), 60.0)
    assert after.n_failed == sum(trial.failed for trial in session.trials())
    assert (after.best, after.end_reason) == (session.result().best, EndReason.MAX_TRIALS)
    assert after.left_s is None


def test_results_can_be_read_while_the_search_goes_on(service):
    gate = Gate()
    session = created(service, gate, direction="min")
    session.start(max_trials=3)
    gate.let_through(2)
    for _ in range(3):
        gate.await_trial()
    assert len(session.trials()) == 2
    assert [t.number for t in session.trials(after=1)] == [2]
    result = session.result()
    assert result.direction is Direction.MIN
    assert result.best == session.best_trials()[0] == session.progress().best
    gate.let_through()
    session.wait(60)
    assert len(result) == 2


def test_best_models_are_made_by_whoever_knows_how(service):
    session = created(service, build_model=lambda trial: f"model of {trial.number}")
    session.run(max_trials=5)
    best = session.best_trials(2)
    assert session.best_models(2) == [f"model of {trial.number}" for trial in best]
    other = created(service, name="b")
    with pytest.raises(SearchError, match="must be given build_model to make models; received no"):
        other.best_models()


# --- asyncio --------------------------------------------------------------------------------


def test_a_search_is_awaited_while_the_event_loop_goes_on(service):
    gate = Gate()
    session = created(service, gate)

    async def main():
        running = asyncio.create_task(session.run_async(max_trials=2))
        await asyncio.sleep(0)
        assert session.state is SessionState.RUNNING
        gate.let_through(2)
        return await running

    assert len(asyncio.run(main())) == 2


def test_a_task_that_is_cancelled_pauses_its_search(service):
    gate = Gate()
    session = created(service, gate)

    async def main():
        running = asyncio.create_task(session.run_async(max_trials=5))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    gate.let_through(5)
    session.wait(60)
    assert session.state is SessionState.PAUSED
    assert len(session.trials()) <= 1
