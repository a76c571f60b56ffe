"""Architectures as vectors and as one-hot vectors."""

import math
from typing import Any

import numpy as np
import pytest

from hypernets.domain.architecture.codec import OneHotCodec, VectorCodec
from hypernets.domain.error import SpaceError
from hypernets.domain.space import (
    Choice,
    HyperSpace,
    Identity,
    Int,
    MultipleChoice,
    Optional,
    Permutation,
    Real,
)


def written() -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        first = Identity(
            units=Choice([16, 32, 64], name="units"),
            some=MultipleChoice(["a", "b", "c"], 2, name="some"),
            lr=Real(1e-4, 1e-2, prior="log_uniform", name="lr"),
        )
        second = Identity(rate=Real(0, 2, name="rate"), size=Int(1, 9, 4, name="size"))
        Optional(second, keep_link=True, hp_opt=Choice([False, True], name="kept"))(first)
    return space


FULL = {"units": 64, "some": ["a", "c"], "lr": 1e-3, "kept": True, "rate": 0.5, "size": 9}
SHORT = {"units": 16, "some": ["b"], "lr": 1e-4, "kept": False}


def test_a_vector_holds_numbers_of_values_by_rank() -> None:
    space = written()
    codec = VectorCodec(space)
    assert codec.names == tuple(decision.name for decision in space.decisions)
    values, mask = codec.encode(space.architecture(FULL))
    assert dict(zip(codec.names, values.tolist(), strict=True)) == {
        "units": 2, "some": 4, "lr": 1e-3, "kept": 1, "rate": 0.5, "size": 2
    }  # fmt: skip
    assert mask.all()


def test_the_entry_of_an_inactive_decision_is_zero_and_masked() -> None:
    space = written()
    codec = VectorCodec(space)
    values, mask = codec.encode(space.architecture(SHORT))
    off = [name in ("rate", "size") for name in codec.names]
    assert mask.tolist() == [not flag for flag in off]
    assert values[off].tolist() == [0, 0]


def test_a_one_hot_vector_says_what_its_columns_mean() -> None:
    space = written()
    codec = OneHotCodec(space)
    vector = codec.encode(space.architecture(FULL))
    says = dict(zip(codec.columns, vector.tolist(), strict=True))
    assert says.pop("lr") == pytest.approx(0.5)
    assert says == {
        "units=16": 0, "units=32": 0, "units=64": 1,
        "some has 'a'": 1, "some has 'b'": 0, "some has 'c'": 1,
        "kept=False": 0, "kept=True": 1,
        "rate": 0.25, "size=1": 0, "size=5": 0, "size=9": 1,
    }  # fmt: skip
    assert codec.decode(vector).decisions == FULL


def test_inactive_decisions_are_zeros_in_a_one_hot_vector() -> None:
    space = written()
    codec = OneHotCodec(space)
    vector = codec.encode(space.architecture(SHORT))
    assert vector[codec.columns.index("rate") :].tolist() == [0] * 4
    assert codec.decode(vector).decisions == SHORT


def test_a_column_whose_option_has_no_lasting_text_is_named_by_number() -> None:
    space = HyperSpace()
    with space.as_default():
        Identity(a=Choice([object(), "x" * 100], name="a"))
    assert OneHotCodec(space).columns == ("a=#0", "a=#1")


@pytest.mark.parametrize("prior", ["uniform", "log_uniform"])
@pytest.mark.parametrize(("low", "high"), [(1e-5, 0.1), (1e-300, 1e300), (1.0, 1.0 + 1e-15)])
def test_a_continuous_value_keeps_its_column_and_its_short_form(
    low: float, high: float, prior: str
) -> None:
    space = HyperSpace()
    with space.as_default():
        Identity(a=Real(low, high, prior=prior, name="a"))
    codec = OneHotCodec(space)
    for value in [low, high, *(space.sample(seed).values[0] for seed in range(20))]:
        vector = codec.encode(space.architecture({"a": value}))
        again = codec.decode(vector)
        assert np.array_equal(codec.encode(again), vector)
        assert again.values[0] == pytest.approx(value, rel=1e-12)
    for value in (low, high):
        assert codec.decode(codec.encode(space.architecture({"a": value}))).values == (value,)


def test_values_as_people_write_them_come_back_exactly() -> None:
    space = written()
    codec = OneHotCodec(space)
    for lr in (0.0001, 0.0003, 0.001, 0.0025, 0.01):
        architecture = space.architecture(SHORT | {"lr": lr})
        assert codec.decode(codec.encode(architecture)) == architecture


def test_a_range_wider_than_a_float_can_say_is_encoded_all_the_same() -> None:
    space = HyperSpace()
    with space.as_default():
        Identity(a=Real(-1.7e308, 1.7e308, name="a"))
    codec = OneHotCodec(space)
    assert codec.encode(space.architecture({"a": 0.0})).tolist() == [0.5]
    assert codec.decode([1.0]).values == (1.7e308,)


def changed(array: np.ndarray[Any, Any], names: tuple[str, ...], **entries: Any) -> Any:
    copy = array.copy()
    for name, entry in entries.items():
        copy[names.index(name)] = entry
    return copy


@pytest.mark.parametrize(
    ("decisions", "values", "mask", "message"),
    [
        (SHORT, {"units": 3}, {}, "from 0 to 2"),
        (SHORT, {"units": -1}, {}, "from 0 to 2"),
        (SHORT, {"units": 0.5}, {}, "from 0 to 2"),
        (SHORT, {"units": math.nan}, {}, "from 0 to 2"),
        (SHORT, {"units": math.inf}, {}, "from 0 to 2"),
        (SHORT, {"lr": 0.5}, {}, "must be one of"),
        (SHORT, {"lr": math.nan}, {}, "must be one of"),
        (SHORT, {"rate": 0.5}, {}, "inactive decision must be 0"),
        (SHORT, {"rate": math.nan}, {}, "inactive decision must be 0"),
        (SHORT, {}, {"rate": True}, "inactive decision must be 0 and masked"),
        (SHORT, {}, {"units": False}, "received False for 'units'"),
        (FULL, {}, {"size": False}, "received False for 'size'"),
        (SHORT, {"kept": 1}, {}, "received False for 'rate'"),
        (FULL, {"kept": 0}, {}, "inactive decision"),
    ],
    ids=str,
)
def test_what_is_no_vector_of_the_space_is_refused(
    decisions: dict[str, Any], values: dict[str, Any], mask: dict[str, Any], message: str
) -> None:
    space = written()
    codec = VectorCodec(space)
    numbers, active = codec.encode(space.architecture(decisions))
    with pytest.raises(SpaceError, match=message):
        codec.decode(changed(numbers, codec.names, **values), changed(active, codec.names, **mask))


def test_arrays_of_another_size_or_kind_are_refused() -> None:
    space = written()
    codec, one_hot = VectorCodec(space), OneHotCodec(space)
    values, mask = codec.encode(space.sample(0))
    with pytest.raises(SpaceError, match="must be 6 numbers"):
        codec.decode(values[:-1], mask)
    with pytest.raises(SpaceError, match="must be 6 numbers"):
        codec.decode(values.astype(str), mask)
    with pytest.raises(SpaceError, match="must be 6 booleans"):
        codec.decode(values, mask[None])
    with pytest.raises(SpaceError, match="must be 6 booleans"):
        codec.decode(values, mask.astype(float))
    with pytest.raises(SpaceError, match="must be 13 numbers"):
        one_hot.decode(np.zeros(12))


@pytest.mark.parametrize(
    ("decisions", "columns", "message"),
    [
        (SHORT, {"units=16": 0}, "zeros and one 1"),
        (SHORT, {"units=32": 1}, "zeros and one 1"),
        (SHORT, {"units=16": 0.999}, "zeros and one 1"),
        (SHORT, {"units=32": math.nan}, "zeros and one 1"),
        (SHORT, {"some has 'b'": 0}, "zeros and ones"),
        (FULL, {"some has 'b'": 1}, "must be one of"),
        (SHORT, {"lr": 1.5}, "from 0 to 1"),
        (SHORT, {"lr": math.nan}, "from 0 to 1"),
        (SHORT, {"size=1": 1}, "inactive decision must be 0"),
        (SHORT, {"rate": 0.5}, "inactive decision must be 0"),
        (SHORT, {"rate": math.nan}, "inactive decision must be 0"),
        (FULL, {"size=9": 0}, "zeros and one 1"),
    ],
    ids=str,
)
def test_what_is_no_one_hot_vector_of_the_space_is_refused(
    decisions: dict[str, Any], columns: dict[str, Any], message: str
) -> None:
    space = written()
    codec = OneHotCodec(space)
    vector = codec.encode(space.architecture(decisions))
    with pytest.raises(SpaceError, match=message):
        codec.decode(changed(vector, codec.columns, **columns))


def test_an_architecture_of_another_space_is_refused() -> None:
    space, twin = written(), written()
    for codec in (VectorCodec(space), OneHotCodec(space)):
        with pytest.raises(SpaceError, match="of its own space"):
            codec.encode(twin.sample(0))


def test_a_decision_too_large_for_an_array_is_refused() -> None:
    space = HyperSpace()
    with space.as_default():
        Permutation([Identity() for _ in range(19)], name="order")
    with pytest.raises(SpaceError, match=r"at most 2\*\*53 values"):
        VectorCodec(space)
    with pytest.raises(SpaceError, match="at most 100,000 columns"):
        OneHotCodec(space)


def test_a_space_without_decisions_has_an_empty_encoding() -> None:
    space = HyperSpace()
    with space.as_default():
        Identity()
    codec, one_hot = VectorCodec(space), OneHotCodec(space)
    assert codec.decode(*codec.encode(space.sample(0))) == space.sample(0)
    assert one_hot.decode(one_hot.encode(space.sample(0))) == space.sample(0)
    assert codec.decode([], []) == one_hot.decode([]) == space.sample(0)
