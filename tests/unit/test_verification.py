"""The verifier finds planted faults, says how little causes them, and passes what fits."""

import itertools
import random

import pytest

from hypernets.domain.architecture.verification import verify
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space import (
    Bool,
    Cascade,
    Choice,
    ConnectLooseEnd,
    Dynamic,
    HyperSpace,
    Identity,
    InputChoice,
    Int,
    LayerModule,
    MacroModule,
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
    Concatenate,
    Conv2D,
    Cropping1D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPooling2D,
)


def authored(author) -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        author()
    return space


def report_of(author, *args, **options):
    return verify(authored(author).freeze(), *args, **options)


def poolings(most: int):
    def author():
        x = Input(shape=(28, 28, 1))
        blocks = Repeat(
            lambda step: Sequential([Conv2D(Choice([4, 8]), 3), MaxPooling2D(2, name=f"p{step}")]),
            repeat_num_choices=list(range(1, most + 1)),
        )(x)
        Dense(2)(Flatten()(blocks))

    return author


def test_a_pooling_too_many_is_found_with_the_one_decision_that_causes_it():
    report = report_of(poolings(4))
    found = report.counterexample
    assert not report.passed
    assert report.is_proof
    assert list(found.decisions.values()) == [4]
    assert found.input_shapes[0][1:3] == (1, 1)  # 28 → 13 → 5 → 1
    with pytest.raises(BuildError):
        found.architecture.cost()
    assert "cannot always be built" in str(report)


def test_one_pooling_less_is_proved_to_fit():
    report = report_of(poolings(3))
    assert report.passed
    assert report.is_proof
    assert report.notes == ()
    assert {coverage.method for coverage in report.layers.values()} == {"exact"}
    assert report.checked == 0
    assert str(report).startswith("every architecture can be built")


def nested(depth: int, innermost: int):
    """Ten options at each of some levels; only the innermost has another width."""
    if not depth:
        return Dense(innermost)
    return Or([Dense(8) for _ in range(9)] + [nested(depth - 1, innermost)])


def test_a_mismatched_sum_under_one_combination_in_a_million_is_found():
    def author():
        x = Input(shape=(16,), name="x")
        Add(name="sum")([nested(6, 9)(x), Dense(8)(x)])

    report = report_of(author)
    assert report.is_proof
    assert report.counterexample.layer == "sum"
    assert list(report.counterexample.decisions.values()) == [9] * 6
    assert set(report.counterexample.input_shapes) == {(None, 9), (None, 8)}


def test_independent_decisions_whose_effects_add_up_are_told_apart_by_what_they_add_up_to():
    def author(size):
        x = Input(shape=(size, 1), name="x")
        for _ in range(20):  # 2^20 combinations, 21 different lengths
            x = Optional(Cropping1D((0, 1)), keep_link=True)(x)
        Dense(1)(Flatten()(Cropping1D((0, 4), name="last")(x)))

    assert report_of(lambda: author(25)).passed
    report = report_of(lambda: author(24))
    assert report.is_proof
    assert report.counterexample.layer == "last"
    assert len(report.counterexample.decisions) == 20
    assert all(report.counterexample.decisions.values())


def test_decisions_that_do_not_matter_to_the_fault_are_left_out():
    def author():
        x = Input(shape=(8,), name="x")
        units = Choice([8, 9], name="units")
        y = Dense(units, activation=Choice(["relu", "tanh"]))(x)
        y = Dropout(Choice([0.1, 0.2, 0.3]))(y)
        Optional(Dense(4), keep_link=True)(Add()([x, y]))

    report = report_of(author)
    assert report.counterexample.decisions == {"units": 9}


def test_a_shared_decision_is_one_and_the_same_everywhere():
    def author():
        units = Choice([4, 5, 6])
        x = Input(shape=(8,))
        Add()([Dense(units)(x), Dense(units)(x)])

    assert report_of(author).passed


def test_a_space_without_any_network_has_an_empty_counterexample():
    def author():
        Add(name="sum")([Input(shape=(3,)), Dense(4)(Input(shape=(3,)))])

    report = report_of(author)
    assert report.counterexample.decisions == {}
    assert "whatever is decided" in str(report)


def test_a_layer_that_is_cut_off_is_a_fault():
    def author():
        use = Bool(name="use")
        Dense(2, name="end")(Optional(Dense(3), hp_opt=use)(Input(shape=(3,))))

    report = report_of(author)
    assert report.counterexample.decisions == {"use": False}
    assert report.counterexample.layer == "end"
    assert "keep_link" in report.counterexample.reason


def test_permutations_are_followed_in_every_order():
    def author():
        order = Choice(list(itertools.permutations(range(3))), name="order")
        x = Input(shape=(6, 6, 1))
        parts = [MaxPooling2D(2), Conv2D(1, 4), Conv2D(2, 1)]  # pooling first: 3 < 4
        Flatten()(Permutation(parts, hp_seq=order)(x))

    report = report_of(author)
    found = report.counterexample
    assert found.decisions["order"].index(0) < found.decisions["order"].index(1)
    assert report.is_proof


def test_loose_ends_are_told_apart():
    def author(last):
        x = Input(shape=(4,), name="x")
        first, second = Dense(4)(x), Dense(4)(x)
        pick = InputChoice([first, second], 1, hp_choice=None)([first, second])
        third = Dense(last)(pick)
        states = [first, second, third]
        Add(name="sum")(ConnectLooseEnd(states)(states))

    assert report_of(lambda: author(4)).passed
    assert report_of(lambda: author(5)).counterexample.layer == "sum"


def test_loose_ends_are_told_apart_through_cells_within():
    def author():
        first = Dense(4)(Input(shape=(4,), name="x"))
        nodes = [Dense(4)(first), Dense(4)(first)]
        inner = Add()(ConnectLooseEnd(nodes)(nodes))
        states = [first, inner]
        Dense(1)(ConnectLooseEnd(states)(states))  # fed by one: the first is in use

    report = report_of(author)
    assert report.passed
    assert report.notes == ()


def test_a_function_that_raises_is_a_fault_also_where_no_shape_depends_on_it():
    def author():
        kind = Choice(["relu", "tanh"], name="kind")
        activation = Dynamic(lambda kind: {"relu": "relu"}[kind], kind=kind)
        Dense(2, activation=activation)(Input(shape=(3,)))

    report = report_of(author)
    assert report.counterexample.decisions == {"kind": "tanh"}


def test_continuous_decisions_that_no_shape_reads_do_not_stand_in_the_way_of_a_proof():
    report = report_of(lambda: Dense(2)(Dropout(Real(0.0, 0.5))(Input(shape=(3,)))))
    assert report.passed
    assert report.is_proof


def test_a_continuous_decision_that_shapes_read_is_sampled_and_no_proof():
    report = report_of(lambda: Dense(1)(Dense(Real(1.0, 9.0), name="wide")(Input(shape=(3,)))))
    assert report.passed
    assert not report.is_proof
    assert report.checked > 0
    assert "continuous" in report.notes[0]
    assert "no proof" in str(report)
    assert report.layers["wide"].method == "sampled"


def entangled(n_decisions: int, wrong: int):
    def author():
        x = Input(shape=(4,), name="x")
        ks = {f"k{i}": Int(0, 3, name=f"k{i}") for i in range(n_decisions)}
        width = Dynamic(
            lambda **ks: 8 + (all(k == 3 for k in ks.values()) and wrong), name="width", **ks
        )
        Add(name="sum")([Dense(width)(x), Dense(8)(x)])

    return author


def test_a_small_space_is_enumerated_where_the_exact_pass_is_not_enough():
    class Twice(MacroModule):  # emits one name from two places, one at a time
        def expand(self, emit, inputs, arguments):
            return [emit.layer("Flatten", {}, inputs, "flat")]

    def author():
        Dense(1)(Or([Twice(), Twice()])(Input(shape=(3, 3))))

    report = report_of(author)
    assert report.passed
    assert report.is_proof
    assert report.checked == 2
    assert "flat" in report.notes[0]


def test_a_function_of_too_many_decisions_is_sampled_and_said_so():
    report = report_of(entangled(9, 0), limit=300)
    assert report.passed
    assert not report.is_proof
    assert 0 < report.checked <= 300
    assert report.values_covered == 1
    assert 0.9 < report.pairs_covered <= 1
    assert "limit" in report.notes[0]
    assert report.layers["sum"].method == "sampled"


def test_a_fault_found_one_by_one_is_minimised_by_trying():
    def author():
        x = Input(shape=(4,), name="x")
        ks = {f"k{i}": Int(0, 3, name=f"k{i}") for i in range(9)}
        width = Dynamic(lambda **ks: 8 + (ks["k2"] == 3 and ks["k5"] == 1), **ks)
        Add(name="sum")([Dense(width)(x), Dense(8)(x)])

    report = report_of(author, limit=300)
    assert report.counterexample.decisions == {"k2": 3, "k5": 1}
    assert report.counterexample.layer == "sum"


def test_a_rare_fault_is_found_before_a_layer_that_is_unknown():
    def author():
        x = Input(shape=(16,), name="x")
        total = Add(name="sum")([nested(6, 9)(x), Dense(8)(x)])
        ks = {f"k{i}": Int(0, 3) for i in range(9)}
        Dense(Dynamic(lambda **ks: 1 + sum(ks.values()), **ks), name="last")(total)

    report = report_of(author, limit=300)
    assert report.is_proof
    assert report.checked == 0
    assert list(report.counterexample.decisions.values()) == [9] * 6
    assert report.layers["sum"].method == "exact"
    assert report.layers["last"].method == "unchecked"


def test_within_the_limit_a_function_of_many_decisions_is_exact():
    report = report_of(entangled(5, 1), limit=2_000)
    assert report.counterexample.decisions == {f"k{i}": 3 for i in range(5)}


def test_a_function_that_raises_is_a_fault():
    def author():
        size = Choice([0, 2], name="size")
        Dense(Dynamic(lambda size: 8 // size, size=size))(Input(shape=(3,)))

    report = report_of(author)
    assert report.counterexample.decisions == {"size": 0}
    assert "ZeroDivisionError" in report.counterexample.reason


def test_a_cascade_leads_to_the_decision_it_returns():
    def author():
        deep, flat = Choice([3, 4], name="deep"), Choice([5], name="flat")
        units = Cascade(lambda k: deep if k else flat, k=Bool(name="k"))
        x = Input(shape=(4,))
        Add()([Dense(units)(x), Dense(4)(x)])

    report = report_of(author)
    assert report.counterexample.decisions in ({"k": False}, {"deep": 3, "k": True})


def test_the_shape_of_the_data_fills_in_what_an_input_leaves_open():
    def author():
        x = Input(shape=(None, None, 1), name="image")
        Conv2D(2, Choice([3, 9], name="kernel"))(x)

    assert report_of(author).passed
    assert report_of(author, {"image": (9, 9, 1)}).passed
    for shapes in ({"image": (8, 8, 1)}, [(8, 8, 1)], (8, 8, 1)):
        assert report_of(author, shapes).counterexample.decisions == {"kernel": 9}


def test_data_that_do_not_fit_the_input_are_a_fault_of_every_architecture():
    report = report_of(lambda: Dense(1)(Input(shape=(3,), name="x")), {"x": (4,)})
    assert report.counterexample.layer == "x"
    assert report.counterexample.decisions == {}


@pytest.mark.parametrize(
    ("shapes", "message"),
    [({"y": (3,)}, "inputs"), ([(3,), (3,)], "each of the 1"), ({"x": ("a",)}, "sizes")],
)
def test_input_shapes_that_make_no_sense_are_refused(shapes, message):
    with pytest.raises(SpaceError, match=message):
        report_of(lambda: Dense(1)(Input(shape=(3,), name="x")), shapes)


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, None])
def test_a_limit_that_is_no_positive_integer_is_refused(limit):
    with pytest.raises(SpaceError, match="limit"):
        report_of(lambda: Dense(1)(Input(shape=(3,))), limit=limit)


def test_what_can_never_be_chosen_is_named():
    def author():
        which = Choice([0, 1], name="which")
        x = Input(shape=(3,))
        inner = Or([Dense(1), Dense(2, name="never")], hp_or=which)
        Choice([1, 2], name="unused")
        Dense(1)(Or([inner, Dense(Choice([3, 4], name="sometimes"))], hp_or=which)(x))

    report = report_of(author)
    assert report.never_chosen == ("never", "unused")
    assert report.passed


def test_nothing_is_called_never_chosen_that_some_architecture_has():
    report = report_of(poolings(3))
    assert report.never_chosen == ()


def test_a_long_chain_of_choices_is_followed_once():
    def author():
        x = Input(shape=(4,))
        for _ in range(60):  # 2^60 ways through it
            x = Or([Dense(4), Dense(4, use_bias=False)])(x)

    report = report_of(author)
    assert report.is_proof
    assert report.passed
    assert report.never_chosen == ()


def test_decisions_that_change_no_signature_are_named():
    def author():
        x = Input(shape=(3,))
        Dense(Choice([4, 5], name="units"))(Identity(tag=Choice([1, 2], name="tag"))(x))
        authored_space.set_training(batch_size=Choice([16, 32], name="batch"))

    authored_space = HyperSpace()
    with authored_space.as_default():
        author()
    report = verify(authored_space.freeze())
    assert [label.split(".")[-1] for label in report.without_effect] == ["tag"]


def test_a_layer_at_several_places_must_suit_one_set_of_weights():
    def author():
        x = Input(shape=(3,), name="x")
        dense = Dense(4, name="dense")
        first = dense(x)
        second = dense.share(name="again")(Or([Dense(3), Dense(5)])(x))
        Add()([first, second])

    report = report_of(author)
    assert list(report.counterexample.decisions.values()) == [1]
    assert "several places" in report.counterexample.reason


class Framework:
    """Stands for the one that knows all layers."""

    def infer(self, layer, input_shapes):
        if layer.arguments["size"] == 7:
            raise BuildError("seven is too many")
        return (None, layer.arguments["size"])


class Strange(LayerModule):
    oracle = Framework()


class Unheard(LayerModule):
    pass


def test_the_framework_is_asked_for_layers_without_a_rule():
    size = "size"
    report = report_of(
        lambda: Strange({"size": Choice([6, 7], name=size)})(Input(shape=(3,), name="x"))
    )
    assert report.counterexample.decisions == {"size": 7}
    assert report.counterexample.reason.endswith("seven is too many")


def test_a_layer_that_nothing_knows_is_no_fault_and_no_proof():
    report = report_of(lambda: Dense(1)(Unheard({})(Input(shape=(3,)))))
    assert report.passed
    assert not report.is_proof
    assert "no rule" in report.notes[0]


# --- against the real thing: every architecture, one by one -----------------


def random_space(seed: int) -> HyperSpace:
    """Write a small space of layers some of which may not fit."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    shared = {}

    def choice(values):
        if shared and rng.random() < 0.4:
            known = [c for options, c in shared.values() if repr(options) == repr(values)]
            if known:
                return rng.choice(known)
        made = Choice(values)
        shared[made.name] = (values, made)
        return made

    def fragment(depth):
        kind = rng.randrange(8 if depth < 2 else 3)
        if kind == 0 and rng.random() < 0.5:
            return Dense(choice([3, 4]))
        if kind == 0:  # computed, from one decision or from two
            width = Dynamic(lambda w: 3 + w % 2, w=choice([1, 2, 3]))
            both = Dynamic(lambda w, k: w if k == 3 else k, w=width, k=choice([3, 4]))
            return Dense(rng.choice([width, both]))
        if kind == 1:
            return Cropping1D((0, choice([1, 2])))
        if kind == 2:
            return Activation(choice(["relu", "tanh"]))
        parts = [fragment(depth + 1) for _ in range(1 if kind == 4 else 2)]
        if kind == 3:
            return Or(parts, hp_or=choice([0, 1]))
        if kind == 4:
            return Optional(parts[0], keep_link=rng.random() < 0.8, hp_opt=choice([False, True]))
        if kind == 5:
            return Permutation(parts, hp_seq=choice([(0, 1), (1, 0)]))
        if kind == 6:
            return Repeat(lambda step: parts[step], repeat_num_choices=[1, 2])
        return Sequential(parts)

    def author():
        x = Input(shape=(rng.choice([4, 5, 6]), 3))
        states = [x]
        for _ in range(3):
            part = fragment(0)
            part(rng.choice(states[-2:]))
            states.append(part)
        if rng.random() < 0.5:
            chosen = InputChoice(states, rng.choice([1, 2]))(states)
            states.append(Add()([chosen, states[-1]]))
        ends = ConnectLooseEnd(states)(states)
        rng.choice([Add, Concatenate])()(ends)

    return authored(author)


def small_random_space(seed: int) -> HyperSpace:
    """Return the first random space with few architectures, of some."""
    spaces = map(random_space, itertools.count(seed, 1_000))
    return next(space for space in spaces if space.count() <= 1_000)


def builds(architecture) -> bool:
    try:
        return all(node.shape is not None for node in architecture.graph)
    except BuildError:
        return False


@pytest.mark.parametrize("seed", range(80))
def test_the_verdict_is_that_of_every_architecture(seed):
    space = small_random_space(seed)
    report = verify(space.freeze())
    verdicts = [(a, builds(a)) for a in space.every_architecture()]
    assert report.is_proof
    assert report.notes == ()
    assert report.passed == all(fits for _, fits in verdicts)
    if report.passed:
        return
    cause = report.counterexample.decisions
    having = [
        fits for a, fits in verdicts if all(a.decisions.get(k) == v for k, v in cause.items())
    ]
    assert having
    assert not any(having)
    for name in cause:  # without any one of them, some architecture can be built
        rest = {k: v for k, v in cause.items() if k != name}
        assert any(
            fits
            for a, fits in verdicts
            if all(k not in a.decisions or a.decisions[k] == v for k, v in rest.items())
        )


@pytest.mark.parametrize("seed", range(80))
def test_an_option_always_fails_exactly_if_every_architecture_with_it_does(seed):
    space = small_random_space(seed)
    verdicts = [(a, builds(a)) for a in space.every_architecture()]
    failing = [o for o in verify(space.freeze()).dead_options if o.reason == "always fails"]
    for decision in space.decisions:
        fits = {repr(decision.value_at(number)): False for number in range(int(decision.size))}
        for architecture, does in verdicts:
            if does and decision.name in architecture.decisions:
                fits[repr(architecture.decisions[decision.name])] = True
        expected = {v for v, fit in fits.items() if not fit} if any(fits.values()) else set()
        assert {repr(o.value) for o in failing if o.name == decision.name} == expected


def test_values_that_come_to_the_same_are_looked_at_once():
    def author(width):
        many = Int(0, 4_999, name="many")
        x = Input(shape=(4,))
        Add(name="sum")([Dense(Dynamic(width, many=many), name="wide")(x), Dense(8)(x)])

    report = report_of(lambda: author(lambda many: 8 + many // 4_999))
    assert report.counterexample.decisions == {"many": 4_999}
    assert report.layers["wide"].cases < 10
    assert report_of(lambda: author(lambda many: 8 + many // 5_000)).passed


def test_a_cascade_that_leads_to_equal_values_leads_to_decisions_of_their_own():
    def author():
        first, second = Choice([4, 5], name="first"), Choice([4, 5], name="second")
        units = Cascade(lambda k: (4, first, second)[k], k=Choice([0, 1, 2], name="k"))
        Dense(units)(Input(shape=(3,)))

    space = authored(author)
    report = space.verify()
    assert report.passed
    assert report.never_chosen == ()


@pytest.mark.parametrize("seed", range(40))
def test_never_chosen_is_what_no_architecture_has(seed):
    space = small_random_space(seed)
    architectures = list(space.every_architecture())
    asked = {name for a in architectures for name in a.decisions}
    never = verify(space.freeze()).never_chosen
    names = {p.name for p in space.decisions}
    assert names - asked == names & set(never)
