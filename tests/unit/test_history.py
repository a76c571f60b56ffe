import copy
import json
import math
import pickle
import sys
import types

import pytest

from hypernets.domain.error import DuplicateTrialError, SearchError
from hypernets.domain.history import Direction, Failure, History, Report, Trial, TrialState
from hypernets.domain.history.direction import parse_direction


def trial(number, reward=None, *, signature=None, state=TrialState.COMPLETED, **facts):
    objectives = {} if reward is None else {"accuracy": reward}
    facts.setdefault("objectives", objectives)
    return Trial(number, {"units": number}, signature or f"s{number}", state, **facts)


def numbers(trials):
    return [t.number for t in trials]


def test_an_empty_history_has_no_best_no_top_and_no_front():
    history = History()
    assert (len(history), history.best, history.top(3), history.front()) == (0, None, [], [])
    assert history.next_number == 1


def test_trials_are_kept_in_the_order_of_tells_and_found_by_position_or_number():
    history = History(trials=[trial(3, 0.3), trial(1, 0.1), trial(2, 0.2)])
    assert numbers(history) == [3, 1, 2]
    assert history[0].number == 3
    assert history[-1].number == 2
    assert numbers(history[1:]) == [1, 2]
    assert history.trial(1) is history[1]
    assert history.next_number == 4
    with pytest.raises(IndexError):
        history[3]
    with pytest.raises(KeyError):
        history.trial(9)


def test_a_number_that_is_there_already_is_refused_and_nothing_changes():
    history = History(trials=[trial(1, 0.5)])
    with pytest.raises(DuplicateTrialError, match=r"received number 1.*number it 2"):
        history.add(trial(1, 0.9))
    assert len(history) == 1
    assert history.best.reward == 0.5


@pytest.mark.parametrize(("direction", "best"), [("max", 2), ("min", 4), (Direction.MIN, 4)])
def test_the_best_follows_the_direction_and_a_tie_keeps_the_older(direction, best):
    rewards = [0.5, 0.9, 0.9, 0.1, 0.1]
    history = History(direction, [trial(n, reward) for n, reward in enumerate(rewards, 1)])
    assert history.best.number == best


def test_add_says_whether_the_trial_is_the_best_now():
    history = History()
    improved = [history.add(trial(n, r)) for n, r in enumerate([0.5, 0.4, 0.5, 0.6, math.nan], 1)]
    assert improved == [True, False, False, True, False]


@pytest.mark.parametrize("reward", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("direction", ["max", "min"])
def test_a_reward_that_is_no_finite_number_is_never_best_nor_on_the_front(reward, direction):
    history = History(direction, [trial(1, reward), trial(2, 0.5)])
    assert numbers(history.top(5)) == numbers(history.front()) == [2]
    assert History(direction, [trial(1, reward)]).best is None


@pytest.mark.parametrize("state", [state for state in TrialState if state.name != "COMPLETED"])
def test_a_trial_that_did_not_complete_stays_in_the_history_and_out_of_the_ranking(state):
    history = History(trials=[trial(1, 0.9, state=state), trial(2, 0.1)])
    assert len(history) == 2
    assert history.best.number == 2
    assert history.seen("s1")


def test_top_is_the_best_first_and_the_older_of_equal_ones_before():
    rewards = [0.1, 0.7, 0.3, 0.7, 0.9]
    history = History(trials=[trial(n, reward) for n, reward in enumerate(rewards, 1)])
    assert numbers(history.top(4)) == [5, 2, 4, 3]
    assert numbers(history.top(99)) == [5, 2, 4, 3, 1]
    assert history.top(0) == []


@pytest.mark.parametrize("k", [-1, 1.5, True, None])
def test_top_refuses_what_is_no_count(k):
    with pytest.raises(SearchError, match=r"k must be an integer >= 0; received"):
        History().top(k)


def test_a_trial_answered_by_an_earlier_one_is_seen_but_neither_ranked_nor_counted():
    history = History(trials=[trial(1, 0.9), trial(2, 0.9, signature="s1", answered_by=1)])
    assert numbers(history.top(5)) == numbers(history.front()) == [1]
    assert history.n_evaluated == 1
    assert numbers(history.trials_of("s1")) == [1, 2]


def test_lookup_finds_the_first_trial_of_a_key_and_every_part_of_the_key_counts():
    first = trial(1, 0.5, training={"lr": 0.1}, fidelity={"epochs": 3}, estimator="keras")
    history = History(trials=[first])
    same = trial(9, training={"lr": 0.1}, fidelity={"epochs": 3}, estimator="keras", signature="s1")
    assert history.lookup(same.key) is first
    others = [
        trial(9, signature="s2", training=same.training, fidelity=same.fidelity, estimator="keras"),
        trial(9, signature="s1", training={}, fidelity=same.fidelity, estimator="keras"),
        trial(9, signature="s1", training=same.training, estimator="keras"),
        trial(9, signature="s1", training=same.training, fidelity=same.fidelity),
        trial(
            9,
            signature="s1",
            training=same.training,
            fidelity=same.fidelity,
            estimator="keras",
            replicate=1,
        ),
    ]
    assert [history.lookup(other.key) for other in others] == [None] * 5


def test_a_failed_trial_answers_for_its_key_and_a_lost_one_does_not():
    failed = trial(1, state=TrialState.FAILED)
    lost = trial(2, state=TrialState.LOST)
    history = History(trials=[failed, lost])
    assert history.lookup(failed.key) is failed
    assert history.lookup(lost.key) is None


def test_the_trials_since_the_best_are_counted():
    history = History()
    counts = []
    for number, reward in enumerate([None, 0.5, 0.4, 0.6, 0.6], 1):
        history.add(trial(number, reward))
        counts.append(history.n_since_best)
    assert counts == [1, 0, 1, 0, 1]


def test_a_summary_holds_plain_numbers():
    failure = Failure("BuildError", "too deep")
    history = History(
        "max",
        [
            trial(1, 0.5, elapsed_s=1.0),
            trial(2, state=TrialState.FAILED, failure=failure, elapsed_s=2.0),
            trial(3, 0.7, elapsed_s=4.0),
            trial(4, 0.7, signature="s3", answered_by=3),
            trial(5, 0.6, state=TrialState.PRUNED),
        ],
    )
    summary = history.summary()
    assert (summary.n_trials, summary.n_evaluated, summary.n_answered) == (5, 4, 1)
    assert (summary.n_succeeded, summary.n_failed, summary.n_signatures) == (2, 1, 4)
    assert (summary.best, summary.best_reward, summary.elapsed_s) == (3, 0.7, 7.0)
    assert summary.mean_reward == summary.median_reward == pytest.approx(0.6)
    assert summary.commonest_failure == "BuildError: too deep (1 time)"
    assert History().summary().mean_reward is None


def test_rows_hold_the_facts_the_objectives_and_the_decisions_by_label():
    record = trial(7, 0.5, labels={"units": "dense.units"}, fidelity={"epochs": 3})
    (row,) = History(trials=[record]).to_rows()
    assert list(row)[-3:] == ["accuracy", "epochs", "dense.units"]
    assert (row["number"], row["state"], row["dense.units"]) == (7, "completed", 7)


def test_a_name_that_a_column_has_already_is_told_apart():
    record = Trial(1, {"state": 2}, "s", TrialState.COMPLETED, {"number": 0.5})
    (row,) = History(trials=[record]).to_rows()
    assert (row["number"], row["objective.number"]) == (1, 0.5)
    assert (row["state"], row["decision.state"]) == ("completed", 2)


def test_a_frame_is_made_by_pandas(monkeypatch):
    pandas = types.SimpleNamespace(DataFrame=lambda rows: ("frame", rows))
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    history = History(trials=[trial(1, 0.5)])
    assert history.to_frame() == ("frame", history.to_rows())


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas.*to_rows"):
        History().to_frame()


@pytest.mark.parametrize("value", ["maximum", "MAX", "", 1, None, True])
def test_a_direction_that_is_none_is_refused_with_the_two_that_are(value):
    with pytest.raises(SearchError, match=r"must be 'max', 'min' or a Direction; received .*write"):
        parse_direction(value)


def test_a_mapping_without_objectives_is_refused():
    with pytest.raises(SearchError, match=r"must name at least one objective.*received \{\}"):
        History({})


def test_adding_costs_the_same_in_a_long_history(monkeypatch):
    history = History({"a": "max", "b": "min"})
    history.front()

    def two(number):
        reward = (number * 7919) % 1009 / 1009
        return trial(number, objectives={"a": reward, "b": reward})

    for number in range(1, 3001):
        history.add(two(number))
    monkeypatch.setattr(History, "__iter__", None)
    monkeypatch.setattr(history, "_trials", _NoScan(history._trials))
    history.add(two(3001))
    assert history.best is not None
    assert len(history.top(3)) == 3
    assert history.front()
    assert history.seen("s1")


class _NoScan(list):
    def __iter__(self):
        raise AssertionError("the history was read from end to end")


def test_a_record_cannot_be_changed():
    record = trial(1, 0.5, curve=(Report(1, {"loss": 0.5}),), details={"k": 1})
    for mapping in (record.objectives, record.decisions, record.details, record.curve[0].values):
        with pytest.raises(TypeError, match="must not be changed; copy it first"):
            mapping["k"] = 2
        with pytest.raises(TypeError):
            mapping.update(k=2)
    assert record.objectives == {"accuracy": 0.5}


def test_a_record_can_be_pickled_copied_and_encoded():
    record = trial(1, 0.5, details={"k": [1, 2]})
    again = pickle.loads(pickle.dumps(record))  # noqa: S301 - our own bytes
    assert again == copy.deepcopy(record) == record
    assert json.loads(json.dumps(record.details)) == {"k": [1, 2]}
