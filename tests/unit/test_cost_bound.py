"""The bound on the cost of what decisions still allow is never above the truth, and often it."""

import math
import random

import pytest

from hypernets.adapters.keras.spaces.cnn import cnn_search_space
from hypernets.adapters.keras.spaces.dnn import dnn_search_space
from hypernets.adapters.keras.spaces.enas_micro import enas_micro_search_space
from hypernets.domain.architecture.decider import decide
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.architecture.limit import CostBound
from hypernets.domain.architecture.limit.necessity import Necessity
from hypernets.domain.error import BuildError
from hypernets.domain.space import (
    Cascade,
    Choice,
    ConnectLooseEnd,
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
from hypernets.frameworks.keras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPooling2D,
    SeparableConv2D,
)


def authored(author) -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        author()
    return space


def bound_of(space, decisions=None, *, depth=False, **options):
    """Return the bound of a space under some decisions, by name."""
    frozen = space.freeze()
    values = [(decisions or {}).get(d.name, UNDECIDED) for d in frozen.decisions]
    return CostBound(frozen, **options).least(values, depth=depth)


def least_of(space, decisions=None):
    """Return the least parameters, multiply-adds and depth of all networks with some decisions."""
    costs = []
    for architecture in space.every_architecture():
        own = architecture.decisions
        if all(own.get(name, value) == value for name, value in (decisions or {}).items()):
            try:
                costs.append(architecture.cost())
            except BuildError:
                continue
    return tuple(
        min((getattr(cost, kind) for cost in costs), default=math.inf)
        for kind in ("parameters", "multiply_adds", "depth")
    )


# --- random programs -------------------------------------------------------------------


class Author:
    """Writes one random space of convolutions; everything it does depends on its seed."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed).randrange  # noqa: S311 - no secret
        self.filters = [Choice([2, 3]), Choice([2, 5])]
        self.budget = 6

    def write(self) -> None:
        x = Input(shape=(6, 6, 2))
        flow = [x]
        for _ in range(1 + self.pick(3)):
            block = self.block(0)
            flow.append(block(flow[-1 - self.pick(2) % len(flow)]))
        merged = Concatenate()([flow[-1], Conv2D(2, 6)(x)]) if self.pick(4) == 0 else flow[-1]
        Dense(self.width())(Flatten()(merged))

    def width(self):
        which = self.pick(5)
        if which == 0:
            return Dynamic(lambda f: 2 * f + 1, f=self.filters[0])
        if which == 1:
            options = [Choice([3, 4]), 9]
            return Cascade(lambda i: options[i], i=Choice([0, 1]))
        return self.filters[self.pick(2)] if which < 4 else Int(1, 3)

    def layer(self):
        which = self.pick(8)
        if which == 0:
            return MaxPooling2D(2)
        if which == 1:
            return SeparableConv2D(self.filters[self.pick(2)], 3, padding="same")
        if which == 2:
            return BatchNormalization()
        if which == 3:
            return Dropout(Choice([0.0, 0.5]))
        padding = ["same", "valid"][self.pick(2)]
        return Conv2D(self.width(), Choice([1, 3]) if self.pick(2) else 3, padding=padding)

    def block(self, depth: int):
        self.budget -= 1
        if self.budget < 0 or depth > 2:
            return self.layer()
        which = self.pick(9)
        below = depth + 1
        if which == 0:
            return Or([self.block(below) for _ in range(2 + self.pick(2))])
        if which == 1:
            return Optional(self.block(below), keep_link=self.pick(3) > 0)
        if which == 2:
            low = self.pick(2)
            return Repeat(lambda step: self.block(below), [low, low + 1 + self.pick(2)])
        if which == 3:
            return Permutation([self.block(below), self.layer()], hp_seq=Choice([(0, 1), (1, 0)]))
        if which == 4:
            return Sequential([self.block(below), self.layer()])
        if which == 5:
            return self.cell()
        if which == 6:
            hp = Choice([0, 1])  # one decision for two ops
            first = Or([self.layer(), self.layer()], hp_or=hp)
            return Sequential([first, Or([self.layer(), Identity()], hp_or=hp)])
        if which == 7:
            one = Conv2D(3, 3, padding="same")
            again = Or([one.share(), self.layer()])
            return Sequential([Conv2D(3, 1), one, Activation("relu"), again])
        return self.layer()

    def cell(self):
        head = Identity()
        states = [head, Conv2D(2, 1)(head)]
        for _ in range(1 + self.pick(2)):
            chosen = InputChoice(states, 1 + self.pick(2))(states)
            width = 2 + self.pick(2)
            states.append(Conv2D(width, 1)(Add()(chosen)))
        Add()(ConnectLooseEnd(states)(states))
        return head


def partial_assignments(space, seed):
    """Yield some of the decisions of some architectures, by name."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    yield {}
    for _ in range(6):
        architecture = space.sample(rng)
        for share in (0.2, 0.5, 0.8, 1):
            yield {n: v for n, v in architecture.decisions.items() if rng.random() < share}


@pytest.mark.parametrize("seed", range(80))
def test_no_network_of_a_random_space_costs_less_than_the_bound(seed):
    space = authored(lambda: Author(seed).write())
    if space.count() > 400:  # too many to be listed here
        return
    bound = CostBound(space.freeze())
    for decisions in partial_assignments(space, seed):
        values = [decisions.get(d.name, UNDECIDED) for d in space.decisions]
        found = bound.least(values, depth=True)
        true = least_of(space, decisions)
        assert found.parameters <= true[0]
        assert found.multiply_adds <= true[1]
        assert found.depth <= true[2]


@pytest.mark.parametrize("seed", range(80))
def test_of_a_complete_architecture_the_bound_is_the_cost(seed):
    space = authored(lambda: Author(seed).write())
    bound = CostBound(space.freeze())
    for number in range(5):
        architecture = space.sample(number)
        try:
            cost = architecture.cost()
        except BuildError:
            continue
        found = bound.least(architecture.values)
        assert found.parameters == cost.parameters
        assert found.multiply_adds == cost.multiply_adds
        assert found.flops == cost.flops
        assert found.weight_bytes == cost.weight_bytes


READY = {
    "dnn": lambda: dnn_search_space(10, 2, "softmax"),
    "cnn": lambda: cnn_search_space((28, 28, 1), 10, "softmax"),
    "enas": lambda: enas_micro_search_space("NR", (28, 28, 1), 16),
}


@pytest.mark.parametrize("name", READY)
def test_no_completion_in_a_ready_space_costs_less_than_the_bound(name):
    space = READY[name]()
    frozen, bound = space.freeze(), space.cost_bound()
    rng = random.Random(0)  # noqa: S311 - no secret
    root = bound.least([UNDECIDED] * len(frozen.decisions), depth=True)
    assert 0 < root.parameters < math.inf
    for seed in range(10):
        values = list(space.sample(seed).values)
        made = [v if rng.random() < 0.5 else UNDECIDED for v in values]
        found = bound.least(made, depth=True)
        assert found.parameters >= root.parameters

        def choose(decision, made=made):
            value = made[frozen.ranks[decision.index]]
            return decision.sample(rng) if value is UNDECIDED else value

        for _ in range(5):
            cost = decide(frozen, choose).cost()
            assert found.parameters <= cost.parameters
            assert found.multiply_adds <= cost.multiply_adds
            assert found.depth <= cost.depth


# --- by hand -----------------------------------------------------------------------------


def test_an_open_layer_counts_with_its_least_option():
    space = authored(lambda: Dense(Choice([8, 3, 5], name="units"))(Input(shape=(4,))))
    assert bound_of(space).parameters == 15
    assert bound_of(space, {"units": 8}).parameters == 40
    assert bound_of(space).multiply_adds == 12
    assert bound_of(space).flops == 24


def test_layers_that_depend_on_one_another_are_told_apart_by_their_shapes():
    def author():
        x = Dense(Choice([2, 100], name="first"))(Input(shape=(4,)))
        Dense(Choice([3, 7], name="second"))(x)

    space = authored(author)
    assert bound_of(space).parameters == 10 + 9
    assert bound_of(space, {"second": 7}).parameters == 10 + 21
    assert bound_of(space, {"first": 100}).parameters == 500 + 303


def test_an_open_switch_adds_its_least_alternative_and_nested_ones_theirs():
    def author():
        x = Input(shape=(4,))
        inner = Or([Dense(20), Dense(30)], hp_or=Choice([0, 1], name="inner"))
        x = Or([inner, Dense(50)], hp_or=Choice([0, 1], name="outer"))(x)
        Dense(1, use_bias=False)(x)

    space = authored(author)
    assert bound_of(space).parameters == least_of(space)[0] == 100 + 20
    assert bound_of(space, {"inner": 1}).parameters == 150 + 30
    assert bound_of(space, {"outer": 1}).parameters == 250 + 50


def test_what_two_switches_may_share_is_counted_once():
    def author():
        x = Input(shape=(4,))
        wide = Dense(100)(x)
        picks = [InputChoice([x, wide], 1)([x, wide]) for _ in range(2)]
        Concatenate()([Dense(1)(pick) for pick in picks])

    space = authored(author)
    for decisions in [{}, *(a.decisions for a in space.every_architecture())]:
        assert bound_of(space, decisions).parameters <= least_of(space, decisions)[0]


def test_a_repeated_block_counts_as_often_as_it_must():
    def author():
        x = Repeat(lambda step: Dense(4), repeat_num_choices=[2, 3, 5])(Input(shape=(4,)))
        Dense(2)(x)

    space = authored(author)
    found = bound_of(space, depth=True)
    assert found.parameters == 2 * 20 + 10
    assert found.depth == 3


def test_a_shared_layer_counts_once_and_its_work_each_time():
    def author():
        x = Input(shape=(4,))
        layer = Dense(Choice([4, 5], name="units"))
        first = layer(x)
        Add()([first, layer.share()(x), Optional(layer.share(), hp_opt=Choice([True, False]))(x)])

    space = authored(author)
    found = bound_of(space)
    assert (found.parameters, found.multiply_adds) == least_of(space)[:2] == (20, 32)


def test_a_branch_that_cannot_be_built_is_no_way_out():
    def author():
        x = Input(shape=(2, 2, 1))
        x = Or([Conv2D(1, 5), Conv2D(8, 1)], hp_or=Choice([0, 1], name="or"))(x)
        Flatten()(x)

    space = authored(author)
    assert bound_of(space).parameters == 16  # the kernel of 5 is larger than the image
    assert bound_of(space, {"or": 0}).parameters == math.inf


def test_what_depends_on_too_much_or_is_continuous_counts_as_free():
    def wide():
        x = Dense(Int(1, 40))(Input(shape=(4,)))
        Dense(10)(Dense(Int(1, 40))(x))

    assert bound_of(authored(wide)).parameters == 5 + 2 + 20
    assert bound_of(authored(wide), cases=50).parameters in (5, 5 + 20)  # the second is free

    def continuous():
        units = Dynamic(lambda r: int(100 * (r - 0.5) ** 2) + 1, r=Real(0, 0.9))
        Dense(units)(Dense(3)(Input(shape=(4,))))

    assert bound_of(authored(continuous)).parameters == 15


def test_a_long_chain_of_nested_switches_is_bounded():
    def author():
        x = Input(shape=(2,))
        for _ in range(300):
            x = Optional(Dense(2), keep_link=True)(x)
        Or([Dense(5), Dense(6)])(x)

    space = authored(author)
    assert bound_of(space, depth=True).parameters == 15


def test_no_node_is_owned_by_two_switches_and_owners_come_after_what_they_own():
    space = enas_micro_search_space("NR", (28, 28, 1), 16)
    needs = Necessity(space.freeze())
    seen = 0
    for switch in needs.order:
        assert not needs.owned[switch] & seen
        seen |= needs.owned[switch]
    places = {switch: place for place, switch in enumerate(needs.order)}
    for switch, owned in needs.owned.items():
        for other in places:
            if owned >> other & 1:
                assert places[other] < places[switch]
