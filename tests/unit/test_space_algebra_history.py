"""Histories of a space within those that are narrowed from it."""

import attrs
import pytest

from hypernets.application import search
from hypernets.domain.error import SpaceError
from hypernets.domain.history import History, Trial, TrialState
from hypernets.domain.space import (
    Bool,
    Choice,
    Dynamic,
    HyperSpace,
    Identity,
    LayerModule,
    Optional,
    Real,
)


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def make_space():
    """32 networks, 16 of which are built in two ways; the rate is of the training."""
    space = HyperSpace()
    with space.as_default():
        a, b = Choice([1, 2, 3], name="a"), Choice([0, 1], name="b")
        x = Dense({"units": Dynamic(lambda a, b: a + b, a=a, b=b)})(Input({"shape": (4,)}))
        x = Optional(Dense({"units": Choice([5, 6], name="c")}), True, Bool(name="kept"))(x)
        space.set_training(rate=Choice([0.1, 0.2], name="rate"))
    return space


def estimate(architecture):
    decisions = architecture.decisions
    return decisions["a"] + decisions["b"] + decisions.get("c", 0) * architecture.training["rate"]


def records(history):
    return [attrs.evolve(trial, architecture=None) for trial in history]


def searched(space):
    return search(space, "random", estimate, seed=0)


@pytest.mark.parametrize("stored", [False, True])
def test_the_trials_that_lie_in_a_narrowed_space_are_a_history_of_it(stored):
    space = make_space()
    history = searched(space)
    assert len(history) == space.count() == 36
    if stored:  # as from a disk
        history = History(trials=records(history))
    narrow = space.restrict(a=[1, 2]).fix(rate=0.2, kept=True)
    inside = history.within(narrow)
    assert len(inside) == narrow.count() == 8
    assert {trial.number for trial in inside} <= {trial.number for trial in history}
    for trial in inside:
        old = history.trial(trial.number)
        assert set(trial.decisions) == {"a", "b", "c"}
        assert trial.decisions.items() <= old.decisions.items()
        assert list(trial.labels) == list(trial.architecture.labels)
        assert trial.architecture.frozen is narrow.freeze()
        assert trial.architecture.signature == trial.signature
        assert (trial.key, trial.objectives) == (old.key, old.objectives)


def test_what_answered_a_trial_from_outside_is_kept_in_mind():
    trials = [
        Trial(1, {"a": 1, "b": 1}, "s", TrialState.COMPLETED, {"r": 0.5}),
        Trial(2, {"a": 2, "b": 0}, "s", TrialState.COMPLETED, {"r": 0.5}, answered_by=1),
        Trial(3, {"a": 2, "b": 2}, "s", TrialState.COMPLETED, {"r": 0.5}, answered_by=1),
        Trial(4, {"a": 2, "b": 3}, "t", TrialState.COMPLETED, {"r": 0.4}),
    ]

    class Twos:
        def adopt(self, trial):
            return trial if trial.decisions["a"] == 2 else None

    inside = History(trials=trials).within(Twos())
    assert [(t.number, t.answered_by, t.taken_from) for t in inside] == [
        (2, None, 1),
        (3, 2, None),
        (4, None, None),
    ]
    assert inside.best.number == 2  # its network is in the ranking once
    assert len(inside.top(9)) == 2
    assert inside.n_evaluated == 1


def test_a_trial_taken_from_elsewhere_is_ranked_and_answers_but_is_not_counted_as_evaluated():
    history = History("min")
    taken = Trial(1, {}, "s", TrialState.COMPLETED, {"loss": 0.5}, taken_from=7)
    assert history.add(taken)
    assert history.best is taken
    assert history.lookup(taken.key) is taken
    assert history.front() == [taken]
    assert (history.n_evaluated, history.n_failed, history.n_since_best) == (0, 0, 0)
    assert history.summary().n_answered == 1
    assert history.summary().mean_reward == 0.5
    assert history.to_rows()[0]["taken_from"] == 7
    failed = Trial(2, {}, "t", TrialState.FAILED, taken_from=8)
    history.add(failed)
    assert history.n_failed == 0


# --- adoption -------------------------------------------------------------------------


def test_an_architecture_goes_to_the_narrowed_space_and_back():
    space = make_space()
    narrow = space.fix(a=2, kept=False)
    own = narrow.architecture({"b": 1, "rate": 0.1})
    back = space.adopt(own)
    assert back.decisions == {"a": 2, "b": 1, "kept": False, "rate": 0.1}
    assert narrow.adopt(back) == own
    assert narrow.adopt(own) is own


def test_siblings_adopt_what_they_have_in_common():
    space = make_space()
    small = space.restrict(a=[1, 2]).fix(rate=0.1)
    large = space.restrict(a=[2, 3])
    two = small.architecture({"a": 2, "b": 0, "kept": False})
    assert large.adopt(two).decisions == {"a": 2, "b": 0, "kept": False, "rate": 0.1}
    assert large.adopt(small.architecture({"a": 1, "b": 0, "kept": False})) is None
    assert space.fix(rate=0.2).adopt(two) is None  # fixed otherwise, though never asked for


def test_what_is_fixed_and_not_needed_keeps_nothing_out():
    space = make_space()
    five = space.fix(c=5)
    without = space.architecture({"a": 1, "b": 0, "kept": False, "rate": 0.1})
    six = space.architecture({"a": 1, "b": 0, "kept": True, "c": 6, "rate": 0.1})
    assert five.adopt(without).decisions == without.decisions
    assert five.adopt(six) is None


def test_a_space_made_anew_is_related():
    old = make_space().architecture({"a": 1, "b": 0, "kept": False, "rate": 0.1})
    assert make_space().fix(a=1).adopt(old).decisions == {"b": 0, "kept": False, "rate": 0.1}


def test_a_record_is_adopted_only_where_it_means_the_same():
    history = searched(make_space())
    record = attrs.evolve(history[0], architecture=None)
    assert make_space().adopt(record).signature == record.signature
    assert make_space().adopt(attrs.evolve(record, signature="1-other")) is None
    assert make_space().adopt(attrs.evolve(record, training={"rate": 0.3})) is None
    narrow = make_space().fix(rate=0.1)
    lean = searched(narrow)[0]
    lean = attrs.evolve(lean, architecture=None)
    assert narrow.adopt(lean) is not None
    assert make_space().fix(rate=0.2).adopt(lean) is None


@pytest.mark.parametrize("name", ["count", "name", "modules"])
def test_a_decision_may_be_called_like_a_member_of_a_space(name):
    space = HyperSpace()
    with space.as_default():
        Identity(x=Choice([1, 2], name=name), y=Real(0, 1, name="y"))
    fixed = space.fix({name: 1})
    assert fixed.adopt(space.architecture({name: 1, "y": 0.5})).decisions == {"y": 0.5}
    assert fixed.adopt(space.architecture({name: 2, "y": 0.5})) is None


def test_a_continuous_decision_is_adopted_at_its_value():
    space = HyperSpace()
    with space.as_default():
        Identity(y=Real(0, 1, name="y"))
    assert space.fix(y=0.5).adopt(space.architecture({"y": 0.5})) is not None
    assert space.fix(y=0.5).adopt(space.architecture({"y": 0.25})) is None
    assert space.restrict(y=(0.2, 0.4)).adopt({"y": 0.3}).decisions == {"y": 0.3}


def test_decisions_by_label_and_unknown_ones():
    space = make_space()
    given = {"a": 1, "b": 0, "Module_Optional_1.hp_opt": False, "rate": 0.1}
    assert space.adopt(given) is not None
    assert space.adopt({**given, "what": 1}) is None
    assert space.adopt({"a": 1}) is None


def test_without_layers_the_signature_is_that_of_all_decisions_the_fixed_ones_included():
    space = HyperSpace()
    with space.as_default():
        space.set_training(rate=Choice([0.1, 0.2], name="rate"), size=Choice([1, 2], name="size"))
    old = space.architecture({"rate": 0.1, "size": 2})
    assert space.fix(rate=0.1).adopt(old).signature == old.signature
    assert space.fix(rate=0.2).architecture({"size": 2}).signature != old.signature


def test_what_is_nothing_of_the_kind_is_refused():
    other = HyperSpace("other")
    with other.as_default():
        Identity(a=Choice([1, 2], name="a"))
    with pytest.raises(SpaceError, match="received one of 'other' for 'space'; make it anew"):
        make_space().adopt(other.sample(0))
    with pytest.raises(SpaceError, match="must be an architecture, a trial or a mapping of decis"):
        make_space().adopt(7)
    with pytest.raises(SpaceError, match="received one of 'other'"):
        search(other, "random", lambda _: 1.0, seed=0).within(make_space())
