"""Counting and numbering, against enumeration and against counts worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernets.domain.architecture import counting
from hypernets.domain.error import SpaceError
from hypernets.domain.space import (
    Cascade,
    Choice,
    Dynamic,
    HyperSpace,
    Identity,
    InputChoice,
    Int,
    Optional,
    Or,
    Permutation,
    Real,
    Repeat,
    Sequential,
)
from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space
from hypernets.frameworks.keras.nasnet import nasnet_search_space


def random_space(seed: int) -> HyperSpace:
    """A chain of ops that hang on few shared hyperparameters, nested up to three deep."""
    import random

    rng = random.Random(seed)  # noqa: S311 - no secret
    space = HyperSpace()
    with space.as_default():
        flags = [Choice([False, True]) for _ in range(2)]
        positions = [Choice([0, 1]) for _ in range(2)]
        positions.append(Dynamic(lambda a, b: int(a and b), a=flags[0], b=positions[1]))
        positions.append(Dynamic(lambda a: 1 - a, a=positions[0]))
        orders = [Choice([(0, 1), (1, 0)])]
        orders.append(Dynamic(lambda a: (a, 1 - a), a=positions[0]))
        plain = [Choice([1, 2]), Choice([1, 2, 3]), Int(0, 1)]

        def part(depth: int):
            kind = rng.randrange(7 if depth else 1)
            if kind == 0:
                return Identity(a=rng.choice([*plain, 7]))
            if kind == 1:
                return Or([part(depth - 1), part(depth - 1)], hp_or=rng.choice([None, *positions]))
            if kind == 2:
                return Optional(part(depth - 1), keep_link=True, hp_opt=rng.choice([None, *flags]))
            if kind == 3:
                return Repeat(lambda step: part(depth - 1), repeat_num_choices=[0, 1, 2])
            if kind == 4:
                parts = [part(depth - 1), part(depth - 1)]
                return Permutation(parts, hp_seq=rng.choice([None, *orders]))
            if kind == 5:
                start = Identity()
                parts = [part(depth - 1)(start), part(depth - 1)(start)]
                return InputChoice(parts, hp_choice=rng.choice([None, *positions]))(parts)
            target = rng.choice(plain)
            first = rng.choice(flags)
            return Identity(b=Cascade(lambda on: target if on else 0, on=first))

        module = Identity(name="start")
        for _ in range(rng.randrange(1, 3)):
            module = part(2)(module)
        Identity(name="end")(module)
    return space


@given(st.integers(0, 2**32))
def test_the_count_is_the_number_of_architectures_and_numbering_is_a_bijection(seed):
    space = random_space(seed)
    count = space.count()
    if count > 2_000:
        for index in (0, 1, count // 3, count - 1):
            assert space.rank(space.unrank(index)) == index
        return
    architectures = list(space.every_architecture())
    assert count == len(architectures)
    assert sorted(map(space.rank, architectures)) == list(range(count))
    for index in range(0, count, max(1, count // 50)):
        assert space.rank(space.unrank(index)) == index


@given(st.integers(0, 2**32))
def test_a_sampled_architecture_is_found_again_by_its_number(seed):
    space = random_space(seed)
    architecture = space.sample(seed)
    assert space.unrank(space.rank(architecture)) == architecture


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda: dnn_search_space(10, 2, "sigmoid"), 3_888),
        (lambda: cnn_search_space((32, 32, 3), 10), 11_616),
        (lambda: enas_micro_search_space("NR"), 31_640_625_000_000_000_000),
        (lambda: enas_micro_search_space("NRNR"), 31_640_625_000_000_000_000),
        (lambda: enas_micro_search_space("N"), 5_625_000_000),
        # in block b of either cell: two of b + 1 inputs, two of 13 operations, add or concatenate
        (nasnet_search_space, (720**2 * (13**2 * 2) ** 5) ** 2),
    ],
    ids=["dnn", "cnn", "enas NR", "enas NRNR", "enas N", "nasnet"],
)
def test_a_ready_space_is_counted(make, count):
    assert make().count() == count


def test_independent_parts_do_not_multiply_the_work():
    space = HyperSpace()
    with space.as_default():
        module = Identity(name="start")
        for _ in range(60):
            either = Or([Identity(b=Int(1, 4)), Identity()])
            part = Sequential([Identity(a=Choice([1, 2, 3])), either])
            module = Optional(part, keep_link=True)(module)
        Identity(name="end")(module)
    assert space.count() == (1 + 3 * (4 + 1)) ** 60


def test_what_a_function_has_ruled_out_does_not_multiply_the_work(monkeypatch):
    monkeypatch.setattr(counting, "STATE_LIMIT", 300)
    space = HyperSpace()
    with space.as_default():
        used = Int(0, 255, name="used")
        either = [Choice([0, 1], name=f"op{i}") for i in range(8)]
        module = Identity(name="start")
        for _ in range(2):  # two equal chains: the second adds no decision
            for i, which in enumerate(either):
                part = Or([Identity(), Identity()], hp_or=which)
                kept = Dynamic(lambda used, i=i: bool(used >> i & 1), used=used)
                module = Optional(part, keep_link=True, hp_opt=kept)(module)
        Identity(name="end")(module)
    assert space.count() == 3**8  # and not a state for each


def test_a_function_that_fails_where_nothing_asks_for_it_is_no_matter():
    space = HyperSpace()
    with space.as_default():
        on = Choice([0, 1], name="on")
        size = Choice([0, 2], name="size")  # decided first, as it is the newer one
        tail = Or([Identity(), Identity(a=Choice([1, 2]))], hp_or=Dynamic(lambda n: 2 // n, n=size))
        kept = Dynamic(lambda n, on: n == 2 and on == 1, n=size, on=on)
        Optional(tail, keep_link=True, hp_opt=kept)(Identity(name="start"))
    assert space.count() == len(list(space.every_architecture())) == 3 + 2


def test_a_continuous_decision_makes_the_count_infinite():
    space = HyperSpace()
    with space.as_default():
        Identity(a=Real(0.0, 1.0))(Identity())
    assert space.count() == math.inf
    with pytest.raises(SpaceError, match=r"only a finite space.*continuous.*give it a step"):
        space.unrank(0)


@pytest.mark.parametrize("index", [-1, 3, 1.5, "0", True])
def test_a_number_that_there_is_not_is_refused(index):
    space = HyperSpace()
    with space.as_default():
        Identity(a=Choice([1, 2, 3]))(Identity())
    with pytest.raises(SpaceError, match=r"integer from 0 to 2; received"):
        space.unrank(index)


def test_an_architecture_of_another_space_has_no_number_here():
    def make():
        space = HyperSpace()
        with space.as_default():
            Identity(a=Choice([1, 2, 3]))(Identity())
        return space

    with pytest.raises(SpaceError, match="another one"):
        make().rank(make().sample(0))


def test_too_entangled_a_space_is_refused_rather_than_counted_wrongly(monkeypatch):
    monkeypatch.setattr(counting, "STATE_LIMIT", 0)
    space = dnn_search_space(10, 2, "sigmoid")
    with pytest.raises(SpaceError, match="independent enough"):
        space.count()


@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_enumeration_visits_each_architecture_once_and_can_be_taken_up_anywhere(seed, order):
    space = random_space(seed)
    count = space.count()
    if count > 300:
        return
    keys = [architecture.key for architecture in space.enumerate(order)]
    assert len(keys) == count == len(set(keys))
    start = count // 2
    assert [a.key for a in space.enumerate(order, start)] == keys[start:]


def test_another_seed_gives_another_order_and_the_same_seed_the_same():
    space = dnn_search_space(10, 2, "sigmoid")
    first, again, other = (
        [space.rank(a) for a, _ in zip(space.enumerate(seed), range(200), strict=False)]
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other
    assert sum(first) / 200 == pytest.approx(3_888 / 2, rel=0.15)


def test_a_space_beyond_64_bits_is_enumerated_all_the_same():
    space = enas_micro_search_space("NR", node_num=5)
    assert space.count() > 2**64
    found = {a.key for a, _ in zip(space.enumerate(3), range(50), strict=False)}
    assert len(found) == 50
    (later, *_) = (a for a, _ in zip(space.enumerate(3, start=2**64), range(1), strict=False))
    assert space.unrank(space.rank(later)) == later


@pytest.mark.parametrize("arguments", [{"seed": -1}, {"start": 1.5}, {"seed": None}])
def test_an_order_that_makes_no_sense_is_refused(arguments):
    with pytest.raises(SpaceError, match=r"enumerate: \w+ must be an integer >= 0; received"):
        random_space(0).enumerate(**arguments)
