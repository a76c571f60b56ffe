"""Fingerprints: what makes a space another one, and what does not."""

import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hypernets.domain.space import (
    Cascade,
    Choice,
    Constant,
    Dynamic,
    HyperSpace,
    Identity,
    InputChoice,
    Int,
    LayerModule,
    MultipleChoice,
    Optional,
    Or,
    Permutation,
    Real,
)


class Input(LayerModule):
    is_input = True


class Unit(LayerModule):
    pass


class Other(LayerModule):
    pass


class Merge(LayerModule):
    pass


def fingerprint(write: Callable[[], Any]) -> str:
    space = HyperSpace()
    with space.as_default():
        write()
    return space.fingerprint


def program(
    layer: type[LayerModule] = Unit,
    name: str = "units",
    options: Any = (1, 2),
    bias: Any = True,
    keep_link: bool = True,
    swapped: bool = False,
    shared: bool = False,
    training: Any = 0.1,
    label: str | None = None,
    kind: Callable[..., Any] = Choice,
) -> None:
    from hypernets.domain.space.context import current_space

    x = Input({"shape": (4,)}, name=label and f"{label}_x")
    first = layer({"kind": kind(options, name=name), "bias": bias}, name=label)(x)
    again = first.share() if shared else layer(dict(first.arguments))
    second = again(Optional(Unit(), keep_link=keep_link, name=label and f"{label}_opt")(first))
    Merge()([second, first] if swapped else [first, second])
    current_space("here").set_training(rate=training)


def test_a_space_made_anew_has_the_same_fingerprint() -> None:
    assert fingerprint(program) == fingerprint(program)


def test_a_fingerprint_is_what_it_was_when_this_was_written() -> None:
    """Stored ones would be refused: raise the version when they have to change."""
    assert fingerprint(program) == "1-dd821164818a35baa268caa3757a4cde"


@pytest.mark.parametrize(
    "change",
    [
        {"label": "renamed"},
        {"options": [1, 2]},
        {"training": Constant},
        pytest.param({"bias": lambda: Choice([True])}, id="bias"),  # str differs in each process
    ],
    ids=str,
)
def test_what_means_the_same_has_the_same_fingerprint(change: dict[str, Any]) -> None:
    def changed() -> None:
        made = dict(change)
        if made.get("training") is Constant:
            made["training"] = Constant(0.1)
        if "bias" in made:
            made["bias"] = made["bias"]()
        program(**made)

    assert fingerprint(changed) == fingerprint(program)


@pytest.mark.parametrize(
    "change",
    [
        {"layer": Other},
        {"name": "width"},
        {"options": (2, 1)},
        {"options": (1, 2, 3)},
        {"options": (1.0, 2.0)},
        {"options": (False, True)},
        {"bias": False},
        {"bias": [True]},
        {"keep_link": False},
        {"swapped": True},
        {"shared": True},
        {"training": 0.2},
        {"kind": MultipleChoice},
    ],
    ids=str,
)
def test_what_means_something_else_has_another_fingerprint(change: dict[str, Any]) -> None:
    assert fingerprint(lambda: program(**change)) != fingerprint(program)


@pytest.mark.parametrize(
    "decisions",
    [
        [lambda: Int(1, 9), lambda: Int(1, 8), lambda: Int(1, 9, 2), lambda: Int(0, 9)],
        [
            lambda: Real(1, 9),
            lambda: Real(1, 8),
            lambda: Real(1, 9, step=1),
            lambda: Real(1, 9, prior="log_uniform"),
        ],
        [lambda: MultipleChoice([1, 2, 3]), lambda: MultipleChoice([1, 2, 3], 2)],
        [lambda: Choice([(1, 2), 3]), lambda: Choice([(1, 3), 3]), lambda: Choice(["(1, 2)", 3])],
        [lambda: Choice([len, max]), lambda: Choice([len, min]), lambda: Choice(["len", "max"])],
    ],
)
def test_decisions_of_other_values_are_told_apart(decisions: list[Callable[[], Any]]) -> None:
    found = [fingerprint(lambda make=make: Identity(a=make())) for make in decisions]
    assert len(set(found)) == len(found)


def test_options_that_do_not_say_what_they_are_made_of_count_by_their_kind() -> None:
    def locked(n: int) -> str:
        return fingerprint(lambda: Identity(a=Choice([threading.Lock() for _ in range(n)])))

    assert locked(2) == locked(2) != locked(3)


def test_structures_are_told_apart() -> None:
    def choosing(order: int, most: int) -> None:
        x = Input({"shape": (4,)})
        ends = [Unit({"k": 1})(x), Other({"k": 2})(x)][::order]
        Merge()(InputChoice(ends, most)(ends))

    writes = [
        lambda: Or([Unit({"k": 1}), Other({"k": 2})])(Input({"shape": (4,)})),
        lambda: Or([Other({"k": 2}), Unit({"k": 1})])(Input({"shape": (4,)})),
        lambda: Permutation([Unit({"k": 1}), Other({"k": 2})])(Input({"shape": (4,)})),
        lambda: Permutation([Other({"k": 2}), Unit({"k": 1})])(Input({"shape": (4,)})),
        lambda: Other({"k": 2})(Unit({"k": 1})(Input({"shape": (4,)}))),
        lambda: choosing(1, 1),
        lambda: choosing(-1, 1),
        lambda: choosing(1, 2),
    ]
    found = [fingerprint(write) for write in writes]
    assert len(set(found)) == len(found)


def test_it_matters_which_decision_is_used_where() -> None:
    def uses(order: int) -> None:
        first, second = [Choice([1, 2], name="a"), Choice([1, 2], name="b")][::order]
        Identity(first=first, second=second)

    assert fingerprint(lambda: uses(1)) != fingerprint(lambda: uses(-1))


def test_the_order_of_inputs_and_outputs_matters() -> None:
    def ends(order: int, which: str) -> None:
        sources = [Input({"shape": (4,)}), Input({"shape": (4,)})]
        merged = Merge()(sources)
        sinks = [Unit({"k": 1})(merged), Unit({"k": 2})(merged)]
        merged.space.set_inputs(sources[:: order if which == "inputs" else 1])
        merged.space.set_outputs(sinks[:: order if which == "outputs" else 1])

    for which in ("inputs", "outputs"):
        assert fingerprint(lambda which=which: ends(1, which)) != fingerprint(
            lambda which=which: ends(-1, which)
        )


# --- functions --------------------------------------------------------------


def dynamic(function: Callable[..., Any], options: Any = (1, 2, 3)) -> str:
    return fingerprint(lambda: Identity(a=Dynamic(function, x=Choice(options, name="x"))))


def test_a_function_counts_by_what_it_returns() -> None:
    def doubled(x: int) -> int:
        total = 0
        for _ in range(2):
            total += x
        return total

    assert dynamic(lambda x: 2 * x) == dynamic(doubled)
    assert dynamic(lambda x: 2 * x) != dynamic(lambda x: 2 * x if x < 3 else 7)
    assert dynamic(lambda x: 0.3 * x) == dynamic(lambda x: x * 3 / 10), "but for the last digits"
    assert dynamic(lambda x: 2 * x) != dynamic(lambda x: 2.0 * x)


def test_a_function_that_fails_for_some_values_counts_by_that_too() -> None:
    assert dynamic(lambda x: 6 / (x - 1)) == dynamic(lambda x: 6 / (x - 1) * 1)
    assert dynamic(lambda x: 6 / (x - 1)) != dynamic(lambda x: 6 / max(x - 1, 1))
    assert dynamic(lambda x: 0 // (x - 1)) != dynamic(lambda x: 0 // (x - 2))


def test_a_function_of_a_function_counts_by_what_it_returns() -> None:
    def chain(last: Callable[..., Any]) -> str:
        def write() -> None:
            link = Dynamic(lambda x: x % 2, x=Choice([1, 2, 3], name="x"))
            Identity(a=Dynamic(last, y=link, k=10))

        return fingerprint(write)

    assert chain(lambda y, k: y + k) == chain(lambda k, y: k + y)
    assert chain(lambda y, k: y + k) != chain(lambda y, k: y + k + 1)
    assert chain(lambda y, k: y + k) != chain(lambda y, k: 9 if y else k)
    # 5 is no value of the link
    assert chain(lambda y, k: y + k) == chain(lambda y, k: y + k if y < 5 else 0)


def test_a_function_of_many_values_counts_by_its_version() -> None:
    def of(factor: int, version: Any = None) -> str:
        def function(x: float) -> float:
            return x * factor

        if version is not None:
            function.version = version  # type: ignore[attr-defined]
        return fingerprint(lambda: Identity(a=Dynamic(function, x=Real(0, 1, name="x"))))

    assert of(1) == of(2), "code is never looked at"
    assert of(1, version=1) == of(2, version=1)
    assert of(1, version=1) != of(1, version=2)
    assert of(1, version=1) != of(1)


def test_a_cascade_counts_by_what_it_leads_to() -> None:
    def of(lead: Callable[[list[Any], int], Any]) -> str:
        def write() -> None:
            targets = [Choice([1, 2], name="a"), Int(1, 3, name="b"), 5]
            # all are used in any case, so that the decisions are the same
            cascade = Cascade(lambda i: lead(targets, i), i=Choice([0, 1, 2], name="i"))
            Identity(a=targets[0], b=targets[1], c=cascade)

        return fingerprint(write)

    assert of(lambda t, i: t[i]) == of(lambda t, i: t[:][i])
    assert of(lambda t, i: t[i]) != of(lambda t, i: t[2 - i])
    assert of(lambda t, i: t[i]) != of(lambda t, i: t[i] if i < 2 else 6)


def test_cascades_that_lead_to_each_other_and_to_functions_have_a_fingerprint() -> None:
    def write(offset: int = 0) -> None:
        found: dict[str, Any] = {}
        first = Cascade(lambda i: found["second"] if i else 1, i=Choice([0, 1], name="i"))
        found["second"] = Cascade(lambda j: first if j > 1 else 2, j=Choice([0, 1], name="j"))
        last = Dynamic(lambda k: k + offset, k=Int(0, 3, name="k"))
        late = Cascade(lambda i: last, i=Choice([0, 1], name="l"))
        Identity(a=first, b=late, c=Dynamic(lambda x: x, x=found["second"]))

    assert fingerprint(write) == fingerprint(write) != fingerprint(lambda: write(1))


def test_a_long_chain_of_functions_has_a_fingerprint() -> None:
    def write() -> None:
        link: Any = Choice([1, 2], name="x")
        for k in range(3000):
            link = Dynamic(lambda x, k: x + k, x=link, k=k)
        Identity(a=link)

    assert fingerprint(write).startswith("1-")


def test_a_decision_of_very_many_values_has_a_fingerprint() -> None:
    def of(n: int) -> str:
        return fingerprint(lambda: Permutation([Identity() for _ in range(n)]))

    assert len({of(n) for n in (3, 12, 13)}) == 3
    assert of(12) == of(12)


def test_a_number_that_is_not_finite_has_a_fingerprint() -> None:
    assert dynamic(lambda x: math.inf) == dynamic(lambda x: math.inf) != dynamic(lambda x: math.nan)


def test_a_fingerprint_is_the_same_in_another_process() -> None:
    code = f"import runpy; f = runpy.run_path({__file__!r}); print(f['fingerprint'](f['program']))"
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == fingerprint(program) + "\n"
