"""Narrowed spaces against brute force: what is left is what the old enumeration leaves."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernets.domain.error import BuildError
from hypernets.domain.space import (
    Bool,
    Cascade,
    Choice,
    ConnectLooseEnd,
    Dynamic,
    HyperSpace,
    InputChoice,
    Int,
    LayerModule,
    MultipleChoice,
    Optional,
    Or,
    Permutation,
    Real,
    Repeat,
    Sequential,
)

SEEDS = st.integers(0, 2**32 - 1)


class Input(LayerModule):
    is_input = True


class Unit(LayerModule):
    pass


class Merge(LayerModule):
    pass


class Author:
    """Writes one random finite space, mostly small."""

    def __init__(self, rng):
        self.rng = rng
        self.shared = []
        self.budget = 7

    def write(self):
        space = HyperSpace()
        with space.as_default():
            x = Input({"shape": (4,)})
            for _ in range(self.rng.randint(1, 3)):
                x = self.fragment(0)(x)
            if self.rng.random() < 0.5:
                space.set_training(rate=self.value(), nested={"size": self.value()})
        return space

    def fragment(self, depth):
        self.budget -= 1
        kinds = [self.unit]
        if depth < 2 and self.budget > 0:
            kinds += [self.or_, self.optional, self.repeat, self.permutation, self.cell]
        return self.rng.choice(kinds)(depth + 1)

    def unit(self, depth):
        return Unit({"units": self.value(), "more": [1, {"x": self.value()}]})

    def or_(self, depth):
        modules = [self.fragment(depth) for _ in range(self.rng.randint(2, 3))]
        return Or(modules, self.selector(range(len(modules))))

    def optional(self, depth):
        keep = self.rng.random() < 0.8
        return Optional(self.fragment(depth), keep, self.rng.choice([None, Bool(), Int(0, 1)]))

    def repeat(self, depth):
        return Repeat(lambda _: self.fragment(depth), [0, 2], self.selector([0, 1, 2]))

    def permutation(self, depth):
        modules = [self.fragment(depth), Optional(self.fragment(depth), keep_link=False)]
        orders = list(itertools.permutations(range(2)))
        return Permutation(modules, self.rng.choice([None, Choice(orders)]))

    def cell(self, depth):
        entry = Unit({"units": 1})
        states = [entry, self.fragment(depth)(entry)]
        chosen = InputChoice(states, self.rng.randint(0, 2))(states)
        states.append(Unit({"units": self.value()})(chosen))
        return Sequential([entry, Unit({"units": 2})]) if self.budget < -3 else self.loose(states)

    def loose(self, states):
        Merge()(ConnectLooseEnd(states)(states))
        return states[0]

    def selector(self, values):
        values = list(values)
        return self.rng.choice(
            [
                None if values[0] == 0 and len(values) < 3 else Choice(values),
                Choice(values[::-1]),
                Int(values[0], values[-1]),
                Dynamic(lambda a: values[a % len(values)], a=self.value()),
            ]
        )

    def value(self):
        if self.shared and self.rng.random() < 0.4:
            return self.rng.choice(self.shared)
        made = self.rng.choice(
            [
                lambda: Choice([3, 1, 2]),
                lambda: Int(2, 6, 2),
                lambda: Real(0.0, 0.3, step=0.1),
                lambda: MultipleChoice([1, 2, 3], self.rng.randint(0, 2)),
                self.cascade,
            ]
        )()
        self.shared.append(made)
        if isinstance(made, (MultipleChoice, Real, Cascade)):
            lengths = Dynamic(lambda a: int(a if isinstance(a, float) else len(str(a))), a=made)
            self.shared[-1] = lengths
            return lengths
        return made

    def cascade(self):
        few, many = Choice([1, 2]), Int(5, 9, 4)
        return Cascade(lambda big: many if big else few, big=Bool())


def written(seed):
    """Return a space of 2 to 250 architectures, and the generator that wrote it."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    while True:
        space = Author(rng).write()
        if 2 <= space.count() <= 250:
            return space, rng


def narrowed(space, rng):
    """Return a space narrowed at random, and name → the numbers of the values that are left."""
    chosen = rng.sample(space.decisions, min(len(space.decisions), rng.randint(1, 3)))
    kept = {}
    for decision in chosen:
        if decision.name not in [left.name for left in space.decisions]:
            continue  # it has gone with a branch
        numbers = range(int(decision.size))
        some = sorted(rng.sample(numbers, rng.randint(1, len(numbers))))
        values = [decision.value_at(number) for number in some]
        others = [decision.value_at(number) for number in numbers if number not in some]
        kept[decision.name] = set(some)
        verb = rng.choice(["restrict", "exclude", "fix"])
        if isinstance(decision, MultipleChoice) and rng.random() < 0.5:
            options = sorted(rng.sample(decision.options, rng.randint(1, len(decision.options))))
            values = options
            kept[decision.name] = {
                number for number in numbers if set(decision.value_at(number)) <= set(options)
            }
            verb = "restrict"
        elif isinstance(decision, MultipleChoice):  # lists of one are options: say what is meant
            verb = "fix"
        if verb == "restrict":
            rng.shuffle(values)
            space = space.restrict({decision.name: values})
        elif verb == "exclude":
            space = space.exclude({decision.name: others})
        else:
            number = rng.choice(some)
            kept[decision.name] = {number}
            space = space.fix({decision.name: decision.value_at(number)})
    return space, kept


def numbers_of(architecture):
    return {
        decision.name: decision.index_of(value)
        for decision, value in zip(architecture.frozen.decisions, architecture.values, strict=True)
        if decision in architecture.active
    }


def lies_in(architecture, kept):
    numbers = numbers_of(architecture)
    return all(numbers[name] in kept[name] for name in numbers if name in kept)


def signature_of(architecture):
    try:
        return architecture.signature
    except BuildError as error:
        return str(error)


@given(SEEDS)
def test_what_is_left_is_what_brute_force_leaves(seed):
    space, rng = written(seed)
    new, kept = narrowed(space, rng)
    left = [a for a in space.every_architecture() if lies_in(a, kept)]
    assert new.count() == len(left) == len(list(new.every_architecture()))
    adopted = [new.adopt(architecture) for architecture in left]
    assert len(set(adopted)) == len(left)
    for old, own in zip(left, adopted, strict=True):
        assert own.decisions.items() <= old.decisions.items()
        assert signature_of(own) == signature_of(old)
        assert own.training == old.training
        assert space.adopt(own) == old
        assert new.adopt(old.decisions) == own


@given(SEEDS)
def test_what_is_left_out_is_not_adopted(seed):
    space, rng = written(seed)
    new, kept = narrowed(space, rng)
    for architecture in space.every_architecture():
        if not lies_in(architecture, kept):
            assert new.adopt(architecture) is None
            assert new.adopt(architecture.decisions) is None


@given(SEEDS)
def test_a_narrowed_space_is_numbered(seed):
    space, rng = written(seed)
    new, _ = narrowed(space, rng)
    ranks = [new.rank(architecture) for architecture in new.every_architecture()]
    assert sorted(ranks) == list(range(new.count()))
    assert all(new.rank(new.unrank(rank)) == rank for rank in ranks)
    assert {new.rank(a) for a in new.enumerate(seed=3)} == set(ranks)


@given(SEEDS)
def test_narrowing_leaves_the_old_space_as_it_was(seed):
    space, rng = written(seed)
    before = (space.fingerprint, space.describe(), [a.decisions for a in space.enumerate()])
    new, _ = narrowed(space, rng)
    again = (space.fingerprint, space.describe(), [a.decisions for a in space.enumerate()])
    assert again == before
    assert new.origin is space
    assert new.describe().splitlines()[-1].startswith(f"{new.count():,} architecture")


@given(SEEDS)
def test_a_neighbourhood_holds_what_it_is_the_neighbourhood_of(seed):
    space, rng = written(seed)
    given_ = [space.sample(rng) for _ in range(rng.randint(1, 3))]
    radius = rng.randint(0, 2)
    new = space.refine(given_, radius)
    assert all(new.adopt(architecture) is not None for architecture in given_)
    assert 1 <= new.count() <= space.count()
    assert all(space.adopt(a) is not None for a in itertools.islice(new.every_architecture(), 50))
    assert space.refine(given_, 100, unordered="all").count() == space.count()


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_restrictions_does_not_matter(seed):
    space, _ = written(seed)
    names = [decision.name for decision in space.decisions][:3]
    values = {d.name: [d.value_at(0), d.value_at(1)] for d in space.decisions[:3]}
    values = {name: value for name, value in values.items() if not isinstance(value[0], list)}
    if not values:
        first = space.decisions[0]
        values = {names[0]: [first.value_at(0), first.value_at(int(first.size) - 1)]}
    at_once, one_by_one = space.restrict(values), space
    for name in reversed(values):
        one_by_one = one_by_one.restrict({name: values[name]})
    assert at_once.fingerprint == one_by_one.fingerprint
