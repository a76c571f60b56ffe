"""What goes wrong in a search of the service, and how whoever embeds it learns of that."""

import asyncio
import threading

import pytest

from hypernets.application import EndReason, InlineExecutor, MemoryCatalogue, MemoryStore
from hypernets.application.service import (
    SearchService,
    SessionState,
    StateChanged,
    TrialBegan,
    TrialEnded,
)
from hypernets.domain.error import SearchError, StoreError
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class FullStore(MemoryStore):
    """Has no room for the n-th trial, once."""

    def __init__(self, n):
        super().__init__()
        self.n, self.n_refused = n, 0

    def append(self, trial):
        if len(self.load()) == self.n - 1 and not self.n_refused:
            self.n_refused += 1
            raise StoreError("no room")
        super().append(trial)


class FullCatalogue(MemoryCatalogue):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def create(self, name):
        self._stores[name] = FullStore(self.n)
        return self._stores[name]


class Counting:
    """An estimate that counts how often it measures."""

    name = "counting"

    def __init__(self):
        self.seen = []

    def __call__(self, architecture):
        self.seen.append(architecture.decisions["units"])
        return float(self.seen[-1])


def space():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(30), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def table(trials):
    return [(t.number, dict(t.decisions), t.seed, t.reward, t.asked_after) for t in trials]


def whole(max_trials, **options):
    session = SearchService().create("a", space, "random", Counting(), seed=0, **options)
    return table(session.run(max_trials=max_trials))


# --- an error in the background -----------------------------------------------------


def test_an_error_in_the_background_is_seen_by_whoever_looks():
    session = SearchService(FullCatalogue(3)).create("a", space, "random", Counting(), seed=0)
    events = session.events()
    assert session.error is None
    session.start(max_trials=5)
    with pytest.raises(StoreError, match="no room"):
        session.wait(60)
    progress = session.progress()
    assert (progress.state, progress.n_done) == (SessionState.FAILED, 2)
    assert progress.error == "StoreError('no room')"
    assert isinstance(session.error, StoreError)
    *_, last = events
    assert isinstance(last, StateChanged)
    assert (last.state, last.error) == (SessionState.FAILED, "StoreError('no room')")
    assert len(session.result()) == 2


@pytest.mark.parametrize("options", [{}, {"lag": 2}, {"replicates": 2}])
def test_what_could_not_be_kept_is_kept_by_the_next_run_and_not_measured_again(options):
    stores, estimate = FullCatalogue(3), Counting()
    service = SearchService(stores)
    session = service.create("a", space, "random", estimate, seed=0, **options)
    with pytest.raises(StoreError, match="no room"):
        session.run(max_trials=5)
    session.run(max_trials=6)
    assert session.progress().error is None
    assert session.error is None
    assert len(estimate.seen) == 6
    assert table(session.trials()) == whole(6, **options)
    service.close()
    again = SearchService(stores).open("a", space, "random", estimate, seed=0, **options)
    assert table(again.run(max_trials=9)) == whole(9, **options)


def test_a_result_that_could_not_be_kept_may_be_told_again():
    session = SearchService(FullCatalogue(1)).create("a", space, "random", seed=0)
    one, two = session.ask(), session.ask()
    with pytest.raises(StoreError, match="no room"):
        session.tell(two.number, 0.5)
    assert session.trials() == []
    trial = session.tell(two.number, 0.7)
    assert trial.reward == 0.5  # the first result stands
    assert session.tell(two.number, 0.9) is trial
    assert session.tell(one.number, 0.1).reward == 0.1


def test_what_ends_the_thread_of_a_search_is_its_error_whatever_it_is():
    def estimate(architecture):
        raise SystemExit(3)

    session = SearchService().create("a", space, "random", estimate, seed=0)
    session.start(max_trials=3)
    with pytest.raises(SystemExit):
        session.wait(60)
    assert session.state is SessionState.FAILED
    assert session.progress().error == "SystemExit(3)"


def test_a_thread_that_cannot_be_started_leaves_no_search_that_seems_to_run(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    session = SearchService().create("a", space, "random", Counting(), seed=0)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            session.start(max_trials=2)
    assert session.state is SessionState.FAILED
    assert "can't start" in session.progress().error
    session.start(max_trials=2)
    assert len(session.wait(60)) == 2


# --- events at rest -------------------------------------------------------------------


def test_the_events_of_a_search_that_is_over_are_none():
    service = SearchService()
    session = service.create("a", space, "random", Counting(), seed=0)
    session.cancel()
    assert list(session.events()) == []
    service.close()
    assert list(session.events()) == []

    async def listen():
        return [event async for event in session.events()]

    assert asyncio.run(listen()) == []


def test_the_events_of_a_search_at_rest_are_those_of_its_next_run():
    session = SearchService().create("a", space, "random", Counting(), seed=0)
    session.run(max_trials=1)
    stream = session.events()
    session.run(max_trials=2)
    kinds = [type(event) for event in stream]
    assert kinds.count(TrialBegan) == kinds.count(TrialEnded) == 1


def test_whoever_listens_to_a_search_that_never_ran_is_let_go_when_it_is_closed():
    service = SearchService()
    stream = service.create("a", space, "random", Counting(), seed=0).events()
    listening = threading.Thread(target=list, args=(stream,))
    listening.start()
    service.close()
    listening.join(60)
    assert not listening.is_alive()


# --- closing --------------------------------------------------------------------------


def test_a_store_that_cannot_be_closed_does_not_keep_the_others_open():
    closed = []

    class Store(MemoryStore):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def close(self):
            closed.append(self.name)
            if self.name == "b":
                raise OSError("the disk is gone")

    class Stores(MemoryCatalogue):
        def create(self, name):
            self._stores[name] = Store(name)
            return self._stores[name]

    service = SearchService(Stores())
    for name in ("a", "b", "c"):
        service.create(name, space, "random", Counting(), seed=0)
    with pytest.raises(OSError, match="the disk is gone"):
        service.close()
    assert sorted(closed) == ["a", "b", "c"]
    assert service.open_names() == []


def test_ten_searches_are_listed_run_paused_cancelled_and_deleted_side_by_side():
    service = SearchService()
    names = [f"s{n}" for n in range(10)]
    for n, name in enumerate(names):
        service.create(name, space, "random", Counting(), seed=n).start(max_trials=5)
    for name in names[:5]:
        service.session(name).wait(60)
    service.session(names[0]).cancel()
    states = {name: service.session(name).state for name in names[:5]}
    assert states.pop(names[0]) is SessionState.CANCELLED
    assert set(states.values()) == {SessionState.ENDED}
    service.close()
    assert service.open_names() == []
    assert service.names() == names
    for name in names:
        service.delete(name)
    assert service.names() == []


def test_a_search_that_was_cancelled_while_its_trial_ran_gives_up_that_trial_only():
    class Stuck(InlineExecutor):
        """Runs two trials, and then none."""

        n_run = 0

        def completed(self, timeout_s=None):
            if self.n_run == 2:
                stuck.set()
                return ()
            self.n_run += 1
            return super().completed(timeout_s)

    stuck = threading.Event()
    service = SearchService(executors=lambda name: Stuck())
    session = service.create("a", space, "random", Counting(), seed=0, executor="stuck")
    session.start(max_trials=5)
    assert stuck.wait(60)
    session.cancel()
    service.close()
    assert table(session.trials()) == whole(2)
    assert session.progress().end_reason is EndReason.STOPPED


def test_an_option_that_there_is_not_is_named():
    with pytest.raises(
        SearchError, match=r"an option of a search must be one of .*received 'sede'"
    ):
        SearchService().create("a", space, "random", Counting(), sede=0)
