"""A search that goes on, or begins with another's trials, says so: in the log and on the screen."""

import io

import structlog.testing
from rich.console import Console

from hypernets.adapters.callback import ProgressCallback
from hypernets.application import InlineExecutor, MemoryStore, Search, search
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class Folder(MemoryStore):
    location = "runs/x"


class Unnamed(MemoryStore):
    location = None

    def __repr__(self):
        return "<a store>"


def space():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(30), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def units(architecture):
    return float(architecture.decisions["units"])


def run(store, max_trials, **options):
    options = {"seed": 0, **options}
    return search(space, "random", units, store=store, max_trials=max_trials, **options)


def shown(store, max_trials, **options):
    output = io.StringIO()
    console = Console(file=output, width=200)
    run(store, max_trials, callbacks=[ProgressCallback(console)], **options)
    return output.getvalue().splitlines()


def begun(events):
    names = ("search began", "search goes on")
    return [
        (event["event"], event["n_trials"], event["store"])
        for event in events
        if event["event"] in names
    ]


def test_a_search_that_goes_on_is_an_event_that_says_how_many_trials_are_where():
    store = Folder()
    with structlog.testing.capture_logs() as events:
        run(store, 2)
        run(store, 3)
        run(Unnamed(), 1)
    assert begun(events) == [
        ("search began", 0, "runs/x"),
        ("search goes on", 2, "runs/x"),
        ("search began", 0, "<a store>"),
    ]


def test_so_is_one_that_is_run_on_in_its_process():
    engine = Search(RandomSearcher(space, seed=0), units)
    with structlog.testing.capture_logs() as events:
        engine.run(max_trials=1)
        engine.run(max_trials=2)
    assert begun(events) == [("search began", 0, "memory"), ("search goes on", 1, "memory")]


def test_a_plain_log_says_that_a_search_goes_on_and_from_where():
    store = Folder()
    assert not [line for line in shown(store, 2) if "goes on" in line]
    assert shown(store, 4)[0] == "search goes on after 2 trials in runs/x"


def test_a_plain_log_says_what_a_fork_begins_with():
    store, fork = Folder(), Folder()
    run(store, 3)
    fork.location = "runs/y"
    assert shown(fork, 1, fork=store, seed=1)[0] == "search begins with 3 trials of runs/x"
    assert shown(fork, 2, seed=1)[0] == "search goes on after 4 trials in runs/y"


def test_a_display_says_it_as_long_as_the_search_goes_on():
    store = Folder()
    run(store, 1)
    rows = []

    class Look:
        def on_trial_begin(self, number, architecture):
            rows.append(dict(progress.rows()))

    progress = ProgressCallback(Console(file=io.StringIO(), force_terminal=True))
    run(store, 3, callbacks=[progress, Look()])
    assert [row[""] for row in rows] == ["goes on after 1 trial in runs/x"] * 2


class Lifo(InlineExecutor):
    """Takes in up to three trials before it runs the first."""

    def completed(self, timeout_s=None):
        return super().completed(timeout_s)


def test_with_several_workers_a_display_shows_each_trial_and_how_many_are_busy():
    clock = Ticking()
    seen = []

    class Look:
        def on_trial_end(self, trial, improved):
            clock.time_s += 10
            seen.append(dict(progress.rows()))

    progress = ProgressCallback(Console(file=io.StringIO(), force_terminal=True), clock=clock)
    options = {"n_workers": 3, "executor": Lifo(), "callbacks": [Look(), progress]}
    run(MemoryStore(), 6, **options)
    assert [row["Workers"] for row in seen] == [
        "3 of 3 busy",
        "3 of 3 busy",
        "3 of 3 busy",
        "3 of 3 busy",
        "2 of 3 busy",
        "1 of 3 busy",
    ]
    assert seen[0].keys() >= {"Trial 1", "Trial 2", "Trial 3", "Best", "Failed"}
    # two trials have ended in 20 s: the four that are left take about 10 s each
    assert seen[2]["Search"] == "2/6 trials, 30 s elapsed, about 30 s left"


class Ticking:
    def __init__(self):
        self.time_s = 0.0

    def now(self):
        return self.time_s
