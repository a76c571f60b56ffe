import io
import sys
import types

import attrs
import pytest
from rich.console import Console

from hypernets.adapters.callback.progress_text import duration
from hypernets.adapters.callback.screen import NotebookScreen
from hypernets.core.callbacks import Callback, ProgressCallback
from hypernets.domain.history import Failure, History, Report, Trial, TrialState


class FakeClock:
    def __init__(self):
        self.time_s = 1_000.0

    def now(self):
        return self.time_s


@attrs.define
class FakeBudget:
    max_trials: int | None = None
    max_time_s: float | None = None


@attrs.define
class FakeSearch:
    budget: FakeBudget
    history: History = attrs.field(factory=History)
    n_workers: int = 1


class FakeHandle:
    def __init__(self, contents):
        self.contents = contents

    def update(self, content, raw):
        assert raw
        self.contents.append(content["text/plain"])


class FakeDisplay:
    def __init__(self):
        self.contents = []

    def __call__(self, content, raw, display_id):
        assert raw
        assert display_id
        self.contents.append(content["text/plain"])
        return FakeHandle(self.contents)


def completed(number, accuracy):
    return Trial(
        number,
        {},
        f"1-{number}",
        TrialState.COMPLETED,
        {"accuracy": accuracy},
        elapsed_s=4.0,
    )


def failed(number, message="too deep"):
    failure = Failure("BuildError", message)
    return Trial(number, {}, "", TrialState.FAILED, failure=failure, elapsed_s=0.5)


def run_three_trials(callback, clock, search):
    callback.on_search_begin(search)
    for number, accuracy in [(1, 0.9), (2, 0.95)]:
        callback.on_trial_begin(number, None)
        callback.on_model_built(number, None)
        callback.on_trial_report(number, Report(3, {"loss": 0.25, "accuracy": accuracy}))
        clock.time_s += 5.0
        callback.on_trial_end(completed(number, accuracy), True)
    callback.on_trial_begin(3, None)
    clock.time_s += 2.0
    callback.on_trial_end(failed(3), False)


def plain(console_file):
    return Console(file=console_file, force_terminal=False, width=80)


def terminal(console_file):
    return Console(file=console_file, force_terminal=True, width=100, height=30, color_system=None)


def test_a_log_gets_one_line_a_trial_without_control_characters():
    output, clock = io.StringIO(), FakeClock()
    callback = ProgressCallback(plain(output), clock=clock)
    run_three_trials(callback, clock, FakeSearch(FakeBudget(max_trials=6)))
    callback.on_search_end(None)
    assert output.getvalue().splitlines() == [
        "trial 1/6: accuracy 0.9 in 4.0 s; best accuracy 0.9 (trial 1); failed 0; about 25 s left",
        "trial 2/6: accuracy 0.95 in 4.0 s; best accuracy 0.95 (trial 2); failed 0; "
        "about 20 s left",
        "trial 3/6: failed, BuildError: too deep in 0.5 s; best accuracy 0.95 (trial 2); failed 1; "
        "about 12 s left",
        "search ended: 3/6 trials in 12 s; best accuracy 0.95 (trial 2); failed 1",
    ]


def test_standard_output_that_is_no_terminal_is_a_log_whatever_the_environment_says(
    capsys, monkeypatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    clock = FakeClock()
    callback = ProgressCallback(clock=clock)
    run_three_trials(callback, clock, FakeSearch(FakeBudget()))
    callback.on_search_end(None)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)


def test_the_state_of_a_running_trial_is_shown():
    clock = FakeClock()
    callback = ProgressCallback(plain(io.StringIO()), clock=clock)
    callback.on_search_begin(FakeSearch(FakeBudget(max_trials=12)))
    callback.on_trial_begin(1, None)
    assert ("Trial 1", "running for 0.0 s") in callback.rows()
    clock.time_s += 2.0
    callback.on_model_built(1, None)
    assert ("Trial 1", "training for 2.0 s") in callback.rows()
    clock.time_s += 10.0
    callback.on_trial_report(1, Report(2, {"loss": 0.25, "accuracy": 0.5}))
    assert ("Trial 1", "training for 12 s, epoch 2: loss 0.25, accuracy 0.5") in callback.rows()
    callback.on_trial_end(failed(1), False)
    assert (
        dict(callback.rows())["Failed"] == "1, the last one trial 1: failed, BuildError: too deep"
    )
    assert "Trial 1" not in dict(callback.rows())


def test_several_trials_at_once_are_shown_each():
    callback = ProgressCallback(plain(io.StringIO()), clock=FakeClock())
    callback.on_search_begin(FakeSearch(FakeBudget()))
    for number in range(1, 13):
        callback.on_trial_begin(number, None)
    headings = [heading for heading, _ in callback.rows()]
    assert headings == ["Search", *(f"Trial {n}" for n in range(1, 9)), "", "Best", "Failed"]


def test_with_several_workers_it_is_shown_how_many_are_busy():
    output, clock = io.StringIO(), FakeClock()
    callback = ProgressCallback(plain(output), clock=clock)
    callback.on_search_begin(FakeSearch(FakeBudget(max_trials=9), n_workers=3))
    assert dict(callback.rows())["Workers"] == "0 of 3 busy"
    for number in (1, 2):
        callback.on_trial_begin(number, None)
    assert dict(callback.rows())["Workers"] == "2 of 3 busy"
    clock.time_s += 6.0
    callback.on_trial_end(completed(2, 0.5), True)
    assert dict(callback.rows())["Workers"] == "1 of 3 busy"
    assert output.getvalue() == (
        "trial 2/9: accuracy 0.5 in 4.0 s; best accuracy 0.5 (trial 2); failed 0; 1 under way; "
        "about 48 s left\n"
    )


def test_several_workers_shorten_the_time_that_is_left():
    clock = FakeClock()
    callback = ProgressCallback(plain(io.StringIO()), clock=clock)
    callback.on_search_begin(FakeSearch(FakeBudget(max_trials=8), n_workers=2))
    for number in (1, 2):
        callback.on_trial_begin(number, None)
    clock.time_s += 10.0
    for number in (1, 2):
        callback.on_trial_end(completed(number, 0.5), False)
    assert dict(callback.rows())["Search"] == "2/8 trials, 10 s elapsed, about 30 s left"


def test_the_time_stands_still_when_the_search_has_ended():
    clock = FakeClock()
    callback = ProgressCallback(plain(io.StringIO()), clock=clock, max_trials=9)
    run_three_trials(callback, clock, FakeSearch(FakeBudget()))
    callback.on_search_end(None)
    clock.time_s += 1_000.0
    assert dict(callback.rows())["Search"] == "3/9 trials, 12 s elapsed"


def test_the_time_left_follows_the_measured_pace():
    clock = FakeClock()
    callback = ProgressCallback(plain(io.StringIO()), max_trials=10, clock=clock)
    callback.on_search_begin(object())
    assert dict(callback.rows())["Search"] == "0/10 trials, 0.0 s elapsed"
    for number in (1, 2):
        callback.on_trial_begin(number, None)
        clock.time_s += 30.0
        callback.on_trial_end(completed(number, 0.5), False)
    assert dict(callback.rows())["Search"] == "2/10 trials, 1:00 elapsed, about 4:00 left"
    clock.time_s += 10.0
    assert dict(callback.rows())["Search"] == "2/10 trials, 1:10 elapsed, about 3:50 left"
    clock.time_s += 1_000.0
    assert dict(callback.rows())["Search"].endswith("about 0.0 s left")


def test_no_time_is_left_when_all_trials_have_ended():
    clock, output = FakeClock(), io.StringIO()
    callback = ProgressCallback(plain(output), max_trials=1, clock=clock)
    callback.on_search_begin(object())
    clock.time_s += 3.0
    callback.on_trial_end(completed(1, 0.5), True)
    assert "left" not in output.getvalue()
    assert dict(callback.rows())["Search"] == "1/1 trial, 3.0 s elapsed"


def test_a_limit_of_time_caps_the_time_left():
    clock = FakeClock()
    callback = ProgressCallback(plain(io.StringIO()), clock=clock)
    callback.on_search_begin(FakeSearch(FakeBudget(max_trials=100, max_time_s=60.0)))
    clock.time_s += 20.0
    callback.on_trial_end(completed(1, 0.5), True)
    assert dict(callback.rows())["Search"].endswith("about 40 s left")


def test_a_search_that_goes_on_counts_its_earlier_trials():
    clock = FakeClock()
    history = History("max", [completed(1, 0.75), failed(2)])
    callback = ProgressCallback(plain(io.StringIO()), clock=clock)
    callback.on_search_begin(FakeSearch(FakeBudget(max_trials=4), history))
    clock.time_s += 10.0
    callback.on_trial_end(completed(3, 0.5), False)
    rows = dict(callback.rows())
    assert rows["Search"] == "3/4 trials, 10 s elapsed, about 10 s left"
    assert rows["Best"] == "accuracy 0.75 (trial 1)"
    assert rows["Failed"] == "1"


def test_a_terminal_is_drawn_again_in_place_and_left_as_it_was():
    output, clock = io.StringIO(), FakeClock()
    stdout_before = sys.stdout
    callback = ProgressCallback(terminal(output), clock=clock, refreshes_per_s=0)
    run_three_trials(callback, clock, FakeSearch(FakeBudget(max_trials=6)))
    callback.on_search_end(None)
    text = output.getvalue()
    assert "training for 0.0 s, epoch 3: loss 0.25, accuracy 0.95" in text
    assert "Search 3/6 trials, 12 s elapsed" in " ".join(text.split())
    assert "\x1b[?25l" in text  # the cursor is hidden
    assert text.rstrip().endswith("\x1b[?25h")  # and shown again
    assert sys.stdout is stdout_before


def test_a_terminal_drawn_by_a_thread_can_be_closed_at_once():
    output, clock = io.StringIO(), FakeClock()
    callback = ProgressCallback(terminal(output), clock=clock, refreshes_per_s=100)
    run_three_trials(callback, clock, FakeSearch(FakeBudget()))
    callback.on_search_end(None)
    assert "3 trials" in output.getvalue()


def test_a_notebook_gets_one_output_that_is_replaced():
    clock, display = FakeClock(), FakeDisplay()
    callback = ProgressCallback(plain(io.StringIO()), clock=clock)
    callback.on_search_begin(FakeSearch(FakeBudget(max_trials=2)))
    screen = NotebookScreen(callback, display)
    callback.on_trial_end(completed(1, 0.9), True)
    screen.refresh()
    assert display.contents[0].splitlines()[0] == "Search  0/2 trials, 0.0 s elapsed"
    assert "Best    accuracy 0.9 (trial 1)" in display.contents[-1].splitlines()


def test_a_notebook_is_served_by_ipython_alone(monkeypatch):
    display = FakeDisplay()
    module = types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    clock = FakeClock()
    callback = ProgressCallback(Console(file=io.StringIO(), force_jupyter=True), clock=clock)
    run_three_trials(callback, clock, FakeSearch(FakeBudget()))
    callback.on_search_end(None)
    assert "accuracy 0.95 (trial 2)" in display.contents[-1]


class ClosedFile(io.StringIO):
    def write(self, text):
        raise ValueError("I/O operation on closed file.")


class BrokenPipe(io.StringIO):
    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self):
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("make_console", [plain, terminal])
@pytest.mark.parametrize("file", [ClosedFile, BrokenPipe])
def test_output_that_is_closed_does_not_disturb_a_search(make_console, file, monkeypatch):
    monkeypatch.setattr(Console, "on_broken_pipe", _leave)  # rich's own also closes the real one
    stdout_before = sys.stdout
    clock = FakeClock()
    callback = ProgressCallback(make_console(file()), clock=clock, refreshes_per_s=0)
    run_three_trials(callback, clock, FakeSearch(FakeBudget(max_trials=6)))
    callback.on_search_end(None)
    assert sys.stdout is stdout_before
    assert dict(callback.rows())["Search"].startswith("3/6 trials")


def _leave(console):
    raise SystemExit(1)


def test_standard_output_that_is_closed_before_the_search_does_not_disturb_it(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    clock = FakeClock()
    callback = ProgressCallback(clock=clock)
    run_three_trials(callback, clock, FakeSearch(FakeBudget()))
    callback.on_search_end(None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1:00"),
        (3600, "1:00:00"),
    ],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_the_base_callback_does_nothing():
    callback = Callback()
    callback.on_search_begin(None)
    callback.on_trial_begin(1, None)
    callback.on_model_built(1, None)
    callback.on_trial_report(1, Report(1, {}))
    callback.on_trial_end(completed(1, 0.5), True)
    callback.on_search_end(None)
