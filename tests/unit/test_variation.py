"""Mutation, crossover and neighbourhood."""

import numpy as np
import pytest

from hypernets.domain.searchers.variation import crossover, is_ordered, mutate, neighbours
from hypernets.domain.space import (
    Choice,
    HyperSpace,
    Int,
    LayerModule,
    MultipleChoice,
    Or,
    Real,
)
from hypernets.testing import AWKWARD_SPACES


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def space_of(build):
    space = HyperSpace()
    with space.as_default():
        build(Input({"shape": (4,)}, name="in"))
    return space


def changed(one, other):
    """Return the names of the decisions that two architectures both have and that differ."""
    mine, its = one.decisions, other.decisions
    return [name for name in mine.keys() & its.keys() if mine[name] != its[name]]


@pytest.mark.parametrize("space", AWKWARD_SPACES.values(), ids=AWKWARD_SPACES)
def test_a_mutation_changes_one_decision_and_keeps_what_still_applies(space):
    space, rng = space(), np.random.default_rng(0)
    for seed in range(50):
        parent = space.sample(seed)
        child = mutate(parent, rng)
        assert child == space.architecture(child.decisions)
        if space.is_finite and space.count() == 1:
            assert child == parent
        else:
            assert len(changed(parent, child)) == 1


def test_a_mutation_reaches_every_value_evenly():
    space = space_of(lambda x: Dense({"units": Choice([1, 2, 3, 4], name="units")})(x))
    parent = space.architecture({"units": 2})
    rng = np.random.default_rng(0)
    drawn = [mutate(parent, rng).decisions["units"] for _ in range(3000)]
    counts = {value: drawn.count(value) for value in (1, 2, 3, 4)}
    assert counts[2] == 0
    assert all(900 < counts[value] < 1100 for value in (1, 3, 4))


def test_the_active_decisions_are_mutated_evenly():
    def build(x):
        Dense({"units": Choice([1, 2], name="u"), "rate": Real(0.0, 1.0, name="r")})(x)

    parent = space_of(build).sample(0)
    rng = np.random.default_rng(1)
    drawn = [changed(parent, mutate(parent, rng))[0] for _ in range(1000)]
    assert 440 < drawn.count("u") < 560


def test_a_number_mostly_moves_a_little_and_stays_in_its_range():
    space = space_of(lambda x: Dense({"units": Int(0, 999, name="units")})(x))
    parent = space.architecture({"units": 500})
    rng = np.random.default_rng(2)
    moves = [abs(mutate(parent, rng).decisions["units"] - 500) for _ in range(2000)]
    assert min(moves) >= 1
    assert np.quantile(moves, 0.4) < 100
    assert max(moves) > 400
    low = space.architecture({"units": 0})
    assert all(0 < mutate(low, rng).decisions["units"] <= 999 for _ in range(500))


def test_a_subset_gains_or_loses_an_option():
    def build(x):
        Dense({"names": MultipleChoice(["a", "b", "c", "d"], 2, name="names")})(x)

    space = space_of(build)
    rng = np.random.default_rng(3)
    for chosen in (["a"], ["a", "b"], ["c", "d"]):
        parent = space.architecture({"names": chosen})
        for _ in range(50):
            child = mutate(parent, rng).decisions["names"]
            assert 1 <= len(child) <= 2
            assert 1 <= len(set(child) ^ set(chosen)) <= 2


def test_one_option_of_many_is_exchanged():
    space = space_of(lambda x: Dense({"n": MultipleChoice(["a", "b", "c"], 1, name="n")})(x))
    rng = np.random.default_rng(4)
    parent = space.architecture({"n": ["b"]})
    assert {tuple(mutate(parent, rng).decisions["n"]) for _ in range(50)} == {("a",), ("c",)}
    found = {tuple(each.decisions["n"]) for each in neighbours(parent, rng)}
    assert found == {("a",), ("c",)}


def test_a_child_has_each_decision_from_one_of_its_parents():
    def build(x):
        for number in range(6):
            x = Dense({"units": Choice(range(10), name=f"u{number}")})(x)

    space, rng = space_of(build), np.random.default_rng(5)
    one = space.architecture({f"u{n}": 1 for n in range(6)})
    other = space.architecture({f"u{n}": 2 for n in range(6)})
    children = [crossover(one, other, rng).decisions.values() for _ in range(200)]
    assert {value for child in children for value in child} == {1, 2}
    share = np.mean([value == 1 for child in children for value in child])
    assert 0.44 < share < 0.56


def test_what_only_one_parent_has_is_taken_from_that_one():
    def build(x):
        branches = [Dense({"units": Choice(range(100), name="units")}), Dense({"units": 7})]
        Or(branches, hp_or=Choice([0, 1], name="which"))(x)

    space, rng = space_of(build), np.random.default_rng(6)
    one = space.architecture({"which": 0, "units": 42})
    other = space.architecture({"which": 1})
    seen = {tuple(crossover(one, other, rng).decisions.items()) for _ in range(40)}
    assert seen == {(("which", 0), ("units", 42)), (("which", 1),)}


def test_the_neighbours_are_all_that_differ_in_one_decision():
    def build(x):
        x = Dense({"units": Choice([1, 2, 3], name="a")})(x)
        Dense({"units": Choice([1, 2, 3, 4], name="b")})(x)

    space = space_of(build)
    parent = space.architecture({"a": 1, "b": 1})
    orders = set()
    for seed in range(5):
        around = [each.decisions for each in neighbours(parent, np.random.default_rng(seed))]
        found = [tuple(each.values()) for each in around]
        assert set(found) == {(2, 1), (3, 1), (1, 2), (1, 3), (1, 4)}
        orders.add(tuple(found))
    assert len(orders) > 1


def test_of_a_large_range_a_few_near_values_are_neighbours():
    def build(x):
        Dense({"units": Int(1, 1000, name="units"), "rate": Real(0.0, 1.0, name="rate")})(x)

    space = space_of(build)
    parent = space.architecture({"units": 1, "rate": 0.95})
    around = [each.decisions for each in neighbours(parent, np.random.default_rng(0))]
    units = {each["units"] for each in around} - {1}
    rates = {round(each["rate"], 6) for each in around} - {0.95}
    assert 2 in units
    assert len(units) == 4
    assert rates == {0.93, 0.97, 0.85, 0.65}


def test_only_ranges_have_an_order():
    with HyperSpace().as_default():
        assert is_ordered(Int(1, 3))
        assert is_ordered(Real(0.0, 1.0))
        assert not is_ordered(Choice([1, 2]))
        assert not is_ordered(MultipleChoice([1, 2]))
