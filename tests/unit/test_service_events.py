"""What happens to a search, as a stream of events."""

import asyncio
import threading

import pytest

from hypernets.application.loop.budget import EndReason
from hypernets.application.service import (
    EventsMissed,
    SearchBegan,
    SearchEnded,
    SearchService,
    SessionState,
    StateChanged,
    TrialBegan,
    TrialEnded,
    TrialReported,
)
from hypernets.domain.error import SearchError
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class Ticking:
    def __init__(self):
        self.time_s = 0.0

    def now(self):
        self.time_s += 1.0
        return self.time_s


def space():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(30), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def estimate(architecture, context):
    context.report(1, {"loss": 0.5})
    return 1.0


def created(name="a", clock=None, estimate=estimate):
    return SearchService(clock=clock).create(name, space, "random", estimate, seed=0)


def test_the_events_of_a_search_come_in_order_and_end_with_it():
    session = created(clock=Ticking())
    stream = session.events()
    session.run(max_trials=2)
    events = list(stream)
    assert [type(event) for event in events] == [
        StateChanged,
        SearchBegan,
        *[TrialBegan, TrialReported, TrialEnded] * 2,
        SearchEnded,
        StateChanged,
    ]
    assert [event.sequence for event in events] == list(range(1, 11))
    assert [event.time_s for event in events] == sorted(event.time_s for event in events)
    assert {event.search for event in events} == {"a"}
    first, last = events[0], events[-1]
    assert (first.state, last.state) == (SessionState.RUNNING, SessionState.ENDED)
    assert events[4].trial == session.trials()[0]
    assert events[4].improved
    assert events[2].decisions == session.trials()[0].decisions
    assert (events[3].number, events[3].step, dict(events[3].values)) == (1, 1, {"loss": 0.5})
    assert (events[8].reason, events[8].n_trials) == (EndReason.MAX_TRIALS, 2)


def test_a_slow_subscriber_misses_the_oldest_events_and_is_told_how_many():
    session = created()
    slow, fast = session.events(capacity=3), session.events()
    session.run(max_trials=10)
    everything, rest = list(fast), list(slow)
    assert isinstance(rest[0], EventsMissed)
    assert rest[0].count == len(everything) - 3
    assert rest[0].sequence == everything[-4].sequence
    assert rest[1:] == everything[-3:]


def test_nobody_who_listens_holds_the_search_up():
    session = created()
    session.events(capacity=1)
    session.events(capacity=1)
    assert len(session.run(max_trials=20)) == 20


def test_a_stream_can_be_read_in_another_thread_while_the_search_goes_on():
    session = created()
    seen = []
    stream = session.events()
    thread = threading.Thread(target=lambda: seen.extend(stream))
    thread.start()
    session.run(max_trials=5)
    thread.join(60)
    assert not thread.is_alive()
    assert sum(isinstance(event, TrialEnded) for event in seen) == 5


def test_a_stream_that_is_closed_ends_whoever_waits_for_it():
    session = created()
    stream = session.events()
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(stream))
    thread.start()
    stream.close()
    thread.join(60)
    assert not thread.is_alive()
    session.run(max_trials=1)
    assert seen == []
    with session.events() as other:
        pass
    assert list(other) == []


def test_a_stream_goes_on_over_a_pause():
    session = created()
    stream = session.events()

    class Pause:
        def on_trial_end(self, trial, improved):
            if trial.number == 2:
                session.pause()

    session._search._announcer._callbacks.append(Pause())
    session.run(max_trials=4)
    session.resume()
    session.wait(60)
    states = [event.state for event in stream if isinstance(event, StateChanged)]
    running, paused, ended = SessionState.RUNNING, SessionState.PAUSED, SessionState.ENDED
    assert states == [running, paused, running, ended]


def test_a_failure_is_an_event_too():
    def fail(architecture):
        raise ValueError("never")

    session = created(estimate=fail)
    stream = session.events()
    with pytest.raises(SearchError):
        session.run(max_trials=2)
    last = list(stream)[-1]
    assert last.state is SessionState.FAILED
    assert "at least one trial" in last.error


def test_events_are_awaited_while_the_event_loop_goes_on():
    session = created()

    async def main():
        ended = []

        async def listen(stream):
            async for event in stream:
                if isinstance(event, TrialEnded):
                    ended.append(event.trial.number)

        listeners = [asyncio.create_task(listen(session.events())) for _ in range(2)]
        await asyncio.sleep(0)
        await session.run_async(max_trials=6)
        await asyncio.wait_for(asyncio.gather(*listeners), 60)
        return ended

    assert sorted(asyncio.run(main())) == sorted([*range(1, 7)] * 2)


def test_a_listener_whose_event_loop_is_gone_is_in_nobodys_way():
    session = created()
    stream = session.events()

    async def main():
        listener = asyncio.create_task(stream.__anext__())
        await asyncio.sleep(0)
        listener.cancel()

    asyncio.run(main())
    session.run(max_trials=2)
    assert sum(isinstance(event, TrialEnded) for event in stream) == 2


@pytest.mark.parametrize("capacity", [0, True, 1.5])
def test_a_stream_without_room_is_refused(capacity):
    with pytest.raises(SearchError, match="capacity must be an integer >= 1"):
        created().events(capacity)
