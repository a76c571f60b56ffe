"""A counterexample holds the decisions that decide, and no others."""

import itertools

import pytest

from hypernets.domain.error import BuildError
from hypernets.domain.space import Choice, Dynamic, HyperSpace, Identity, Or
from hypernets.frameworks.keras.layers import Add, Dense, Input


def faulty(n_decisions: int, fails) -> HyperSpace:
    """Write a space of yes-or-no decisions `k0`, `k1`, … in which some assignments fail."""
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(8,))
        ks = {f"k{i}": Choice([0, 1], name=f"k{i}") for i in range(n_decisions)}
        width = Dynamic(lambda **ks: 8 + bool(fails(*ks.values())), name="width", **ks)
        Add(name="sum")([Dense(width)(x), x])
    return space


def test_one_decision_is_found_although_two_others_come_first():
    report = faulty(3, lambda a, b, c: not (a or b) or c).verify()
    assert report.counterexample.decisions == {"k2": 1}


def test_two_decisions_are_found_although_three_others_come_first():
    report = faulty(7, lambda a, b, c, *rest: not (a or b or c) or (rest[1] and rest[3])).verify()
    assert report.counterexample.decisions == {"k4": 1, "k6": 1}


@pytest.mark.parametrize("seed", range(60))
def test_no_smaller_set_of_decisions_always_fails(seed):
    import random

    rng = random.Random(seed)  # noqa: S311 - no secret
    terms = [
        dict(zip(rng.sample(range(6), size), rng.choices([0, 1], k=size), strict=True))
        for size in (3, 3, 2, 4)[: rng.randint(1, 4)]
    ]

    def fails(*ks):
        return any(all(ks[i] == value for i, value in term.items()) for term in terms)

    def always(cause):
        return all(
            fails(*ks)
            for ks in itertools.product([0, 1], repeat=6)
            if all(ks[i] == value for i, value in cause.items())
        )

    found = faulty(6, fails).verify().counterexample.decisions
    assert always({int(name[1:]): value for name, value in found.items()})
    for size in range(len(found)):
        for places in itertools.combinations(range(6), size):
            for values in itertools.product([0, 1], repeat=size):
                assert not always(dict(zip(places, values, strict=True)))


def test_one_combination_of_six_independent_decisions_in_a_million_is_found():
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(16,), name="x")
        y = Dense(7)(x)
        for number in range(6):  # only what is passed on six times keeps its width
            y = Or([Dense(8) for _ in range(9)] + [Identity()], name=f"or{number}")(y)
        Add(name="sum")([y, Dense(8)(x)])
    assert space.count() == 10**6
    report = space.verify()
    found = report.counterexample
    assert report.is_proof
    assert report.checked == 0  # by proof, not by luck
    assert found.layer == "sum"
    assert set(found.input_shapes) == {(None, 7), (None, 8)}
    assert sorted(found.labels.values()) == [f"or{number}.hp_or" for number in range(6)]
    assert set(found.decisions.values()) == {9}
    with pytest.raises(BuildError):
        found.architecture.cost()
    for name in found.decisions:
        assert space.architecture({**found.decisions, name: 0}).cost().parameters > 0
