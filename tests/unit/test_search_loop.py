"""What the search does with proposals and measurements."""

import math

import numpy as np
import pytest
import structlog.testing

from hypernets.application import EndReason, MemoryStore, Search, search
from hypernets.application.port import Measurement, Proposal
from hypernets.domain.error import (
    BuildError,
    DivergedError,
    OutOfMemoryError,
    SearchError,
    SpaceError,
    StoreError,
    TrainingError,
    TrialTimeoutError,
)
from hypernets.domain.history import TrialState
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, Dynamic, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def space_of(n):
    """One decision of `n` options, each a network of its own; called `units`."""
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(1, n + 1), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def sums():
    """3 x 3 = 9 configurations of two decisions, which build 5 different networks."""
    space = HyperSpace()
    with space.as_default():
        a, b = Choice([1, 2, 3], name="a"), Choice([1, 2, 3], name="b")
        total = Dynamic(lambda a, b: a + b, a=a, b=b)
        Dense({"units": total})(Input({"shape": (4,)}, name="in"))
    return space


def units(architecture):
    return architecture.decisions["units"]


def failures_of(history):
    return [(t.state, t.failure.kind) for t in history if t.failure]


class Repeating:
    """Proposes the same over and over, whatever it is told."""

    def __init__(self, space):
        self.proposal = space.sample(0)
        self.told = []

    def ask(self):
        return self.proposal

    def tell(self, trial):
        self.told.append(trial)


# --- the thin thread ------------------------------------------------------------


def test_a_one_decision_space_is_searched_to_its_end_in_one_call():
    history = search(lambda: space_of(20), "random", units, seed=0)
    assert len(history) == 20
    assert sorted(t.number for t in history) == list(range(1, 21))
    assert history.best.decisions == {"units": 20}
    assert history.best.reward == 20.0
    assert history.best.architecture.graph["Module_Dense_1"].arguments == {"units": 20}


def test_a_smaller_reward_is_better_where_the_direction_says_so():
    assert search(space_of(5), estimate=units, direction="min", seed=0).best.reward == 1.0


def test_a_record_holds_what_was_proposed_and_measured():
    def estimate(architecture, context):
        context.report(1, {"loss": 0.5})
        context.report(2, {"loss": np.float32(0.25)})
        return Measurement(
            {"accuracy": np.float64(0.5), "loss": 1}, timings={"fit_s": 2.0}, details={"k": [1]}
        )

    trial = search(space_of(3), estimate=estimate, max_trials=1, seed=0)[0]
    assert trial.state is TrialState.COMPLETED
    assert trial.objectives == {"accuracy": 0.5, "loss": 1.0}
    assert [(r.step, r.values) for r in trial.curve] == [(1, {"loss": 0.5}), (2, {"loss": 0.25})]
    assert (trial.timings, trial.details) == ({"fit_s": 2.0}, {"k": [1]})
    assert trial.labels == {"units": "Module_Dense_1.units"}
    assert trial.signature == trial.architecture.signature
    assert (trial.number, trial.asked_after, trial.replicate, trial.parent) == (1, 0, 0, None)


def test_the_seed_of_a_trial_depends_on_the_seed_of_the_search_and_its_number_only():
    def seeds(seed):
        found = []
        search(space_of(4), estimate=lambda a, context: found.append(context.seed) or 1, seed=seed)
        return found

    assert seeds(1) == seeds(1)
    assert len({*seeds(1), *seeds(2)}) == 8


def test_fidelity_replicate_and_parent_travel_from_the_proposal_to_the_record():
    space = space_of(3)
    architecture = space.sample(0)
    seen = []

    class Promoting:
        def __init__(self):
            self.proposals = iter(
                [
                    Proposal(architecture, {"epochs": 1}),
                    Proposal(architecture, {"epochs": 9}, parent=1),
                    Proposal(architecture, {"epochs": 9}, replicate=1),
                    Proposal(architecture, {"epochs": 1}),
                ]
            )

        def ask(self):
            return next(self.proposals)

        def tell(self, trial):
            pass

    def estimate(_, context):
        seen.append(dict(context.fidelity))
        return len(seen)

    run = Search(Promoting(), estimate)
    with pytest.raises(StopIteration):  # the fake has no more than four
        run.run(max_trials=4)
    assert seen == [{"epochs": 1}, {"epochs": 9}, {"epochs": 9}]
    assert [t.answered_by for t in run.history] == [None, None, None, 1]
    assert [t.parent for t in run.history] == [None, 1, None, None]
    assert [t.replicate for t in run.history] == [0, 0, 1, 0]


# --- known proposals --------------------------------------------------------------


def test_a_network_is_never_measured_twice_and_the_answer_is_recorded_and_told():
    measured, store = [], MemoryStore()

    def estimate(architecture):
        (dense,) = [n for n in architecture.graph if n.layer == "Dense"]
        measured.append(dense.arguments["units"])
        return measured[-1]

    history = search(sums, estimate=estimate, seed=0, store=store)
    assert sorted(measured) == [2, 3, 4, 5, 6]
    assert len(history) == len(store.load()) == 9
    answered = [t for t in history if t.answered_by]
    assert len(answered) == 4
    for trial in answered:
        earlier = history.trial(trial.answered_by)
        assert (trial.signature, trial.reward) == (earlier.signature, earlier.reward)
        assert trial.decisions != earlier.decisions


def test_answered_proposals_do_not_count_towards_max_trials():
    history = search(sums, estimate=lambda a: 1, seed=0, max_trials=5)
    assert history.n_evaluated == 5


def test_a_searcher_that_repeats_itself_for_ever_is_told_and_then_left():
    searcher = Repeating(space_of(3))
    run = Search(searcher, units)
    with structlog.testing.capture_logs() as logs:
        history = run.run(max_trials=10, max_known=25)
    assert run.end_reason is EndReason.REPEATING
    assert (history.n_evaluated, len(history), len(searcher.told)) == (1, 26, 26)
    assert logs[-1]["event"] == "the searcher repeats itself"


def test_arguments_of_the_training_make_another_trial_of_the_same_network():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": 3})(Input({"shape": (4,)}, name="in"))
        space.set_training(batch_size=Choice([16, 32, 64]))
    history = search(space, estimate=lambda a: a.training["batch_size"], seed=0)
    assert history.n_evaluated == 3
    assert len({t.signature for t in history}) == 1
    assert history.best.training == {"batch_size": 64}


# --- failures -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (BuildError("no"), TrialState.FAILED),
        (TrainingError("no"), TrialState.FAILED),
        (DivergedError("no"), TrialState.DIVERGED),
        (OutOfMemoryError("no"), TrialState.OUT_OF_MEMORY),
        (MemoryError(), TrialState.OUT_OF_MEMORY),
        (TrialTimeoutError("no"), TrialState.TIMED_OUT),
        (ValueError("no"), TrialState.FAILED),
    ],
)
def test_an_error_of_one_trial_is_recorded_and_the_search_goes_on(error, state):
    def estimate(architecture):
        if units(architecture) == 3:
            raise error
        return units(architecture)

    with structlog.testing.capture_logs() as logs:
        history = search(space_of(4), estimate=estimate, seed=0)
    assert failures_of(history) == [(state, type(error).__name__)]
    assert history.best.reward == 4.0
    warnings = [log["event"] for log in logs if log["log_level"] == "warning"]
    assert warnings == ["trial failed"]


def test_an_unknown_error_is_recorded_with_its_traceback():
    def broken_code(architecture):
        return 1 / (units(architecture) - 2)

    history = search(space_of(3), estimate=broken_code, seed=0)
    (failed,) = [t for t in history if t.failed]
    assert failed.failure.kind == "ZeroDivisionError"
    assert "in broken_code" in failed.failure.traceback


@pytest.mark.parametrize("direction", ["max", "min"])
@pytest.mark.parametrize("reward", [math.nan, math.inf, -math.inf])
def test_a_reward_that_is_no_finite_number_diverges_and_is_never_best(reward, direction):
    history = search(
        space_of(3),
        estimate=lambda a: reward if units(a) == 2 else 0.5,
        direction=direction,
        seed=0,
    )
    assert failures_of(history) == [(TrialState.DIVERGED, "DivergedError")]
    assert history.best.reward == 0.5


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("0.5", "'reward' must be a number; received '0.5' of type str"),
        (None, "'reward' must be a number; received None"),
        (True, "'reward' must be a number; received True"),
        (np.array([0.5]), "'reward' must be a number; received array"),
        (10**400, "'reward' must be a number"),
        ({}, "must return at least one objective"),
        ({"accuracy": [1]}, "'accuracy' must be a number; received [1] of type list"),
    ],
)
def test_what_is_no_number_is_a_failed_trial_that_says_so(value, message):
    history = search(space_of(2), estimate=lambda a: value if units(a) == 1 else 1.0, seed=0)
    (failed,) = [t for t in history if t.failed]
    assert failed.state is TrialState.FAILED
    assert message in failed.failure.message


def test_several_objectives_have_a_front_and_the_first_named_is_the_reward():
    history = search(
        space_of(4),
        estimate=lambda a: {"latency_s": units(a), "accuracy": units(a) % 3},
        direction={"accuracy": "max", "latency_s": "min"},
        seed=0,
    )
    assert history.best.decisions == {"units": 2}
    assert sorted(t.decisions["units"] for t in history.front()) == [1, 2]
    assert list(history[0].objectives) == ["accuracy", "latency_s"]


def test_an_objective_that_has_a_direction_and_is_not_measured_fails_the_trial():
    with pytest.raises(SearchError, match=r"\['accuracy'\] without 'latency_s'"):
        search(
            space_of(2),
            estimate=lambda a: {"accuracy": 1},
            direction={"accuracy": "max", "latency_s": "min"},
            seed=0,
        )


def test_an_architecture_without_a_network_is_a_failed_trial():
    space = HyperSpace()
    with space.as_default():
        n = Choice([1, 2, 4], name="n")
        wrong = Dynamic(lambda n: 4 / n if n != 2 else "two", n=n)
        Dense({"units": wrong})(Input({"shape": (4,)}, name="in"))
    history = search(space, estimate=lambda a: a.decisions["n"], seed=0)
    assert history.n_evaluated == 3
    (failed,) = [t for t in history if t.failed]
    assert failed.decisions == {"n": 2}
    assert failed.signature == ""
    assert failed.failure.kind == "BuildError"


def test_a_search_in_which_everything_fails_ends_with_the_commonest_reason():
    def estimate(architecture):
        if units(architecture) == 2:
            raise BuildError("too wide")
        raise BuildError("too deep")

    with pytest.raises(SearchError, match=r"all 5 trials; most often BuildError: too deep \(4 t"):
        search(space_of(5), estimate=estimate, seed=0)


def test_it_gives_up_early_when_all_of_the_first_trials_fail():
    called = []

    def estimate(architecture):
        called.append(architecture)
        raise BuildError("no")

    with pytest.raises(SearchError, match="in all 10 trials"):
        search(space_of(50), estimate=estimate, seed=0)
    assert len(called) == 10
    with pytest.raises(SearchError, match="in all 3 trials"):
        search(space_of(50), estimate=estimate, seed=0, max_failures=3)
    with pytest.raises(SearchError, match="in all 50 trials"):
        search(space_of(50), estimate=estimate, seed=0, max_failures=None)


def test_one_success_is_enough_to_go_on():
    def estimate(architecture):
        if len(seen := estimate.seen) == 3:
            estimate.seen = [*seen, 1]
            return 1.0
        estimate.seen = [*seen, 0]
        raise BuildError("no")

    estimate.seen = []
    history = search(space_of(30), estimate=estimate, seed=0, max_failures=4)
    assert (history.n_evaluated, history.n_failed) == (30, 29)


def test_what_fails_is_told_to_the_searcher_too():
    searcher = Repeating(space_of(3))
    with pytest.raises(SearchError):
        Search(searcher, lambda a: "nothing").run(max_trials=1)
    assert [t.state for t in searcher.told] == [TrialState.FAILED]


def test_an_estimator_that_returns_no_measurement_fails_its_trial():
    class Wrong:
        def estimate(self, architecture, context):
            return 0.5

    with pytest.raises(SearchError, match=r"must return a Measurement; received 0.5 from Wrong"):
        search(space_of(2), estimate=Wrong(), seed=0)


# --- the law: durable, then known, then announced -------------------------------------


def test_a_trial_is_durable_then_known_then_kept_then_announced():
    events = []

    class Store(MemoryStore):
        def append(self, trial):
            events.append(("durable", len(run.history)))
            super().append(trial)

    class Told(RandomSearcher):
        def tell(self, trial):
            events.append(("known", len(run.history)))

    class Watching:
        def on_trial_begin(self, number, architecture):
            events.append(("begin", len(run.history)))

        def on_trial_end(self, trial, improved):
            events.append(("announced", len(run.history)))

    run = Search(
        Told(space_of(3), seed=0),
        units,
        store=Store(),
        callbacks=[Watching()],
        keeper=lambda trial, artifact, improved: events.append(("kept", len(run.history))),
    )
    run.run(max_trials=1)
    assert events == [("begin", 0), ("durable", 0), ("known", 1), ("kept", 1), ("announced", 1)]


def test_a_store_that_fails_stops_the_search():
    class Full(MemoryStore):
        def append(self, trial):
            if trial.number == 3:
                raise StoreError("the disk is full")
            super().append(trial)

    run = Search(RandomSearcher(space_of(9), seed=0), units, store=Full())
    with pytest.raises(StoreError, match="the disk is full"):
        run.run()
    assert len(run.history) == 2


def test_the_keeper_is_handed_the_artifact_and_whether_it_is_the_best():
    kept = []
    Search(
        RandomSearcher(space_of(6), seed=0),
        lambda a: Measurement({"reward": units(a)}, artifact=f"weights of {units(a)}"),
        keeper=lambda trial, artifact, improved: kept.append((trial.reward, artifact, improved)),
    ).run()
    assert len(kept) == 6
    best = 0
    for reward, artifact, improved in kept:
        assert artifact == f"weights of {reward:g}"
        assert improved is (reward > best)
        best = max(best, reward)


# --- arguments ------------------------------------------------------------------------


@pytest.mark.parametrize("estimate", [None, 0.5, "accuracy", Measurement])
def test_what_is_no_estimator_is_refused(estimate):
    with pytest.raises(SearchError, match=r"estimate must be .*received .*write estimate="):
        search(space_of(2), estimate=estimate)


def test_an_unknown_searcher_is_refused_with_the_known_names():
    with pytest.raises(SearchError, match=r"'random', .*; received 'randm'; did you mean 'random'"):
        search(space_of(2), "randm", units)
    with pytest.raises(SearchError, match="must have the methods ask and tell; received 5"):
        search(space_of(2), 5, units)


def test_a_searcher_may_be_a_class_or_an_object():
    space = space_of(3)
    assert search(space, RandomSearcher, units, seed=0).best.reward == 3.0
    assert search(space, RandomSearcher(space, "min"), units).best.reward == 1.0


def test_a_searcher_of_another_space_or_direction_is_refused():
    searcher = RandomSearcher(space_of(3), "min")
    with pytest.raises(SearchError, match="space must be that of the searcher"):
        search(space_of(3), searcher, units)
    with pytest.raises(SearchError, match="received 'max' for a searcher of direction 'min'"):
        search(searcher.space, searcher, units, direction="max")


def test_what_a_searcher_proposes_must_be_an_architecture():
    class Lazy:
        def ask(self):
            return None

        def tell(self, trial):
            pass

    with pytest.raises(SearchError, match=r"ask\(\) must return .*; received None; return"):
        Search(Lazy(), units).run(max_trials=1)


def test_a_wrong_space_is_refused():
    with pytest.raises(SpaceError, match="must be given a HyperSpace"):
        search(None, estimate=units, max_trials=1)


@pytest.mark.parametrize("n_workers", [0, 1.5, True])
def test_a_wrong_number_of_workers_is_refused(n_workers):
    with pytest.raises(SearchError, match="n_workers must be an integer >= 1; received"):
        search(space_of(2), estimate=units, n_workers=n_workers)
