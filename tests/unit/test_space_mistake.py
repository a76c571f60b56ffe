# ruff: noqa: E501 - a table reads best with one row a line
"""Mistakes in definitions: each is caught at the earliest moment, with a message in four parts.

The rule, where it was broken, what was received, and what to do.
"""

import contextvars
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hypernets.domain.error import BuildError, HypernetsError, SpaceError
from hypernets.domain.space import (
    Bool,
    Cascade,
    Choice,
    ConnectLooseEnd,
    Dynamic,
    HyperInput,
    HyperSpace,
    Identity,
    InputChoice,
    Int,
    LayerModule,
    ModuleSpace,
    MultipleChoice,
    Optional,
    Or,
    Permutation,
    Real,
    Repeat,
    Sequential,
)


class Input(LayerModule):
    is_input = True


class Unit(LayerModule):
    pass


class Wrapper(LayerModule):
    pass


# When a mistake is caught: while the program writes, when the space is first used, when decisions
# are made, when the network is resolved.
WRITING, FREEZING, DECIDING, RESOLVING = "writing", "freezing", "deciding", "resolving"


@dataclass
class Mistake:
    """A program with a mistake, and what its message must say."""

    write: Callable[[HyperSpace], Any]
    rule: str
    where: str
    received: str
    advice: str
    moment: str = WRITING
    error: type[HypernetsError] = SpaceError
    choose: Callable[[Any], Any] = lambda decision: decision.value_at(0)
    use: Callable[[HyperSpace], Any] | None = None


def fed(module: ModuleSpace) -> ModuleSpace:
    """Feed a module from an input, in the current space."""
    return module(Input(name="image"))


def other_choice() -> Choice:
    with HyperSpace().as_default():
        return Choice([1, 2], name="foreign")


def other_unit() -> Unit:
    with HyperSpace().as_default():
        return Unit(name="foreign")


def outside(make: Callable[[], Any]) -> Callable[[HyperSpace], Any]:
    """Run in a context of its own, with no current space."""
    return lambda space: contextvars.Context().run(make)


def in_own_subgraph(_: HyperSpace) -> None:
    inner = Unit(name="inner")
    op = Or([inner, Unit()], name="either")
    inner(op)


def cycle(_: HyperSpace) -> None:
    a, b = fed(Unit(name="a")), Unit(name="b")
    b(a)
    a(b)


def shared_region(_: HyperSpace) -> None:
    one = Unit(name="one")
    x = fed(Or([one, Unit()], name="first"))
    Or([one, Unit()], name="second")(x)


def joined_region(_: HyperSpace) -> None:
    a = Unit(name="a")
    b = Unit(name="b")(a)
    fed(Or([a, b], name="either"))


def forgotten(_: HyperSpace) -> None:
    fed(Unit(name="first"))
    Unit(name="lonely")


def astray(space: HyperSpace) -> None:
    x = Input()
    y = Unit(name="used")(x)
    Unit(name="dangling")(x)
    space.set_inputs(x)
    space.set_outputs(y)


def set_nested(space: HyperSpace) -> None:
    inner = Unit(name="inner")
    fed(Or([inner, Unit()], name="either"))
    space.set_outputs(inner)


def not_called(_: HyperSpace) -> None:
    x = Input()
    choice = InputChoice([Unit()(x), Unit()(x)], name="pick")
    Unit()([choice, x])


def called_on_others(_: HyperSpace) -> None:
    x = Input()
    a, b = Unit()(x), Unit()(x)
    Unit()(InputChoice([a, b], name="pick")([b, a]))


def loose_not_called(_: HyperSpace) -> None:
    x = Input()
    Unit()([ConnectLooseEnd([Unit()(x)], name="ends"), x])


def after_use(space: HyperSpace) -> None:
    x = fed(Unit())
    space.freeze()
    Unit(name="late")(x)


def connect_after_use(space: HyperSpace) -> None:
    x = fed(Unit(name="first"))
    space.freeze()
    x(x.inputs[0])


def argument_connected(_: HyperSpace) -> None:
    inner = Unit(name="cell")
    x = fed(Wrapper({"layer": inner}))
    inner(x)


def connected_argument(_: HyperSpace) -> None:
    inner = fed(Unit(name="cell"))
    Wrapper({"layer": inner}, name="wrapper")


def argument_feeds(_: HyperSpace) -> None:
    inner = Unit(name="cell")
    Unit()(inner)
    fed(Wrapper({"layer": inner}))


def argument_in_op(_: HyperSpace) -> None:
    inner = Unit(name="cell")
    Wrapper({"layer": inner})
    Optional(inner, name="maybe")


def circle(_: HyperSpace) -> None:
    found: dict[str, Any] = {}
    for name, other in (("a", "b"), ("b", "a")):
        found[name] = Cascade(lambda x, other=other: found[other], name=name, x=Bool())
    fed(Unit({"units": found["a"]}))


def with_units(value: Callable[[], Any]) -> Callable[[HyperSpace], Any]:
    return lambda space: fed(Unit({"units": value()}, name="dense"))


def with_decisions(decisions: Any) -> dict[str, Any]:
    def write(space: HyperSpace) -> None:
        width = Int(1, 9, name="width")
        single = Choice([5], name="single")
        inner = Unit({"units": width})
        x = fed(Or([inner, Unit({"x": single})], hp_or=Choice([0, 1], name="branch")))
        Unit()(x)

    return {"write": write, "moment": DECIDING, "use": lambda s: s.architecture(decisions)}


def seeded(seed: Any) -> dict[str, Any]:
    return {"write": lambda s: fed(Unit()), "moment": DECIDING, "use": lambda s: s.sample(seed)}


def raising(x: int) -> int:
    raise ZeroDivisionError("oops")


def raising_sometimes(x: int) -> int:
    return 1 // (x - 1)


def cut(_: HyperSpace) -> None:
    Unit(name="after")(fed(Optional(Unit(), name="maybe")))


def cut_output(_: HyperSpace) -> None:
    fed(Optional(Unit(), name="maybe"))


def doubled_name(_: HyperSpace) -> None:
    Unit(name="dense")
    Identity(name="dense")


def automatic_name(_: HyperSpace) -> None:
    Unit()
    Choice([1, 2], name="Module_Unit_1")


def partial_dynamic(_: HyperSpace) -> None:
    fed(Unit({"units": Dynamic(raising_sometimes, name="computed", x=Int(1, 2))}))


def dynamic_selector(value: Any) -> Callable[[HyperSpace], Any]:
    def write(_: HyperSpace) -> None:
        selector = Dynamic(lambda x: value, name="computed", x=Bool())
        fed(Or([Unit(), Unit()], hp_or=selector, name="either"))

    return write


MISTAKES = {
    # options and bounds
    "no options": Mistake(lambda s: Choice([], name="size"), "at least one", "'size'", "empty", "list the values"),
    "equal options": Mistake(lambda s: Choice([1, 2, 1]), "all be different", "Choice", "1 at positions 0 and 2", "leave one out"),
    "equal tuples": Mistake(lambda s: Choice([(1, [2]), (1, [2])]), "all be different", "Choice", r"\(1, \[2\]\)", "leave one out"),
    "a string for a list": Mistake(lambda s: Choice("relu", name="act"), "must be a list", "'act'", "'relu' of type str", "put the values in"),
    "a set for a list": Mistake(lambda s: MultipleChoice({1, 2}), "must be a list", "MultipleChoice", "of type set", "put the values in"),
    "a hyperparameter as an option": Mistake(lambda s: Choice([1, Int(1, 2, name="inner")]), "plain values", "Choice", "'inner'", "use Cascade"),
    "too many chosen": Mistake(lambda s: MultipleChoice([1, 2], 3, name="some"), "from 1 to 2", "'some'", "received 3", "give 0 for any number"),
    "reversed bounds": Mistake(lambda s: Int(5, 1, name="width"), "low must be <= high", "'width'", "low=5, high=1", "swap them"),
    "reversed real bounds": Mistake(lambda s: Real(0.5, 0.1), "low must be <= high", "Real", "low=0.5, high=0.1", "swap them"),
    "zero step": Mistake(lambda s: Int(1, 5, 0), "step must be >= 1", "Int", "received 0", "leave it out"),
    "zero real step": Mistake(lambda s: Real(0, 1, step=0, name="rate"), "positive number", "'rate'", "received 0", "leave it out"),
    "a float for an integer": Mistake(lambda s: Int(1.5, 3), "low must be an integer", "Int", "received 1.5", "use Real"),
    "infinite bound": Mistake(lambda s: Real(0, math.inf), "high must be a finite number", "Real", "received inf", "give the bound"),
    "nan bound": Mistake(lambda s: Real(math.nan, 1), "low must be a finite number", "Real", "received nan", "give the bound"),
    "log_uniform from 0": Mistake(lambda s: Real(0, 1, prior="log_uniform", name="lr"), "start above 0", "'lr'", "low=0", "values, not exponents"),
    "unknown prior": Mistake(lambda s: Real(0, 1, prior="normal"), "'uniform' or 'log_uniform'", "prior", "received 'normal'", "leave it out"),
    "too fine a grid": Mistake(lambda s: Real(0, 1, 1e-9), "at most 10,000,000 values", "Real", "1000000001", "leave step out"),
    # the space
    "a module outside a space": Mistake(outside(lambda: Unit()), "inside a search space", "module Unit", "no current space", "as_default"),
    "a hyperparameter outside a space": Mistake(outside(lambda: Choice([1])), "inside a search space", "hyperparameter Choice", "no current space", "as_default"),
    "a module of another space": Mistake(lambda s: Unit(name="mine")(other_unit()), "must be made in it", "call of 'mine'", "Unit 'foreign' of another space", "make it anew"),
    "a hyperparameter of another space": Mistake(lambda s: Unit({"units": other_choice()}, name="mine"), "must be made in it", "'mine', argument 'units'", "Choice 'foreign' of another space", "make it anew"),
    "a choice kept from another space": Mistake(lambda s: Or([Unit(), Unit()], hp_or=other_choice(), name="mine"), "must be made in it", "'mine', argument 'hp_or'", "'foreign' of another space", "hp_dict"),
    "an alternative of another space": Mistake(lambda s: Or([other_unit()], name="mine"), "must be made in it", "module_list of 'mine'", "'foreign'", "make it anew"),
    "a dependency of another space": Mistake(lambda s: Dynamic(lambda x: x, x=other_choice()), "must be made in it", "argument 'x'", "'foreign'", "make it anew"),
    "a name used twice": Mistake(doubled_name, "names must be unique", "for a Identity", "'dense'", "choose another name"),
    "a name made up already": Mistake(automatic_name, "names must be unique", "for a Choice", "'Module_Unit_1'", "choose another name"),
    "an empty name": Mistake(lambda s: Unit(name=""), "name must be a string", "Unit", "received ''", "leave it out"),
    "an empty space": Mistake(lambda s: None, "at least one module", "space", "0 modules", "create modules", FREEZING),
    "a change after use": Mistake(after_use, "must not change", "Unit late", "after its first use", "author everything before"),
    "a connection after use": Mistake(connect_after_use, "must not change", "'first'", "after its first use", "author everything before"),
    # connections
    "called on no module": Mistake(lambda s: Unit(name="dense")(3), "must be called on a module", "'dense'", "received 3", "give what feeds it"),
    "called on a list of no modules": Mistake(lambda s: Unit(name="dense")(["x"]), "must be called on modules", "'dense'", "'x' of type str", "give what feeds it"),
    "called on nothing": Mistake(lambda s: Unit(name="dense")([]), "must be called on a module", "'dense'", r"received \[\]", "give what feeds it"),
    "called on itself": Mistake(lambda s: (u := Unit(name="dense"))(u), "must not form a cycle", "'dense'", "into itself", "call it on what comes before"),
    "a cycle by calls": Mistake(cycle, "must not form a cycle", "among", "'a', 'b'", "take out the call", FREEZING),
    "an op in its own subgraph": Mistake(in_own_subgraph, "own subgraph", "cycle through", "'either'", "connect what follows", FREEZING),
    "overlapping subgraphs": Mistake(shared_region, "must not overlap", "of 'second'", "'one'", "make one for each place", FREEZING),
    "connected alternatives": Mistake(joined_region, "must not overlap", "place 1 of 'either'", "'b'", "make one for each place", FREEZING),
    "a forgotten module": Mistake(forgotten, "must be connected", "connected to nothing", "'lonely'", "call it on what feeds it", FREEZING),
    "a module on no path": Mistake(astray, "path from an input to an output", "on none", "'dangling'", "connect it", FREEZING),
    "an end in a subgraph": Mistake(set_nested, "top level", "set_outputs", "'inner'", "name the op", FREEZING),
    "ends that are no modules": Mistake(lambda s: s.set_inputs(5), "at least one module", "set_inputs", "received 5", "give a module"),
    "a layer without input": Mistake(lambda s: Unit(name="dense"), "must be fed", "in any architecture", "'dense' with no input", "call it", FREEZING),
    "an op without input": Mistake(lambda s: Unit()(Or([Unit(name="inner"), Unit()])), "must be fed", "in any architecture", "'inner' with no input", "or the op that holds it", FREEZING),
    "an input that is fed": Mistake(lambda s: fed(Input(name="second")), "must not be fed", "fed by 'image'", "'second'", "other way round", FREEZING),
    "an input in a subgraph that is fed": Mistake(lambda s: fed(Or([Input(name="second"), Unit()], name="either")), "must not be fed", "subgraph of 'either'", "'second'", "HyperInput", FREEZING),
    # ops
    "no alternatives": Mistake(lambda s: Or([], name="either"), "at least one module", "'either'", "empty list", "leave the op out"),
    "a module for a list": Mistake(lambda s: Permutation(Unit(name="dense"), name="order"), "list of modules", "'order'", "'dense'", r"put the modules in \[ \]"),
    "a string for a module": Mistake(lambda s: Sequential(["Dense"], name="chain"), "modules only", "'chain'", "'Dense' of type str", "wrap it in a layer"),
    "hp_or out of range": Mistake(lambda s: Or([Unit(), Unit()], hp_or=Choice([0, 2], name="branch"), name="either"), "from 0 to 1", "'either': hp_or", "received 2 from <Choice 'branch'>", "give only values"),
    "a constant hp_or out of range": Mistake(lambda s: Or([Unit(), Unit()], hp_or=-1, name="either"), "from 0 to 1", "'either': hp_or", "received -1", "give only values"),
    "a continuous hp_or": Mistake(lambda s: Or([Unit(), Unit()], hp_or=Real(0, 1, name="r"), name="either"), "must be finite", "'either': hp_or", "<Real 'r'>", "use Choice or Int"),
    "hp_or computed out of range": Mistake(dynamic_selector(7), "from 0 to 1", "'either': hp_or", "received 7 from <Dynamic 'computed'>", "give only values", DECIDING),
    "hp_or computed below 0": Mistake(dynamic_selector(-1), "from 0 to 1", "'either': hp_or", "received -1", "give only values", DECIDING),
    "hp_opt that is no answer": Mistake(lambda s: Optional(Unit(), hp_opt=Choice(["yes", "no"]), name="maybe"), "True or False", "'maybe': hp_opt", "received 'yes'", "give only values"),
    "hp_seq that is no order": Mistake(lambda s: Permutation([Unit(), Unit()], hp_seq=Choice([(0, 1), (0, 0)]), name="order"), "an order of the positions 0 to 1", "'order': hp_seq", r"received \(0, 0\)", "give only values"),
    "hp_repeat_num beyond what is built": Mistake(lambda s: Repeat(lambda k: Unit(), [1, 2], hp_repeat_num=Int(1, 3), name="times"), "from 0 to 2", "'times': hp_repeat_num", "received 3", "give only values"),
    "hp_choice beyond the inputs": Mistake(lambda s: InputChoice([Unit()], hp_choice=MultipleChoice([0, 1]), name="pick"), "positions from 0 to 0", "'pick': hp_choice", r"received \[1\]", "give only values"),
    "no inputs to choose from": Mistake(lambda s: InputChoice([], name="pick"), "at least one module", "'pick'", r"received \[\]", "give the modules"),
    "inputs that are no modules": Mistake(lambda s: InputChoice([1], name="pick"), "modules only", "'pick'", "received 1 of type int", "give the modules"),
    "an InputChoice not called": Mistake(not_called, "must be called on the modules", "'pick'", "2 to choose from and 0 in the call", r"InputChoice\(inputs, ...\)\(inputs\)", FREEZING),
    "an InputChoice called on others": Mistake(called_on_others, "must be called on the modules", "'pick'", "other ones", r"InputChoice\(inputs, ...\)\(inputs\)", FREEZING),
    "a ConnectLooseEnd not called": Mistake(loose_not_called, "must be called on the modules", "'ends'", "no call", r"ConnectLooseEnd\(inputs\)\(inputs\)", FREEZING),
    "a Repeat function that returns None": Mistake(lambda s: Repeat(lambda k: None, [1], name="times"), "must return a module", "'times'", "received None for step 0", "return module"),
    "a Repeat of no function": Mistake(lambda s: Repeat(Unit(), [1], name="times"), "must be a function", "'times'", "<Unit", "write lambda step"),
    "a negative number of repeats": Mistake(lambda s: Repeat(lambda k: Unit(), [-1], name="times"), "integers >= 0", "'times'", "received -1", "0 passes on"),
    "no numbers of repeats": Mistake(lambda s: Repeat(lambda k: Unit(), [], name="times"), "at least one number", "'times'", r"received \[\]", "give the numbers"),
    # functions
    "a Dynamic of other keywords": Mistake(lambda s: Dynamic(lambda units: units, name="double", x=Bool()), r"must take the keywords \['x'\]", "Dynamic 'double'", r"a function of \(units\)", "give both the same names"),
    "a Dynamic of no function": Mistake(lambda s: Dynamic(3, name="double"), "must be a function", "Dynamic 'double'", "received 3", "write lambda"),
    "a Dynamic that raises": Mistake(with_units(lambda: Dynamic(raising, name="broken", x=Int(1, 3))), "must return a value", "Dynamic 'broken'", "received ZeroDivisionError: oops for every assignment", "mend the function", FREEZING),
    "a Dynamic that raises at times": Mistake(partial_dynamic, "must return a value", "Dynamic 'computed'", "received ZeroDivisionError.* for x=1", "mend the function", RESOLVING, BuildError),
    "a Dynamic that returns a hyperparameter": Mistake(with_units(lambda: Dynamic(lambda x: s, name="next", x=Bool()) if (s := Int(1, 2)) else None), "plain value", "Dynamic 'next'", "<Int", "use Cascade", RESOLVING, BuildError),
    "Cascades in a circle": Mistake(circle, "in a circle", "through 'b'", "received 'a'", "end it in another", RESOLVING),
    # arguments
    "units that are a word": Mistake(with_units(lambda: "abc"), "units must be an integer", "'dense'", "received 'abc' of type str", "give a number", FREEZING),
    "units with a fraction": Mistake(with_units(lambda: 3.5), "units must be an integer", "'dense'", "received 3.5", "give a number", FREEZING),
    "units that are True": Mistake(with_units(lambda: True), "units must be an integer", "'dense'", "received True", "give a number", FREEZING),
    "an option that is a word": Mistake(with_units(lambda: Choice([3, "abc"], name="width")), "units must be an integer", "'dense'", "received 'abc' of type str", "give a number.*option of 'width'", FREEZING),
    "computed units that are nan": Mistake(with_units(lambda: Dynamic(lambda x: math.nan, x=Bool())), "units must be an integer", "'dense'", "received nan", "give a number", RESOLVING, BuildError),
    "computed units that are a word": Mistake(with_units(lambda: Dynamic(lambda x: "abc", x=Bool())), "units must be an integer", "'dense'", "received 'abc'", "give a number", RESOLVING, BuildError),
    "computed units that are infinite": Mistake(with_units(lambda: Dynamic(lambda x: math.inf, x=Bool())), "units must be an integer", "'dense'", "received inf", "give a number", RESOLVING, BuildError),
    "an argument that is connected": Mistake(argument_connected, "must not be connected", "the call of 'cell'", "received 'cell'", "make another layer"),
    "a connected layer as an argument": Mistake(connected_argument, "must not be connected", "an argument of 'wrapper'", "'cell', fed by 'image'", "feed 'wrapper' instead"),
    "an argument that feeds": Mistake(argument_feeds, "must not be connected", "connected into", "received 'cell'", "make another layer", FREEZING),
    "an argument in an op": Mistake(argument_in_op, "must not hold a layer used as an argument", "'maybe'", "received 'cell'", "make another layer"),
    "an op as an argument": Mistake(lambda s: Wrapper({"layer": HyperInput(name="entry")}, name="wrapper"), "may be a layer, but no op", "argument of 'wrapper'", "'entry'", "before or after the layer"),
    # decisions
    "decisions that are no mapping": Mistake(**with_decisions([1]), rule="must be a mapping", where="decisions", received=r"received \[1\]", advice="give a dict"),
    "a missing decision": Mistake(**with_decisions({"branch": 0}), rule="every active hyperparameter", where="'width'", received="received none", advice="add one of 1 to 9"),
    "an unknown decision": Mistake(**with_decisions({"branch": 0, "width": 1, "depth": 3}), rule="active hyperparameters only", where="which no decision has", received="received 'depth'", advice="leave it out"),
    "an inactive decision": Mistake(**with_decisions({"branch": 1, "width": 1}), rule="active hyperparameters only", where="this architecture does not need", received="received 'width'", advice="leave it out"),
    "a value for what is no decision": Mistake(**with_decisions({"branch": 1, "single": 5}), rule="active hyperparameters only", where="which is no decision", received="received 'single'", advice="leave it out"),
    "an illegal value": Mistake(**with_decisions({"branch": 0, "width": 10}), rule="must be one of 1 to 9", where="units", received="received 10", advice="choose one of these"),
    "a negative seed": Mistake(**seeded(-1), rule="integer >= 0", where="seed", received="received -1", advice="leave it out"),
    "a seed with a fraction": Mistake(**seeded(1.5), rule="integer >= 0", where="seed", received="received 1.5", advice="leave it out"),
    "a word for a seed": Mistake(**seeded("abc"), rule="integer >= 0", where="seed", received="received 'abc'", advice="leave it out"),
    "a chooser that answers what is no value": Mistake(with_units(lambda: Int(1, 3)), "must be one of 1 to 3", "'dense.units'", "received 4", "choose one of these", DECIDING, choose=lambda decision: 4),
    # networks
    "a layer that is cut off": Mistake(cut, "a layer must be fed", "cut off in this architecture", "received 'after'", "keep_link=True", RESOLVING, BuildError),
    "an output that is cut off": Mistake(cut_output, "an output must have a value", "from 'maybe'", "received none", "keep_link=True", RESOLVING, BuildError),
}  # fmt: skip


def moments(mistake: Mistake, space: HyperSpace) -> list[tuple[str, Callable[[], Any]]]:
    def write() -> None:
        with space.as_default():
            mistake.write(space)

    def decide() -> Any:
        return mistake.use(space) if mistake.use else space.decide(mistake.choose)

    return [
        (WRITING, write),
        (FREEZING, space.freeze),
        (DECIDING, decide),
        (RESOLVING, lambda: decide().graph),
    ]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_caught_early_with_a_message_in_four_parts(name: str) -> None:
    mistake = MISTAKES[name]
    space = HyperSpace()
    for moment, act in moments(mistake, space):
        if moment != mistake.moment:
            act()  # not before its moment
            continue
        with pytest.raises(mistake.error) as caught:
            act()
        break
    assert type(caught.value) is mistake.error
    message = str(caught.value)
    for part in (mistake.rule, mistake.where, mistake.received, mistake.advice):
        assert re.search(part, message), f"{part!r} is not in {message!r}"
    assert "received" in message
    assert len(message) < 500


def test_a_mistake_in_a_definition_is_a_value_error() -> None:
    assert issubclass(SpaceError, ValueError)
    assert len(MISTAKES) >= 40


def test_a_space_that_cannot_be_frozen_stays_open_to_be_mended() -> None:
    space = HyperSpace()
    with space.as_default():
        x = Input()
        dense = Unit(name="dense")
        Unit()(x)
        with pytest.raises(SpaceError, match="connected to nothing"):
            space.freeze()
        dense(x)
    assert [node.name for node in space.sample(0).graph][1:] == ["dense", "Module_Unit_1"]
