"""Every op of the language, by what it makes of small programs."""

from collections.abc import Iterator
from typing import Any

import pytest

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import BuildError
from hypernets.domain.space import (
    Bool,
    Choice,
    ConnectLooseEnd,
    Dynamic,
    HyperInput,
    HyperSpace,
    Identity,
    InputChoice,
    LayerModule,
    MultipleChoice,
    Optional,
    Or,
    Permutation,
    Repeat,
    Sequential,
)


class Input(LayerModule):
    is_input = True


class Unit(LayerModule):
    pass


class Merge(LayerModule):
    pass


@pytest.fixture
def space() -> Iterator[HyperSpace]:
    space = HyperSpace()
    with space.as_default():
        yield space


def unit(name: str, **arguments: Any) -> Unit:
    return Unit(arguments, name=name)


def image() -> Input:
    return Input(name="in")


def wiring(architecture: Architecture) -> dict[str, list[str]]:
    """Return name → inputs of every layer but the input."""
    return {node.name: list(node.inputs) for node in architecture.graph if node.inputs}


def network(space: HyperSpace, **decisions: Any) -> dict[str, list[str]]:
    return wiring(space.architecture(decisions))


# --- Identity, HyperInput, Sequential ---------------------------------------


def test_identity_and_hyper_input_pass_on_all_their_inputs(space: HyperSpace) -> None:
    x = image()
    both = Identity()(HyperInput()([unit("a")(x), unit("b")(x)]))
    Merge(name="m")(both)
    assert network(space) == {"a": ["in"], "b": ["in"], "m": ["a", "b"]}


def test_sequential_chains_whole_subgraphs(space: HyperSpace) -> None:
    left, right = unit("left"), unit("right")
    fork = Merge(name="joined")([left, right])
    Sequential([fork, unit("last")])(image())
    assert network(space) == {
        "left": ["in"],
        "right": ["in"],
        "joined": ["left", "right"],
        "last": ["joined"],
    }


def test_any_module_of_a_subgraph_stands_for_all_of_it(space: HyperSpace) -> None:
    first = unit("first")
    unit("last")(unit("middle")(first))
    Or([first, unit("other")], hp_or=Choice([0, 1], name="or"))(image())
    assert network(space, **{"or": 0}) == {
        "first": ["in"],
        "middle": ["first"],
        "last": ["middle"],
    }


def test_a_subgraph_is_taken_as_it_is_when_the_space_is_frozen(space: HyperSpace) -> None:
    first = unit("first")
    op = Sequential([first])(image())
    unit("later")(first)
    unit("after")(op)
    assert network(space)["after"] == ["later"]


def test_several_sinks_of_a_subgraph_are_joined(space: HyperSpace) -> None:
    head = unit("head")
    unit("a")(head)
    unit("b")(head)
    Merge(name="m")(Sequential([head])(image()))
    assert network(space)["m"] == ["a", "b"]


# --- Or, Optional, Repeat, Permutation --------------------------------------


def test_or_keeps_one_subgraph_and_asks_nothing_of_the_others(space: HyperSpace) -> None:
    width = Choice([1, 2], name="width")
    op = Or([unit("a", units=width), unit("b")])(image())
    assert op.hp_or.name == "Param_Choice_1"
    kept = space.architecture({op.hp_or.name: 0, "width": 2})
    assert wiring(kept) == {"a": ["in"]}
    other = space.architecture({op.hp_or.name: 1})
    assert wiring(other) == {"b": ["in"]}
    assert set(other.decisions) == {op.hp_or.name}
    assert op.hp_or.label == "Module_Or_1.hp_or"


def test_optional_left_out_with_the_link_passes_its_input_on(space: HyperSpace) -> None:
    kept = Optional(unit("a"), keep_link=True, hp_opt=Bool(name="opt"))(image())
    unit("b")(kept)
    assert network(space, opt=True) == {"a": ["in"], "b": ["a"]}
    assert network(space, opt=False) == {"b": ["in"]}


def test_optional_left_out_without_the_link_is_absorbed_by_a_merge(space: HyperSpace) -> None:
    x = image()
    maybe = Optional(unit("a"), hp_opt=Bool(name="opt"))(x)
    Merge(name="m")([maybe, x])
    assert network(space, opt=True) == {"a": ["in"], "m": ["a", "in"]}
    assert network(space, opt=False) == {"m": ["in"]}


def test_optional_left_out_without_the_link_is_an_error_before_a_layer(space: HyperSpace) -> None:
    unit("b")(Optional(unit("a"), hp_opt=Bool(name="opt"))(image()))
    with pytest.raises(BuildError, match=r"'b'.*cut off"):
        _ = space.architecture({"opt": False}).graph


def test_repeat_builds_each_step_once_and_chains_as_many_as_decided(space: HyperSpace) -> None:
    calls: list[int] = []

    def step(k: int) -> Unit:
        calls.append(k)
        return unit(f"step{k}")

    unit("end")(Repeat(step, [0, 1, 3], hp_repeat_num=Choice([0, 1, 3], name="n"))(image()))
    assert network(space, n=0) == {"end": ["in"]}
    assert network(space, n=1) == {"step0": ["in"], "end": ["step0"]}
    three = {"step0": ["in"], "step1": ["step0"], "step2": ["step1"], "end": ["step2"]}
    assert network(space, n=3) == three
    for seed in range(10):
        space.sample(seed)
    assert calls == [0, 1, 2]


def test_permutation_chains_in_every_order(space: HyperSpace) -> None:
    op = Permutation([unit("a"), unit("b"), unit("c")])(image())
    unit("end")(op)
    assert op.hp_seq.size == 6
    decide = {op.hp_seq.name: (2, 0, 1)}
    assert network(space, **decide) == {"c": ["in"], "a": ["c"], "b": ["a"], "end": ["b"]}
    chains = {str(sorted(wiring(a).items())) for a in space.every_architecture()}
    assert len(chains) == 6


def test_an_optional_inside_a_permutation_is_skipped_or_cuts_what_comes_before(
    space: HyperSpace,
) -> None:
    width = Choice([1, 2], name="width")
    cut = Optional(unit("b"), hp_opt=Bool(name="opt"))
    order = Permutation([unit("a", units=width), cut], hp_seq=Choice([(0, 1), (1, 0)], name="seq"))
    x = image()
    Merge(name="m")([order(x), x])
    assert network(space, seq=[0, 1], opt=True, width=1)["m"] == ["b", "in"]
    # what comes before the cut is not needed, so its width is not asked
    assert network(space, seq=[0, 1], opt=False) == {"m": ["in"]}
    with pytest.raises(BuildError, match="'a'"):
        _ = space.architecture({"seq": [1, 0], "opt": False, "width": 2}).graph


def test_a_linked_optional_inside_a_permutation_is_skipped(space: HyperSpace) -> None:
    skip = Optional(unit("b"), keep_link=True, hp_opt=Bool(name="opt"))
    unit("end")(Permutation([unit("a"), skip, unit("c")], hp_seq=Choice([(0, 1, 2)]))(image()))
    assert network(space, opt=False) == {"a": ["in"], "c": ["a"], "end": ["c"]}


def test_a_permutation_of_many_modules_works(space: HyperSpace) -> None:
    op = Permutation([unit(f"u{k}") for k in range(25)])(image())
    order = space.sample(0).decisions[op.hp_seq.name]
    assert sorted(order) == list(range(25))
    assert list(wiring(space.sample(0))) == [f"u{k}" for k in order]


# --- InputChoice, ConnectLooseEnd -------------------------------------------


def test_input_choice_keeps_what_is_chosen_in_order(space: HyperSpace) -> None:
    x = image()
    inputs = [unit("a")(x), unit("b")(x), unit("c")(x)]
    Merge(name="m")(InputChoice(inputs, hp_choice=MultipleChoice(range(3), name="pick"))(inputs))
    assert network(space, pick=[2, 0]) == {"a": ["in"], "c": ["in"], "m": ["a", "c"]}


def test_input_choice_with_two_successors_feeds_both(space: HyperSpace) -> None:
    x = image()
    inputs = [unit("a")(x), unit("b")(x)]
    pick = InputChoice(inputs, 1, hp_choice=MultipleChoice(range(2), 1, name="pick"))(inputs)
    unit("left")(pick)
    unit("right")(pick)
    assert network(space, pick=[1]) == {"b": ["in"], "left": ["b"], "right": ["b"]}


def test_input_choice_over_ors_is_not_ignored(space: HyperSpace) -> None:
    x = image()
    ors = [Or([unit(f"{k}{j}") for j in "xy"], hp_or=Choice([0, 1], name=k))(x) for k in "ab"]
    unit("end")(InputChoice(ors, 1, hp_choice=MultipleChoice(range(2), 1, name="pick"))(ors))
    assert network(space, pick=[1], b=0) == {"bx": ["in"], "end": ["bx"]}


def test_input_choice_is_over_the_list_as_it_was(space: HyperSpace) -> None:
    x = image()
    states = [unit("a")(x), unit("b")(x)]
    pick = InputChoice(states, 1, hp_choice=MultipleChoice(range(2), 1, name="pick"))(states)
    states.append(unit("c")(pick))
    unit("end")(states[-1])
    assert network(space, pick=[1])["c"] == ["b"]


def test_input_choice_may_list_an_input_twice(space: HyperSpace) -> None:
    x = image()
    inputs = [unit("a")(x), unit("b")(x)]
    twice = Choice([[0, 0], [1, 0]], name="pick")
    Merge(name="m")(InputChoice(inputs, hp_choice=twice)(inputs))
    assert network(space, pick=[0, 0])["m"] == ["a", "a"]
    assert network(space, pick=[1, 0])["m"] == ["b", "a"]


def test_calling_a_module_again_adds_inputs(space: HyperSpace) -> None:
    x = image()
    m = Merge(name="m")(unit("a")(x))
    assert m([x, unit("b")(x)]) is m
    assert network(space)["m"] == ["a", "in", "b"]


def test_connect_loose_end_passes_on_what_nothing_else_uses(space: HyperSpace) -> None:
    x = image()
    a, b = unit("a")(x), unit("b")(x)
    pick = InputChoice([a, b], 1, hp_choice=MultipleChoice(range(2), 1, name="pick"))([a, b])
    states = [a, b, unit("c")(pick)]
    Merge(name="m")(ConnectLooseEnd(states)(states))
    assert network(space, pick=[0])["m"] == ["b", "c"]
    assert network(space, pick=[1])["m"] == ["a", "c"]


def test_a_consumer_that_does_not_lead_into_the_loose_end_does_not_count(space: HyperSpace) -> None:
    x = image()
    a, b = unit("a")(x), unit("b")(x)
    unit("elsewhere")(a)
    Merge(name="m")(ConnectLooseEnd([a, b])([a, b]))
    assert network(space)["m"] == ["a", "b"]


def test_a_loose_end_counts_consumers_at_a_distance(space: HyperSpace) -> None:
    x = image()
    a = unit("a")(x)
    last = unit("last")(Identity()(unit("middle")(a)))
    Merge(name="m")(ConnectLooseEnd([a, last])([a, last]))
    assert network(space)["m"] == ["last"]


def test_loose_ends_are_decided_on_the_authored_modules(space: HyperSpace) -> None:
    """An Optional that is left out with its link still uses what feeds it."""
    a = unit("a")(image())
    skipped = Optional(unit("b"), keep_link=True, hp_opt=Bool(name="opt"))(a)
    Merge(name="m")(ConnectLooseEnd([a, skipped])([a, skipped]))
    assert network(space, opt=False)["m"] == ["a"]
    assert network(space, opt=True)["m"] == ["b"]


def test_a_loose_end_gates_no_decision(space: HyperSpace) -> None:
    x = image()
    a = unit("a", units=Choice([1, 2], name="width"))(x)
    b = unit("b")(a)
    Merge(name="m")(ConnectLooseEnd([a, b])([a, b]))
    assert [d.name for d in space.decisions] == ["width"]
    assert network(space, width=2)["m"] == ["b"]


# --- selectors --------------------------------------------------------------


def test_one_hyperparameter_may_select_for_several_ops(space: HyperSpace) -> None:
    opt = Bool(name="opt")
    x = Optional(unit("a"), keep_link=True, hp_opt=opt)(image())
    Optional(unit("b"), keep_link=True, hp_opt=opt)(unit("mid")(x))
    assert network(space, opt=True) == {"a": ["in"], "mid": ["a"], "b": ["mid"]}
    assert network(space, opt=False) == {"mid": ["in"]}
    assert space.opt.label == "Module_Optional_1.hp_opt,Module_Optional_2.hp_opt"


def test_a_dynamic_may_select(space: HyperSpace) -> None:
    depth = Choice([1, 2, 3], name="depth")
    deep = Dynamic(lambda depth: depth > 2, depth=depth)
    Optional(unit("extra"), keep_link=True, hp_opt=deep)(unit("a", units=depth)(image()))
    assert network(space, depth=3) == {"a": ["in"], "extra": ["a"]}
    assert network(space, depth=2) == {"a": ["in"]}


def test_a_constant_may_select_and_is_no_decision(space: HyperSpace) -> None:
    Or([unit("a"), unit("b")], hp_or=1)(image())
    assert space.decisions == ()
    assert network(space) == {"b": ["in"]}


def test_one_alternative_is_no_decision(space: HyperSpace) -> None:
    x = Permutation([Or([unit("a")])])(image())
    y = [unit("b")(x)]
    unit("c")(InputChoice(y, 1)(y))
    assert space.decisions == ()
    assert network(space) == {"a": ["in"], "b": ["a"], "c": ["b"]}


def test_ops_show_their_selector_under_the_published_keyword(space: HyperSpace) -> None:
    inputs = [image()]
    op_and_keyword = [
        (Or([unit("a"), unit("b")]), "hp_or"),
        (Optional(unit("c")), "hp_opt"),
        (Repeat(lambda k: Unit(), [1, 2]), "hp_repeat_num"),
        (Permutation([unit("d"), unit("e")]), "hp_seq"),
        (InputChoice(inputs), "hp_choice"),
    ]
    for op, keyword in op_and_keyword:
        assert getattr(op, keyword) is op.selector is op.arguments[keyword]
        assert op.selector.space is space


def test_nested_ops_resolve(space: HyperSpace) -> None:
    def step(k: int) -> Or:
        inner = Optional(unit(f"o{k}"), keep_link=True, hp_opt=Bool(name=f"opt{k}"))
        return Or(
            [Sequential([unit(f"s{k}"), inner]), Identity()], hp_or=Choice([0, 1], name=f"or{k}")
        )

    Repeat(step, [1, 2], hp_repeat_num=Choice([1, 2], name="n"))(image())
    assert network(space, n=2, or0=0, opt0=False, or1=0, opt1=True) == {
        "s0": ["in"],
        "s1": ["s0"],
        "o1": ["s1"],
    }
    assert space.architecture({"n": 2, "or0": 1, "or1": 1}).graph.outputs == ("in",)
    assert len(list(space.every_architecture())) == 3 + 9
