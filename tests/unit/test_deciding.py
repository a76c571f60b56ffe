"""Deciding: what is asked and when, replaying, enumerating, sampling."""

import random

import numpy as np
import pytest

from hypernets.domain.error import SpaceError
from hypernets.domain.space import (
    Bool,
    Choice,
    Decision,
    HyperSpace,
    Identity,
    Int,
    LayerModule,
    MultipleChoice,
    Or,
    Real,
)


class Input(LayerModule):
    is_input = True


class Unit(LayerModule):
    pass


def two_branches() -> HyperSpace:
    """A branch that is not taken holds a decision that is not needed."""
    space = HyperSpace()
    with space.as_default():
        width, rate = Int(1, 3, name="width"), Choice([0.1, 0.2], name="rate")
        op = Or([Unit({"units": width}), Unit({"rate": rate})], hp_or=Choice([0, 1], name="branch"))
        Unit({"bias": Bool(name="bias")})(op(Input()))
    return space


def test_branches_not_taken_are_not_asked() -> None:
    space = two_branches()
    asked: list[str] = []

    def choose(decision: Decision) -> object:
        asked.append(decision.name)
        return decision.value_at(1)

    architecture = space.decide(choose)
    assert asked == ["branch", "rate", "bias"]  # by depth
    assert architecture.decisions == {"branch": 1, "rate": 0.2, "bias": True}
    assert [d.name for d in architecture.active] == asked


def test_decisions_are_asked_by_depth_then_creation() -> None:
    space = HyperSpace()
    with space.as_default():
        late, first, second = (Bool(name=name) for name in ("late", "first", "second"))
        x = Unit({"a": second, "b": first})(Input())
        Unit({"a": late})(x)
    assert [d.name for d in space.decisions] == ["first", "second", "late"]


def test_the_log_is_sorted_by_depth_then_label_as_text() -> None:
    space = HyperSpace()
    with space.as_default():
        x = Input()
        for k in (2, 10, 9):
            Unit({"flag": Bool(name=f"p{k}")}, name=f"cell{k}")(x)
    labels = list(space.sample(0).labels.values())
    assert labels == ["cell10.flag", "cell2.flag", "cell9.flag"]


def test_every_architecture_visits_each_once_the_last_decision_fastest() -> None:
    found = [a.decisions for a in two_branches().every_architecture()]
    assert found[:2] == [
        {"branch": 0, "width": 1, "bias": False},
        {"branch": 0, "width": 1, "bias": True},
    ]
    assert len(found) == 2 * (3 + 2)
    assert len({str(decisions) for decisions in found}) == 10


def test_every_architecture_refuses_a_continuous_space() -> None:
    space = HyperSpace()
    with space.as_default():
        Unit({"rate": Real(0, 1)}, name="drop")(Input())
    assert not space.is_finite
    with pytest.raises(SpaceError, match=r"finite.*'drop.rate'; give it a step"):
        next(space.every_architecture())


def test_a_space_without_decisions_has_one_architecture() -> None:
    space = HyperSpace()
    with space.as_default():
        Unit()(Input())
    (only,) = space.every_architecture()
    assert only.decisions == {}
    assert only == space.sample(0) == space.architecture({})


def test_the_same_seed_gives_the_same_architecture() -> None:
    space = two_branches()
    assert space.sample(5) == space.sample(5)
    assert space.sample(random.Random(5)) == space.sample(random.Random(5))  # noqa: S311
    assert space.sample(np.random.default_rng(5)) == space.sample(np.random.default_rng(5))
    assert space.sample(np.int64(5)) == space.sample(5)
    assert len({space.sample(seed) for seed in range(100)}) == 10
    space.sample()  # and without a seed, some architecture


def test_architectures_of_two_spaces_are_never_equal() -> None:
    a, b = two_branches().sample(0), two_branches().sample(0)
    assert a.decisions == b.decisions
    assert a != b
    assert a != "an architecture"


def test_what_is_handed_out_cannot_change_an_architecture() -> None:
    space = HyperSpace()
    with space.as_default():
        Unit({"chosen": MultipleChoice([1, 2, 3], name="some")})(Input())
    architecture = space.architecture({"some": [1, 2]})
    architecture.decisions["some"].append(3)
    architecture.decisions.clear()
    assert architecture.decisions == {"some": [1, 2]}
    assert "some=" in repr(architecture) or "chosen=" in repr(architecture)


def test_a_shared_hyperparameter_is_asked_once() -> None:
    space = HyperSpace()
    with space.as_default():
        width = Int(1, 5, name="width")
        Unit({"units": width})(Unit({"units": width})(Input()))
    asked: list[Decision] = []

    def choose(decision: Decision) -> int:
        asked.append(decision)
        return 4

    graph = space.decide(choose).graph
    assert asked == [width]
    assert [node.arguments for node in graph][1:] == [{"units": 4}, {"units": 4}]


def test_sampling_draws_uniformly_over_what_is_asked() -> None:
    space, rng = two_branches(), np.random.default_rng(1)
    samples = [space.sample(rng).decisions for _ in range(3000)]
    ones = sum(decisions["branch"] for decisions in samples)
    assert abs(ones - 1500) < 140  # five standard deviations
    widths = [decisions["width"] for decisions in samples if "width" in decisions]
    assert all(abs(widths.count(w) - len(widths) / 3) < 100 for w in (1, 2, 3))


def test_an_option_of_the_very_type_is_preferred_to_an_equal_one() -> None:
    space = HyperSpace()
    with space.as_default():
        kernel = Choice([(3, 3), [3, 3], 1.0, 1])
        Identity(a=kernel)(Identity())
    for value in ([3, 3], (3, 3), 1, 1.0):
        (found,) = space.architecture({kernel.name: value}).decisions.values()
        assert type(found) is type(value)


def test_a_label_that_is_the_name_of_another_decision_means_the_other() -> None:
    space = HyperSpace()
    with space.as_default():
        a = Choice([1, 2], name="a")
        space.set_training(b=a, c=Choice([1, 2], name="b"))
    with pytest.raises(SpaceError, match="received none for 'a'"):
        space.architecture({"b": 1})
