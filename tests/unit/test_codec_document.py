"""Architectures as JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SpaceError
from hypernets.domain.space import (
    Choice,
    Constant,
    HyperSpace,
    Identity,
    Int,
    MultipleChoice,
    Optional,
    ParameterSpace,
    Real,
)


def space_of(**arguments: ParameterSpace | Callable[[], ParameterSpace]) -> HyperSpace:
    """Return a space of one module, its arguments made within it."""
    space = HyperSpace()
    with space.as_default():
        made = {k: v() if not isinstance(v, ParameterSpace) else v for k, v in arguments.items()}
        Identity(**made, name="layer")
    return space


def conditional() -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        first = Identity(units=Choice([16, 32], name="units"), name="first")
        kept = Choice([False, True], name="kept")
        second = Identity(rate=Real(0.0, 0.5, name="rate"), name="second")
        Optional(second, keep_link=True, hp_opt=kept, name="op")(first)
    return space


def document(space: HyperSpace, **decisions: Any) -> dict[str, Any]:
    return {
        "format": "hypernets.architecture",
        "version": 1,
        "space": space.fingerprint,
        "decisions": {name: {"value": value} for name, value in decisions.items()},
    }


def read(space: HyperSpace, written: Any) -> Architecture:
    return Architecture.from_json(space, json.dumps(written))


def test_a_document_can_be_read_by_a_person() -> None:
    space = conditional()
    architecture = space.architecture({"units": 32, "kept": True, "rate": 0.25})
    assert architecture.to_json() == (
        "{\n"
        '  "format": "hypernets.architecture",\n'
        '  "version": 1,\n'
        f'  "space": "{space.fingerprint}",\n'
        '  "decisions": {\n'
        '    "units": {"value": 32, "label": "first.units"},\n'
        '    "kept": {"value": true, "label": "op.hp_opt"},\n'
        '    "rate": {"value": 0.25, "label": "second.rate"}\n'
        "  }\n"
        "}\n"
    )


def test_a_space_without_decisions_has_a_document_too() -> None:
    space = space_of(a=lambda: Constant(1))
    assert read(space, json.loads(space.sample(0).to_json())) == space.sample(0)


class Kind(Enum):
    A = 1
    B = 2


@pytest.mark.parametrize(
    "options",
    [
        [(3, 3), (5, 5)],
        [(3, 3), [3, 3], "(3, 3)"],
        [1, 1.5, True, None, "1"],
        [0.1, 1e-300, 1 / 3, 2.0],
        [float("nan"), float("inf"), 0.0],
        [Kind.A, Kind.B],
        pytest.param([len, max, lambda x: x], id="functions"),  # repr differs in each process
        [{1: 2}, {"1": 2}],
        [b"raw", {1, 2}],
        [10**40, -(10**40)],
        ["\ud800", "é\n\"'", ""],
    ],
    ids=repr,
)
def test_every_option_comes_back_as_the_very_object_it_was(options: list[Any]) -> None:
    space = space_of(a=lambda: Choice(options, name="a"))
    for number in range(len(options)):
        architecture = space.decide(lambda decision, number=number: decision.value_at(number))
        stored = architecture.to_json().encode("utf-8")
        again = Architecture.from_json(space, stored.decode("utf-8"))
        assert again.values[0] is architecture.values[0]


def test_an_option_that_is_not_json_is_written_by_its_number_and_said_to_be() -> None:
    space = space_of(a=lambda: Choice([len, max], name="a"))
    architecture = space.decide(lambda decision: max)
    entry = json.loads(architecture.to_json())["decisions"]["a"]
    assert entry == {
        "number": 1,
        "shown": "<built-in function max>",
        "label": "layer.a",
    }


def test_names_and_texts_are_written_in_their_own_letters() -> None:
    space = space_of(a=lambda: Choice(["é", "中"], name="größe"))
    architecture = space.architecture({"größe": "中"})
    assert '"größe": {"value": "中", "label": "layer.a"}' in architecture.to_json()


def test_some_of_options_that_are_not_json_come_back() -> None:
    space = space_of(a=lambda: MultipleChoice([len, max, min], name="a"))
    architecture = space.decide(lambda decision: [min, len])
    again = Architecture.from_json(space, architecture.to_json())
    assert again.decisions == {"a": [len, min]}


def test_a_document_may_be_written_by_hand() -> None:
    space = conditional()
    written = document(space, units=32, kept=False)
    written["decisions"]["units"] = {"number": 1, "note": "the wider one"}
    assert read(space, written) == space.architecture({"units": 32, "kept": False})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be given as JSON"),
        ("{", "must be given as JSON"),
        ("[" * 100_000, "must be given as JSON"),
        ("[]", "must be an object"),
        ("{}", "must be an object"),
        ('{"format": "other"}', "must be an object"),
        ('{"format": NaN}', "finite"),
        ('{"format": 1, "format": 2}', "once"),
    ],
    ids=lambda text: text[:20],
)
def test_a_text_that_is_no_document_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        Architecture.from_json(conditional(), text)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(SpaceError, match="from text; received bytes"):
        Architecture.from_json(conditional(), b"{}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "newer release"),
        ({"version": 0}, '"version" must be an integer'),
        ({"version": True}, '"version" must be an integer'),
        ({"version": "1"}, '"version" must be an integer'),
        ({"space": "1-00"}, "another space"),
        ({"space": None}, "another space"),
        ({"decisions": []}, "must be an object of hyperparameter names"),
        ({"decisions": None}, "must be an object of hyperparameter names"),
    ],
    ids=str,
)
def test_a_document_of_another_kind_is_refused(change: dict[str, Any], message: str) -> None:
    space = conditional()
    with pytest.raises(SpaceError, match=message):
        read(space, document(space, units=16, kept=False) | change)


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ({"units": 16}, "received none for 'kept'"),
        ({"units": 16, "kept": True}, "received none for 'rate'"),
        ({"units": 16, "kept": False, "rate": 0.1}, "'rate', which this architecture does not"),
        ({"units": 16, "kept": False, "width": 1}, "'width', which no decision has"),
        ({"first.units": 16, "kept": False}, "received none for 'units'"),
        ({"units": 17, "kept": False}, "must be one of"),
        ({"units": True, "kept": False}, "must be one of"),
        ({"units": None, "kept": False}, "must be one of"),
        ({"units": {}, "kept": False}, "must be one of"),
        ({"units": 16, "kept": 1}, "must be one of"),
        ({"units": 16, "kept": True, "rate": 0.6}, "must be one of"),
        ({"units": 16, "kept": True, "rate": "x"}, "must be one of"),
        ({"units": 16, "kept": True, "rate": 10**400}, "must be one of"),
    ],
    ids=str,
)
def test_decisions_that_are_not_those_of_an_architecture_are_refused(
    decisions: dict[str, Any], message: str
) -> None:
    space = conditional()
    with pytest.raises(SpaceError, match=message):
        read(space, document(space, **decisions))


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("units", 16, 'either "value" or "number"'),
        ("units", {}, 'either "value" or "number"'),
        ("units", {"value": 16, "number": 0}, 'either "value" or "number"'),
        ("units", {"number": 2}, "from 0 to 1"),
        ("units", {"number": -1}, "from 0 to 1"),
        ("units", {"number": True}, "from 0 to 1"),
        ("units", {"number": 0.0}, "from 0 to 1"),
        ("rate", {"number": 0}, "left to finite ones"),
    ],
)
def test_an_entry_that_says_no_value_is_refused(name: str, entry: Any, message: str) -> None:
    space = conditional()
    written = document(space, units=16, kept=True, rate=0.25)
    written["decisions"][name] = entry
    with pytest.raises(SpaceError, match=message):
        read(space, written)


def test_an_integer_beyond_all_floats_is_refused_like_any_other() -> None:
    space = space_of(a=lambda: Int(1, 3, name="a"))
    with pytest.raises(SpaceError, match="must be one of 1 to 3"):
        read(space, document(space, a=10**400))


def test_another_process_reads_the_same_and_finds_the_same_signature() -> None:
    architecture = conditional().sample(3)
    program = (
        f"import runpy, sys; found = runpy.run_path({__file__!r})\n"
        "a = found['Architecture'].from_json(found['conditional'](), sys.stdin.read())\n"
        "print(a.signature, a.key)"
    )
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=architecture.to_json(),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{architecture.signature} {architecture.key}\n"
