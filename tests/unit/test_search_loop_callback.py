"""What callbacks see, and what they can do to a search."""

import pytest
import structlog.testing

from hypernets.application import EndReason, Search, search
from hypernets.application.loop.announcer import Announcer
from hypernets.domain.error import SearchError, StopSearch
from hypernets.domain.history import TrialState
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def space_of(n):
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(1, n + 1), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def units(architecture):
    return architecture.decisions["units"]


def reporting(architecture, context):
    for step in range(1, 4):
        if context.report(step, {"loss": 1 / step}):
            break
    return step


class Recorder:
    def __init__(self):
        self.events = []

    def on_search_begin(self, search):
        self.events.append(("search begin", len(search.history)))

    def on_trial_begin(self, number, architecture):
        self.events.append(("begin", number, units(architecture)))

    def on_trial_report(self, number, report):
        self.events.append(("report", number, report.step))

    def on_trial_end(self, trial, improved):
        self.events.append(("end", trial.number, improved))

    def on_search_end(self, history):
        self.events.append(("search end", len(history)))


def test_a_callback_sees_everything_in_order():
    recorder = Recorder()
    search(space_of(1 + 1), estimate=reporting, callbacks=[recorder], seed=0, max_trials=2)
    first, second = [e[2] for e in recorder.events if e[0] == "begin"]
    assert recorder.events == [
        ("search begin", 0),
        ("begin", 1, first),
        ("report", 1, 1),
        ("report", 1, 2),
        ("report", 1, 3),
        ("end", 1, True),
        ("begin", 2, second),
        ("report", 2, 1),
        ("report", 2, 2),
        ("report", 2, 3),
        ("end", 2, False),
        ("search end", 2),
    ]


@pytest.mark.parametrize(
    "method", ["on_search_begin", "on_trial_begin", "on_trial_report", "on_trial_end"]
)
def test_a_callback_may_have_any_one_of_the_methods_and_stop_the_search(method):
    class Stopping:
        pass

    def stop(self, *facts):
        raise StopSearch

    setattr(Stopping, method, stop)
    recorder = Recorder()
    run = Search(RandomSearcher(space_of(9), seed=0), reporting, callbacks=[Stopping(), recorder])
    history = run.run()
    assert run.end_reason is EndReason.STOPPED
    assert len(history) == (0 if method == "on_search_begin" else 1)
    assert recorder.events[-1] == ("search end", len(history))


def test_stopping_at_a_report_stops_that_trial_there_and_records_it_as_pruned():
    class Impatient:
        def on_trial_report(self, number, report):
            if number == 2 and report.step == 2:
                raise StopSearch

    history = search(space_of(9), estimate=reporting, callbacks=[Impatient()], seed=0)
    assert [(t.state, len(t.curve)) for t in history] == [
        (TrialState.COMPLETED, 3),
        (TrialState.PRUNED, 2),
    ]
    assert history[1].objectives == {"reward": 2.0}


def test_a_callback_that_fails_is_logged_once_and_switched_off_and_the_search_goes_on():
    class Broken:
        calls = 0

        def on_trial_end(self, trial, improved):
            self.calls += 1
            raise ValueError("my mistake")

    broken, recorder = Broken(), Recorder()
    with structlog.testing.capture_logs() as logs:
        history = search(space_of(5), estimate=units, callbacks=[broken, recorder], seed=0)
    assert (len(history), broken.calls) == (5, 1)
    assert [e[0] for e in recorder.events].count("end") == 5
    (event,) = [log for log in logs if log["log_level"] == "warning"]
    assert (event["callback"], event["method"]) == ("Broken", "on_trial_end")
    assert "my mistake" in event["error"]


def test_an_interrupt_ends_the_search_in_good_order_and_it_may_be_run_on():
    def estimate(architecture):
        if len(run.history) == 2 and not estimate.interrupted:
            estimate.interrupted = True
            raise KeyboardInterrupt
        return units(architecture)

    estimate.interrupted = False
    recorder = Recorder()
    run = Search(RandomSearcher(space_of(6), seed=0), estimate, callbacks=[recorder])
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert run.end_reason is EndReason.INTERRUPTED
    assert len(run.history) == 2
    assert recorder.events[-1] == ("search end", 2)
    assert [t.number for t in run.run()] == [1, 2, 3, 4, 5, 6]
    assert run.history.best.reward == 6.0


def test_an_interrupt_inside_a_callback_loses_no_proposal():
    class Interrupting:
        times = 0

        def on_trial_begin(self, number, architecture):
            self.times += 1
            if self.times == 2:
                raise KeyboardInterrupt

    run = Search(RandomSearcher(space_of(4), seed=0), units, callbacks=[Interrupting()])
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert [t.number for t in run.run()] == [1, 2, 3, 4]


def test_an_answered_proposal_is_not_announced():
    class Twice:
        def __init__(self, space):
            self.architectures = iter([space.architecture({"units": n}) for n in (1, 1, 2)])

        def ask(self):
            return next(self.architectures)

        def tell(self, trial):
            pass

    recorder = Recorder()
    history = Search(Twice(space_of(2)), units, callbacks=[recorder]).run(max_trials=2)
    assert len(history) == 3
    assert [e[1] for e in recorder.events if e[0] == "end"] == [1, 3]


def test_a_callback_without_any_method_is_refused():
    with pytest.raises(SearchError, match=r"at least one of the methods on_search_begin.*received"):
        search(space_of(2), estimate=units, callbacks=[print])


def test_a_class_in_place_of_a_callback_is_refused():
    with pytest.raises(SearchError, match=r"received the class Recorder; make one: Recorder\(\)"):
        search(space_of(2), estimate=units, callbacks=[Recorder])


def test_an_object_that_only_wants_to_see_models_is_a_callback():
    class Shown:
        def on_model_built(self, number, model):
            raise AssertionError("there are no models here")

    Announcer([Shown()])
