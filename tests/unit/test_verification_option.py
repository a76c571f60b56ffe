"""The verifier names the options that no architecture takes and those that always fail."""

import random

import pytest

from hypernets.domain.space import (
    Cascade,
    Choice,
    Constant,
    Dynamic,
    HyperSpace,
    InputChoice,
    Int,
    Optional,
    Or,
    Repeat,
)
from hypernets.frameworks.keras.layers import Add, Dense, Input


def authored(author) -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        author()
    return space


def report_of(author, **options):
    return authored(author).verify(**options)


def dead(report, reason="never selected"):
    return [(o.label, o.value) for o in report.dead_options if o.reason == reason]


def test_a_subgraph_that_a_plain_value_rules_out_is_never_selected():
    report = report_of(
        lambda: Or([Dense(1, name="a"), Dense(2, name="b"), Dense(3)], hp_or=1, name="op")(
            Input(shape=(3,))
        )
    )
    assert dead(report) == [("op.hp_or", 0), ("op.hp_or", 2)]
    assert "a" in report.never_chosen
    assert "never selected: op.hp_or=0, op.hp_or=2" in str(report)


def test_a_subgraph_that_a_function_never_gives_is_never_selected():
    def author():
        k = Choice([0, 1, 2], name="k")
        which = Dynamic(lambda k: min(k, 1), k=k)
        Or([Dense(1), Dense(2), Dense(3)], hp_or=which, name="op")(Input(shape=(3,)))

    assert dead(report_of(author)) == [("op.hp_or", 2)]


def test_a_subgraph_that_no_cascade_leads_to_is_never_selected():
    def author():
        few, one = Choice([0, 1], name="few"), Constant(1)
        which = Cascade(lambda k: few if k else one, k=Choice([False, True], name="k"))
        Or([Dense(1), Dense(2), Dense(3)], hp_or=which, name="op")(Input(shape=(3,)))

    assert dead(report_of(author)) == [("op.hp_or", 2)]


def test_an_option_that_a_decision_made_outside_rules_out_is_never_selected():
    def author():
        which = Choice([0, 1], name="which")
        inner = Or([Dense(1), Dense(2)], hp_or=which, name="inner")
        Or([inner, Dense(3)], hp_or=which, name="outer")(Input(shape=(3,)))

    report = report_of(author)
    assert dead(report) == [("inner.hp_or", 1)]
    assert report.dead_options[0].name == "which"


@pytest.mark.parametrize("kept", [True, False])
def test_an_optional_that_is_decided_has_one_option_for_nothing(kept):
    def plain():
        Optional(Dense(3), keep_link=True, hp_opt=kept, name="op")(Input(shape=(3,)))

    def derived():
        always = Dynamic(lambda k: kept, k=Choice([0, 1], name="k"))
        Optional(Dense(3), keep_link=True, hp_opt=always, name="op")(Input(shape=(3,)))

    assert dead(report_of(plain)) == dead(report_of(derived)) == [("op.hp_opt", not kept)]


def test_a_step_that_is_never_reached_is_never_selected():
    def author():
        steps = Dynamic(lambda k: k, k=Choice([1, 2], name="k"))
        Repeat(lambda step: Dense(4), [1, 2, 3, 4], hp_repeat_num=steps, name="op")(
            Input(shape=(3,))
        )

    assert dead(report_of(author)) == [("op.hp_repeat_num", 3), ("op.hp_repeat_num", 4)]


def test_an_input_that_is_never_picked_is_never_selected():
    def author(choice):
        x = Input(shape=(3,))
        inputs = [Dense(3)(x), Dense(3)(x), x]
        Add()(InputChoice(inputs, hp_choice=choice(), name="op")(inputs))

    for choice in (
        lambda: [0, 1],
        lambda: Choice([(0,), (0, 1)]),
        lambda: Dynamic(lambda k: [0, k], k=Choice([0, 1])),
    ):
        assert dead(report_of(lambda choice=choice: author(choice))) == [("op.hp_choice", 2)]


def test_of_an_op_that_is_never_chosen_no_options_are_listed():
    def author():
        never = Or([Dense(1), Dense(2)], name="never")
        Or([never, Dense(3)], hp_or=1, name="op")(Input(shape=(3,)))

    report = report_of(author)
    assert dead(report) == [("op.hp_or", 0)]
    assert "never" in report.never_chosen


def test_values_with_which_no_network_can_be_built_always_fail():
    def author():
        units, name = Choice([8, 9, 10], name="units"), Choice(["relu", "tanh"])
        x = Input(shape=(8,))
        Add(name="sum")([Dense(units, activation=name, name="dense")(x), x])

    report = report_of(author)
    assert dead(report, "always fails") == [("dense.units", 9), ("dense.units", 10)]
    assert {option.name for option in report.dead_options} == {"units"}
    assert "always fails: dense.units=9, dense.units=10" in str(report)


def test_a_value_for_which_a_function_raises_always_fails():
    def author():
        size = Choice([0, 2], name="size")
        Dense(Dynamic(lambda size: 8 // size, size=size))(Input(shape=(3,)))

    assert [(o.name, o.value) for o in report_of(author).dead_options] == [("size", 0)]


def test_a_value_by_which_an_op_cannot_choose_always_fails():
    def author():
        k = Choice([0, 1, 2], name="k")
        Or([Dense(1), Dense(2)], hp_or=Dynamic(lambda k: k, k=k))(Input(shape=(3,)))

    assert [(o.name, o.value) for o in report_of(author).dead_options] == [("k", 2)]


def test_within_an_option_that_always_fails_no_others_are_listed():
    def author():
        x = Input(shape=(8,))
        y = Or([Dense(8), Dense(9, activation=Choice(["relu", "tanh"]))], name="op")(x)
        Add()([x, y])

    report = report_of(author)
    assert dead(report, "always fails") == [("op.hp_or", 1)]
    assert len(report.dead_options) == 1


def test_an_option_that_fails_only_with_some_others_is_none_for_nothing():
    def author():
        x = Input(shape=(8,))
        a, b = Choice([0, 1], name="a"), Choice([0, 1], name="b")
        Add()([x, Dense(Dynamic(lambda a, b: 8 + a * b, a=a, b=b))(x)])

    report = report_of(author)
    assert report.counterexample.decisions == {"a": 1, "b": 1}
    assert report.dead_options == ()


def test_where_no_network_can_be_built_no_options_are_listed():
    report = report_of(lambda: Add()([Input(shape=(2,)), Dense(Choice([3, 4]))(Input(shape=(2,)))]))
    assert not report.passed
    assert report.dead_options == ()


def test_very_many_options_are_listed_in_part():
    def author():
        x = Input(shape=(8,))
        Add()([x, Dense(Int(2, 100), name="dense")(x)])

    report = report_of(author)
    assert len(report.dead_options) == 98
    assert "dense.units=14, and 86 more" in str(report)


def nested_ops(seed: int):
    """Write ops within ops that share a few choices; return each op's options as sets of layers."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    options: dict[str, list[set[str]]] = {}

    def author():
        shared = [Choice([0, 1], name=f"c{i}") for i in range(3)]
        shared.append(Dynamic(lambda a, b: a | b, a=shared[0], b=shared[1]))
        shared.append(Dynamic(lambda a: int(not a), a=shared[2]))

        def part(depth):
            if not depth or rng.random() < 0.2:
                layer = Dense(3)
                return layer, {layer.name}
            parts = [part(depth - 1) for _ in range(2)]
            op = Or([module for module, _ in parts], hp_or=rng.choice(shared))
            options[op.name] = [names for _, names in parts]
            return op, set.union(*options[op.name])

        part(4)[0](Input(shape=(3,)))

    return authored(author), options


@pytest.mark.parametrize("seed", range(40))
def test_never_selected_is_what_no_architecture_selects(seed):
    space, options = nested_ops(seed)
    found = set()
    for architecture in space.every_architecture():
        found |= {node.name for node in architecture.graph}
    expected = {
        (f"{op}.hp_or", place)
        for op, parts in options.items()
        for place, names in enumerate(parts)
        if found & set.union(*parts) and not found & names
    }
    assert set(dead(space.verify())) == expected
