"""What tells two architectures apart."""

import numpy as np
import pytest

from hypernets.adapters.keras.layers import Add, Dense, Dropout, Input
from hypernets.core import search_space
from hypernets.domain import architecture
from hypernets.domain.architecture.difference import ABSENT, DecisionChange, diff
from hypernets.domain.error import BuildError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Bool, Choice, MultipleChoice
from hypernets.domain.space.operation import InputChoice, Optional


@pytest.fixture
def space():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,), name="in")
        x = Dense(Choice([8, 16], name="units"), name="hidden")(x)
        dropout = Dropout(Choice([0.1, 0.5], name="rate"), name="dropout")
        x = Optional(dropout, keep_link=True, hp_opt=Bool(name="regularized"))(x)
        Dense(2, name="out")(x)
    return space


@pytest.fixture
def plain(space):
    return space.architecture({"units": 8, "regularized": False})


@pytest.fixture
def regularized(space):
    return space.architecture({"units": 16, "regularized": True, "rate": 0.5})


def test_it_stands_among_the_published_names_and_in_its_room():
    assert search_space.diff is architecture.diff is diff
    assert search_space.Architecture is architecture.Architecture
    assert {name: getattr(architecture, name) for name in architecture.__all__}
    with pytest.raises(AttributeError, match="has no attribute 'difference_of'"):
        _ = architecture.difference_of


def test_nothing_tells_an_architecture_from_itself(plain, space):
    difference = diff(plain, space.architecture(plain.decisions))
    assert not difference
    assert str(difference) == "no difference"


def test_decisions_are_told_with_both_values_and_those_of_one_alone(plain, regularized):
    changes = {change.name: change for change in diff(plain, regularized).decisions}
    assert changes == {
        "units": DecisionChange("units", "hidden.units", 8, 16),
        "regularized": DecisionChange("regularized", "Module_Optional_1.hp_opt", False, True),
        "rate": DecisionChange("rate", "dropout.rate", ABSENT, 0.5),
    }
    back = {change.name: change for change in diff(regularized, plain).decisions}
    assert back["rate"] == DecisionChange("rate", "dropout.rate", 0.5, ABSENT)


def test_layers_are_told_by_name(plain, regularized):
    difference = diff(plain, regularized)
    assert [node.name for node in difference.added] == ["dropout"]
    assert difference.removed == ()
    assert [change.before.name for change in difference.changed] == ["hidden", "out"]
    back = diff(regularized, plain)
    assert [node.name for node in back.removed] == ["dropout"]
    assert back.added == ()


def test_a_difference_reads_as_a_list(plain, regularized):
    assert str(diff(plain, regularized)).splitlines() == [
        "decisions",
        "  ~ hidden.units: 8 -> 16",
        "  ~ Module_Optional_1.hp_opt: False -> True",
        "  + dropout.rate = 0.5",
        "layers",
        "  + dropout: Dropout(rate=0.5)",
        "  ~ hidden: units 8 -> 16",
        "  ~ out: fed by hidden -> dropout",
    ]
    assert "  - dropout.rate = 0.5" in str(diff(regularized, plain)).splitlines()
    assert "  - dropout: Dropout(rate=0.5)" in str(diff(regularized, plain)).splitlines()


def test_a_decision_of_several_owners_is_told_by_the_first_of_them():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,), name="in")
        units = Choice([8, 16], name="units")
        for name in ("a", "b", "c"):
            x = Dense(units, name=name)(x)
    text = str(diff(space.unrank(0), space.unrank(1)))
    assert "  ~ a.units and 2 more: 8 -> 16" in text.splitlines()


def test_architectures_of_different_spaces_are_compared_by_name():
    def of(layer, **arguments):
        space = HyperSpace()
        with space.as_default():
            layer(name="part", **arguments)(Input(shape=(4,), name="in"))
        return space.sample(0)

    changed = diff(of(Dense, units=3), of(Dropout, rate=0.5)).changed
    assert [str(change) for change in changed] == [
        "~ part: Dense -> Dropout; units 3 -> not given; rate not given -> 0.5"
    ]


def test_inputs_in_another_order_are_a_change():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,), name="in")
        branches = [Dense(4, name=name)(x) for name in ("a", "b")]
        pick = MultipleChoice([0, 1], 1, name="pick")
        Add(name="sum")(InputChoice(branches, 1, hp_choice=pick)(branches))
    first, second = (space.architecture({"pick": [k]}) for k in (0, 1))
    assert "~ sum: fed by a -> b" in str(diff(first, second))


def test_arguments_that_compare_element_by_element_are_compared_as_a_whole():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(2,), name="in")
        Dense(Choice([2, 3], name="units"), name="out", bias_initializer=np.zeros(3))(x)
    first, second = space.unrank(0), space.unrank(1)
    assert str(diff(first, second)).endswith("~ out: units 2 -> 3")


def test_decisions_that_make_no_network_have_no_difference_in_layers():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,))
        Dense(4)(Optional(Dense(3), keep_link=False, hp_opt=Bool(name="kept"))(x))
    first, second = (space.architecture({"kept": kept}) for kept in (True, False))
    with pytest.raises(BuildError, match="a layer must be fed"):
        diff(first, second)
