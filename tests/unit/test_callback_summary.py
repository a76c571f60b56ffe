import io
from contextlib import redirect_stdout

import pytest

from hypernets.adapters.callback.decision_table import decision_table
from hypernets.core.callbacks import SummaryCallback
from hypernets.domain.history import Failure, History, Report, Trial, TrialState

DASHES = "-" * 62
LONG_DASHES = "-" * 64


class FakeClock:
    def __init__(self):
        self.time_s = 100.0

    def now(self):
        return self.time_s


class FakeArchitecture:
    labels = {"Param_2": "Module_Or_1.hp_or", "Param_1": "Module_Conv2D_1.kernel_size"}  # noqa: RUF012
    decisions = {"Param_1": (3, 3), "Param_2": 1}  # noqa: RUF012


class FakeModel:
    def summary(self, print_fn):
        print_fn('Model: "model"\nLayer  Connected to\n')


class FakeSearch:
    history = (Trial(1, {}, "0-earlier", TrialState.COMPLETED, {"accuracy": 0.5}),)


def completed(number, signature="1-aa", **facts):
    return Trial(
        number, {}, signature, TrialState.COMPLETED, {"accuracy": 0.875}, elapsed_s=12.5, **facts
    )


def test_a_trial_is_logged_in_the_published_form():
    clock, output = FakeClock(), io.StringIO()
    with redirect_stdout(output):
        callback = SummaryCallback(clock=clock)
        callback.on_search_begin(None)
        callback.on_trial_begin(1, FakeArchitecture())
        callback.on_model_built(1, FakeModel())
        callback.on_trial_report(1, Report(1, {"loss": 0.5}))
        clock.time_s += 13.0
        callback.on_trial_end(completed(1), True)
    assert output.getvalue().splitlines() == [
        "",
        "Trail No:1",
        "",
        DASHES,
        "(0) Module_Or_1.hp_or:                                      1",
        "(1) Module_Conv2D_1.kernel_size:                       (3, 3)",
        DASHES,
        'Model: "model"',
        "Layer  Connected to",
        "trail begin",
        "trail end. reward:0.875, improved:True, elapsed:12.5",
        "Total elapsed:13.0",
        LONG_DASHES,
        "space signatures: {'1-aa'}",
        LONG_DASHES,
    ]


def test_signatures_are_listed_once_in_the_order_in_which_they_were_seen():
    printed = []
    callback = SummaryCallback(printed.append)
    callback.on_search_begin(FakeSearch())
    for number, signature in enumerate(["1-bb", "1-aa", "1-bb"], start=2):
        callback.on_trial_end(completed(number, signature), False)
    assert "space signatures: {'0-earlier', '1-bb', '1-aa'}" in printed[-1].splitlines()


def test_the_list_of_signatures_does_not_grow_for_ever():
    printed = []
    callback = SummaryCallback(printed.append)
    for number in range(1, 151):
        callback.on_trial_end(completed(number, f"1-{number}"), False)
    [line] = [line for line in printed[-1].splitlines() if line.startswith("space signatures")]
    assert line.count("'1-") == 100
    assert line.endswith("'1-150'} (the last 100 of 150)")


def test_a_trial_without_a_model_says_that_its_training_began():
    printed = []
    callback = SummaryCallback(printed.append)
    callback.on_trial_begin(1, FakeArchitecture())
    callback.on_trial_end(completed(1), True)
    assert printed[1] == "trail begin"


def test_a_failed_trial_says_why_in_one_line():
    printed = []
    callback = SummaryCallback(printed.append)
    failure = Failure("BuildError", "shapes do not fit:\n  (3,) and (4,)", "Traceback ...")
    trial = Trial(2, {}, "", TrialState.FAILED, failure=failure, elapsed_s=0.25)
    callback.on_trial_begin(2, FakeArchitecture())
    callback.on_trial_end(trial, False)
    assert "trail begin" not in "\n".join(printed)
    first = printed[-1].splitlines()[0]
    assert first == (
        "trail end. failed: BuildError: shapes do not fit: (3,) and (4,), elapsed:0.25"
    )
    assert "space signatures: {}" in printed[-1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [([0], "[0]"), ((3, 3), "(3, 3)"), (0.1, "0.1"), ("relu", "relu"), (True, "True")],
)
def test_a_value_stands_at_the_right_end_of_its_row(value, shown):
    _, row, _ = decision_table({"a": "owner.keyword"}, {"a": value})
    assert row.startswith("(0) owner.keyword: ")
    assert row.endswith(f" {shown}")
    assert len(row) == 61


def test_a_label_too_long_for_its_row_keeps_its_value_beside_it():
    label = ",".join(f"Module_Conv2D_{n}.filters" for n in range(1, 9))
    top, row, bottom = decision_table({"a": label}, {"a": 32})
    assert row == f"(0) {label}: 32"
    assert top == bottom == DASHES


def test_a_line_break_in_a_value_does_not_break_the_table():
    _, row, _ = decision_table({"a": "owner.text"}, {"a": "two\nlines"})
    assert row.endswith(r"two\nlines")


def test_a_trial_without_decisions_has_an_empty_table():
    assert decision_table({}, {}) == [DASHES, DASHES]


def test_a_search_that_goes_on_says_after_what(capsys):
    callback = SummaryCallback(clock=FakeClock())
    search = FakeSearch()
    search.history = History("max", FakeSearch.history)
    search.location = "runs/x"
    callback.on_search_begin(search)
    assert capsys.readouterr().out == "goes on after 1 trial in runs/x\n"
