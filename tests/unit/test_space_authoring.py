"""Authoring: names, labels, ends, spaces side by side, layers as arguments, long programs."""

import asyncio
import threading

import pytest

from hypernets.domain.architecture.graph import LayerSpec
from hypernets.domain.error import SpaceError
from hypernets.domain.space import (
    Bool,
    Cascade,
    Choice,
    Constant,
    Dynamic,
    HyperSpace,
    Identity,
    Int,
    LayerModule,
    ModuleSpace,
    Or,
    Real,
    Repeat,
    Sequential,
)


class Input(LayerModule):
    is_input = True


class Unit(LayerModule):
    pass


class Merge(LayerModule):
    pass


class Wrapper(LayerModule):
    pass


# --- names and labels -------------------------------------------------------


def test_a_name_made_up_has_the_smallest_free_number() -> None:
    space = HyperSpace()
    with space.as_default():
        assert [Unit().name, Unit(name="mine").name, Unit().name] == [
            "Module_Unit_1", "mine", "Module_Unit_2",
        ]  # fmt: skip
        Unit(name="Module_Unit_3")
        assert Unit().name == "Module_Unit_4"
        assert [Choice([1]).name, Bool().name, Choice([1]).name] == [
            "Param_Choice_1", "Param_Bool_1", "Param_Choice_2",
        ]  # fmt: skip
    assert space.Module_Unit_1 is space.modules[0]
    assert space.Param_Bool_1 is space.hyperparameters[1]


def test_the_outer_op_is_named_before_its_alternatives_are_traced() -> None:
    space = HyperSpace()
    with space.as_default():
        outer = Repeat(lambda k: Repeat(lambda j: Unit(), [1, 2]), [1, 2])
    assert outer.name == "Module_Repeat_1"
    assert [m.name for m in outer.alternatives] == ["Module_Repeat_2", "Module_Repeat_3"]


def test_every_run_of_a_program_gives_the_same_names() -> None:
    def names() -> list[str]:
        space = HyperSpace()
        with space.as_default():
            Or([Unit({"units": Choice([1, 2])}), Unit()])(Input())
        return [node.name for node in [*space.modules, *space.hyperparameters]]

    assert names() == names()


def test_an_attribute_that_does_not_exist_is_said_so() -> None:
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = HyperSpace().nothing


def test_a_label_names_the_owners() -> None:
    space = HyperSpace()
    with space.as_default():
        width, hidden = Choice([1, 2], name="width"), Choice([1, 2], name="hidden")
        double = Dynamic(lambda w: 2 * w, w=hidden)
        x = Unit({"units": width, "more": [{"deep": width}]}, name="a")(Input())
        Unit({"units": double}, name="b")(Unit({"units": width}, name="c")(x))
    _ = space.decisions
    assert width.label == "a.units,a.more,c.units"
    assert hidden.label == "hidden"
    by_label = {"hidden": 1, width.label: 2}
    assert space.architecture(by_label).decisions == {"hidden": 1, "width": 2}


def test_a_hyperparameter_with_one_value_is_not_shown() -> None:
    space = HyperSpace()
    with space.as_default():
        Unit({"units": Choice([7]), "rate": Constant(0.5), "n": Int(2, 2)})(Input())
    architecture = space.sample(0)
    assert architecture.decisions == {}
    assert architecture.labels == {}
    arguments = architecture.graph.nodes[-1].arguments
    assert arguments == {"units": 7, "rate": 0.5, "n": 2}


# --- ends -------------------------------------------------------------------


def test_without_ends_given_they_are_those_with_nothing_before_or_after() -> None:
    space = HyperSpace()
    with space.as_default():
        a, b = Input(name="a"), Input(name="b")
        Unit(name="left")(a)
        Merge(name="right")([b, a])
    graph = space.sample(0).graph
    assert graph.inputs == ("a", "b")
    assert graph.outputs == ("left", "right")


def test_ends_given_are_kept_in_order() -> None:
    space = HyperSpace()
    with space.as_default():
        a, b = Input(name="a"), Input(name="b")
        left = Unit(name="left")(a)
        right = Merge(name="right")([b, left])
        space.set_inputs([b, a])
        space.set_outputs([right, left])
    graph = space.sample(0).graph
    assert graph.inputs == ("b", "a")
    assert graph.outputs == ("right", "left")


def test_with_inputs_alone_the_outputs_are_the_sinks_that_they_reach() -> None:
    space = HyperSpace()
    with space.as_default():
        a = Input(name="a")
        Unit(name="end")(a)
        space.set_inputs(a)
    assert space.sample(0).graph.outputs == ("end",)


def test_an_input_that_nothing_uses_stays_an_input() -> None:
    space = HyperSpace()
    with space.as_default():
        Input(name="unused")
        Unit(name="end")(Input(name="a"))
    graph = space.sample(0).graph
    assert graph.inputs == ("unused", "a")
    assert graph.outputs == ("end",)


def test_an_input_within_a_subgraph_is_an_input_of_every_architecture() -> None:
    space = HyperSpace()
    with space.as_default():
        a, b = (Unit(name=f"on_{k}")(Input(name=k)) for k in "ab")
        Unit(name="end")(Or([a, b], hp_or=Choice([0, 1], name="which")))
    for which in (0, 1):
        graph = space.architecture({"which": which}).graph
        assert graph.inputs == ("a", "b")
        assert graph["end"].inputs == (f"on_{'ab'[which]}",)


# --- spaces side by side ----------------------------------------------------


def test_as_default_is_re_entrant_and_restores_the_space_before() -> None:
    outer, inner = HyperSpace("outer"), HyperSpace("inner")
    with outer.as_default():
        with inner.as_default():
            assert Unit().space is inner
            with outer.as_default(), outer.as_default():
                assert Unit().space is outer
            assert Unit().space is inner
        assert Unit().space is outer
    with pytest.raises(SpaceError, match="no current space"):
        Unit()


def test_as_default_restores_after_an_error() -> None:
    space = HyperSpace()
    with pytest.raises(RuntimeError), space.as_default():
        raise RuntimeError
    with pytest.raises(SpaceError, match="no current space"):
        Unit()


def test_a_space_may_be_given_instead_of_the_current_one() -> None:
    space = HyperSpace()
    x = Input(space=space)
    Unit({"units": Choice([1, 2], space=space)}, space=space)(x)
    assert len(list(space.every_architecture())) == 2


def test_two_threads_may_author_at_once() -> None:
    spaces = [HyperSpace(str(k)) for k in range(2)]
    turn = threading.Barrier(2, timeout=60)
    made: list[ModuleSpace] = []

    def author(space: HyperSpace) -> None:
        with space.as_default():
            x: ModuleSpace = Input()
            for _ in range(20):
                turn.wait()  # step by step, side by side
                x = Unit({"units": Choice([1, 2])})(x)
                made.append(x)

    threads = [threading.Thread(target=author, args=(space,)) for space in spaces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 40
    for space in spaces:
        assert [m.name for m in space.modules[1:]] == [f"Module_Unit_{k}" for k in range(1, 21)]
        assert len(space.sample(0).graph) == 21


def test_two_asyncio_tasks_may_author_at_once() -> None:
    async def author(space: HyperSpace) -> None:
        with space.as_default():
            x: ModuleSpace = Input()
            for _ in range(20):
                await asyncio.sleep(0)  # lets the other task go on
                x = Unit()(x)
                assert x.space is space

    async def both(spaces: list[HyperSpace]) -> None:
        await asyncio.gather(*map(author, spaces))

    spaces = [HyperSpace(), HyperSpace()]
    asyncio.run(both(spaces))
    assert [len(space.sample(0).graph) for space in spaces] == [21, 21]


def test_many_threads_may_sample_one_space() -> None:
    space = HyperSpace()
    with space.as_default():
        Unit({"units": Int(1, 1000)})(Input())
    found: list[dict[str, int]] = []

    def sample() -> None:
        found.append(space.sample(3).decisions)

    threads = [threading.Thread(target=sample) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(decisions == found[0] for decisions in found)


# --- layers as arguments, shared layers -------------------------------------


def test_a_layer_may_be_an_argument_and_its_hyperparameters_count() -> None:
    space = HyperSpace()
    with space.as_default():
        cells = [Unit({"units": Choice([4, 8], name=f"w{k}")}, name=f"cell{k}") for k in range(2)]
        x = Unit({"units": Choice([1, 2], name="early")}, name="before")(Input())
        Wrapper({"cells": cells, "merge": "sum"}, name="rnn")(x)
    # the cells stand where the wrapper stands, so their widths come after what is before it
    assert [d.name for d in space.decisions] == ["early", "w0", "w1"]
    graph = space.architecture({"early": 1, "w0": 8, "w1": 4}).graph
    assert [node.name for node in graph][2:] == ["rnn"]
    assert graph["rnn"].arguments["cells"] == [
        LayerSpec("Unit", {"units": 8}, "cell0"),
        LayerSpec("Unit", {"units": 4}, "cell1"),
    ]
    assert space.w0.label == "cell0.units"


def test_the_decisions_of_an_argument_are_asked_only_where_it_is_used() -> None:
    space = HyperSpace()
    with space.as_default():
        wrapped = Wrapper({"layer": Wrapper({"layer": Unit({"units": Int(1, 2, name="w")})})})
        Or([wrapped, Identity()], hp_or=Choice([0, 1], name="or"))(Input())
    assert set(space.architecture({"or": 0, "w": 2}).decisions) == {"or", "w"}
    assert set(space.architecture({"or": 1}).decisions) == {"or"}


def test_a_shared_layer_stands_at_two_places_with_one_set_of_weights() -> None:
    space = HyperSpace()
    with space.as_default():
        a, b = Input(name="a"), Input(name="b")
        first = Unit({"units": Choice([1, 2], name="width")}, name="tower")
        second = first.share(name="again")
        Merge(name="m")([first(a), second(b), first.share()(a)])
    graph = space.architecture({"width": 2}).graph
    assert [(n.name, n.weights, n.arguments) for n in graph if n.layer == "Unit"] == [
        ("tower", "tower", {"units": 2}),
        ("again", "tower", {"units": 2}),
        ("Module_Unit_1", "tower", {"units": 2}),
    ]
    assert graph["again"].inputs == ("b",)


# --- values computed --------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "integer"),
    [(102.4, 102), (62.5, 62), (64.0, 64), (63.9999999, 64), (64.0000001, 64), (-1.5, -1)],
)
def test_a_float_that_stands_for_an_integer_becomes_one(value: float, integer: int) -> None:
    space = HyperSpace()
    with space.as_default():
        computed = Dynamic(lambda x: value, x=Bool())
        Unit({"units": computed, "kernel_size": [computed, 3], "rate": computed})(Input())
    arguments = space.sample(0).graph.nodes[-1].arguments
    assert arguments == {"units": integer, "kernel_size": [integer, 3], "rate": value}
    assert type(arguments["units"]) is int


def test_a_dynamic_may_depend_on_another_and_on_plain_values() -> None:
    space = HyperSpace()
    with space.as_default():
        base = Int(1, 3, name="base")
        double = Dynamic(lambda base, factor: base * factor, base=base, factor=2)
        Unit({"units": Dynamic(lambda double, base: double + base, double=double, base=base)})(
            Input()
        )
    assert space.architecture({"base": 3}).graph.nodes[-1].arguments == {"units": 9}


def test_a_cascade_chooses_which_hyperparameter_comes_next() -> None:
    space = HyperSpace()
    with space.as_default():
        narrow, wide = Choice([1, 2], name="narrow"), Choice([10, 20], name="wide")
        options = {"narrow": narrow, "wide": wide, "fixed": 5}
        kind = Choice(list(options), name="kind")
        Unit({"units": Cascade(lambda kind: options[kind], kind=kind)})(Input())
    assert space.architecture({"kind": "wide", "wide": 20}).graph.nodes[-1].arguments == {
        "units": 20
    }
    found = [a.decisions for a in space.every_architecture()]
    assert found == [
        {"kind": "narrow", "narrow": 1},
        {"kind": "narrow", "narrow": 2},
        {"kind": "wide", "wide": 10},
        {"kind": "wide", "wide": 20},
        {"kind": "fixed"},
    ]


def test_a_cascade_over_a_continuous_hyperparameter_is_asked_as_it_is_needed() -> None:
    space = HyperSpace()
    with space.as_default():
        small, large = Choice([1, 2], name="small"), Choice([10, 20], name="large")
        rate = Real(0, 1, name="rate")
        Unit({"units": Cascade(lambda rate: small if rate < 0.5 else large, rate=rate)})(Input())
    assert space.architecture({"rate": 0.25, "small": 2}).graph.nodes[-1].arguments["units"] == 2
    assert space.architecture({"rate": 0.75, "large": 20}).graph.nodes[-1].arguments["units"] == 20


def test_training_is_searched_but_is_no_part_of_the_network() -> None:
    space = HyperSpace()
    with space.as_default():
        space.set_training(batch_size=Choice([16, 32], name="batch"), epochs=3)
        Unit({"units": 1})(Input())
    a, b = space.every_architecture()
    assert a.training == {"batch_size": 16, "epochs": 3}
    assert b.training == {"batch_size": 32, "epochs": 3}
    assert a.signature == b.signature
    assert a != b


# --- long programs ----------------------------------------------------------


def test_a_chain_of_3000_layers_works() -> None:
    space = HyperSpace()
    with space.as_default():
        x: ModuleSpace = Input(name="in")
        for k in range(3000):
            x = Unit({"units": 1}, name=f"u{k}")(x)
    graph = space.sample(0).graph
    assert len(graph) == 3001
    assert graph["u2999"].inputs == ("u2998",)


def test_a_chain_of_3000_dynamics_works() -> None:
    space = HyperSpace()
    with space.as_default():
        link: Choice | Dynamic = Choice([1, 2], name="first")
        for _ in range(3000):
            link = Dynamic(lambda x: x + 1, x=link)
        Unit({"units": link})(Input())
    assert space.architecture({"first": 2}).graph.nodes[-1].arguments == {"units": 3002}


def test_a_chain_of_500_cascades_works() -> None:
    space = HyperSpace()
    with space.as_default():
        link: Choice | Cascade = Choice([1, 2], name="first")
        for _ in range(500):
            link = Cascade(lambda x: x + 1, x=link)
        Unit({"units": link})(Input())
    assert space.architecture({"first": 2}).graph.nodes[-1].arguments == {"units": 502}


def test_ops_1000_deep_work() -> None:
    space = HyperSpace()
    with space.as_default():
        inner: ModuleSpace = Unit(name="inner")
        for _ in range(1000):
            inner = Sequential([inner])
        inner(Input(name="in"))
    assert space.sample(0).graph["inner"].inputs == ("in",)
