"""Ctrl-C: once in good order, twice at once; and never where nobody asked for it."""

import signal
import threading

import pytest

from hypernets.application import EndReason, Search
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def space():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(30))})(Input({"shape": (4,)}, name="in"))
    return space


def interrupted(at, presses=1, **options):
    """A search of which trial `at` presses Ctrl-C, and says whether it came to its end."""
    ends = []

    def estimate(architecture, context):
        if context.number == at:
            for _ in range(presses):
                signal.raise_signal(signal.SIGINT)
        ends.append(context.number)
        return 1.0

    return Search(RandomSearcher(space(), seed=0), estimate, **options), ends


@pytest.fixture(autouse=True)
def _usual_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_a_first_ctrl_c_lets_the_trial_end_and_then_ends_the_search():
    lines = []
    search, ends = interrupted(3, on_interrupt=lines.append)
    history = search.run(max_trials=10)
    assert ends == [1, 2, 3]
    assert len(history) == 3
    assert search.end_reason is EndReason.INTERRUPTED
    assert "Press Ctrl-C again" in lines[0]
    assert lines[1] == (
        "The search was interrupted after 3 trials, all of which are kept in memory. To go on, run "
        "the same search object again."
    )
    assert len(search.run(max_trials=10)) == 10


def test_a_second_ctrl_c_ends_the_search_now():
    search, ends = interrupted(3, presses=2, on_interrupt=lambda line: None)
    with pytest.raises(KeyboardInterrupt):
        search.run(max_trials=10)
    assert ends == [1, 2]
    assert search.end_reason is EndReason.INTERRUPTED
    assert [trial.number for trial in search.history] == [1, 2]


def test_where_nobody_asked_for_it_ctrl_c_is_a_keyboard_interrupt_as_ever():
    search, ends = interrupted(3)
    with pytest.raises(KeyboardInterrupt):
        search.run(max_trials=10)
    assert ends == [1, 2]


def test_a_handler_of_the_program_is_left_alone():
    seen = []
    signal.signal(signal.SIGINT, lambda *_: seen.append("theirs"))
    search, _ = interrupted(3, on_interrupt=seen.append)
    search.run(max_trials=5)
    assert seen == ["theirs"]
    assert len(search.history) == 5
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_in_another_thread_no_handler_is_touched():
    handlers = []

    def estimate(architecture):
        handlers.append(signal.getsignal(signal.SIGINT))
        return 1.0

    search = Search(RandomSearcher(space(), seed=0), estimate, on_interrupt=print)
    thread = threading.Thread(target=search.run, args=(2,))
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler] * 2


def test_a_line_that_cannot_be_shown_does_no_harm():
    def broken(line):
        if "again to end" in line:
            raise BrokenPipeError

    search, _ = interrupted(2, on_interrupt=broken)
    assert len(search.run(max_trials=10)) == 2
