"""A trial as a document: what goes in comes out, and nothing else does."""

import enum
import json
import math

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernets.domain.error import CorruptStoreError, StoreError
from hypernets.domain.history import Failure, Report, Trial, TrialState
from hypernets.domain.history.described import Described
from hypernets.domain.history.document import VERSION, trial_from_document, trial_to_document
from hypernets.domain.history.key import canonical


def there_and_back(trial):
    text = json.dumps(trial_to_document(trial), allow_nan=False)
    return trial_from_document(json.loads(text))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=5)
)
KEYS = st.text(max_size=3) | st.sampled_from(["$tuple", "$", "$float"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.dictionaries(st.integers() | st.tuples(st.integers()), inner, max_size=2)
    ),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=3)
NUMBERS = st.dictionaries(KEYS, st.floats(allow_nan=False), max_size=3)


@given(
    st.builds(
        Trial,
        number=st.integers(1, 2**40),
        decisions=MAPPINGS,
        signature=st.text(max_size=5),
        state=st.sampled_from(TrialState),
        objectives=NUMBERS,
        labels=st.dictionaries(KEYS, st.text()),
        curve=st.lists(st.builds(Report, st.integers(), NUMBERS), max_size=3).map(tuple),
        timings=NUMBERS,
        elapsed_s=st.floats(allow_nan=False),
        seed=st.none() | st.integers(),
        fidelity=NUMBERS,
        replicate=st.integers(0, 5),
        training=MAPPINGS,
        estimator=st.text(max_size=5),
        parent=st.none() | st.integers(1, 9),
        asked_after=st.integers(0, 9),
        pending=st.lists(st.lists(st.integers(), min_size=2).map(tuple), max_size=3).map(tuple),
        answered_by=st.none() | st.integers(1, 9),
        failure=st.none() | st.builds(Failure, st.text(), st.text(), st.text()),
        details=MAPPINGS,
    )
)
def test_every_trial_comes_back_as_it_was(trial):
    back = there_and_back(trial)
    assert back == trial
    assert repr(back) == repr(trial)
    assert back.key == trial.key


def test_every_field_but_the_architecture_is_kept():
    full = Trial(
        number=1,
        decisions={"a": 1},
        signature="s",
        state=TrialState.COMPLETED,
        objectives={"a": 1.0},
        labels={"a": "b"},
        curve=(Report(1, {"a": 1.0}),),
        timings={"a": 1.0},
        elapsed_s=1.0,
        seed=1,
        fidelity={"a": 1.0},
        replicate=1,
        training={"a": 1},
        estimator="e",
        parent=1,
        asked_after=1,
        pending=((1, 2),),
        answered_by=1,
        failure=Failure("a", "b", "c"),
        details={"a": 1},
    )
    default = Trial(2, {}, "", TrialState.FAILED)
    back = there_and_back(full)
    for field in attrs.fields(Trial):
        if field.name != "architecture":
            given = getattr(full, field.name)
            assert getattr(back, field.name) == given
            unlike = given != getattr(default, field.name)
            assert unlike or field.name in OTHER_FIELDS, f"extend this test by {field.name}"


KNOWN_FIELDS = """number decisions signature state objectives labels curve timings elapsed_s seed
fidelity replicate training estimator parent asked_after pending answered_by failure details"""
OTHER_FIELDS = {f.name for f in attrs.fields(Trial)}.difference(KNOWN_FIELDS.split())


@pytest.mark.parametrize("field", sorted(OTHER_FIELDS - {"architecture"}))
def test_fields_that_are_added_later_are_kept_too(field):
    kinds = {f.name: f for f in attrs.fields(Trial)}
    value = {"a": 1} if kinds[field].converter else (1, 2) if kinds[field].default == () else 7
    trial = Trial(1, {}, "", TrialState.FAILED, **{field: value})
    assert getattr(there_and_back(trial), field) == value


def test_a_record_that_came_back_cannot_be_changed():
    back = there_and_back(Trial(1, {"a": 1}, "s", TrialState.COMPLETED, {"r": 1.0}))
    for mapping in (back.decisions, back.objectives, back.labels, back.details):
        with pytest.raises(TypeError):
            mapping["b"] = 2


def test_numbers_that_are_none_come_back():
    values = {"nan": math.nan, "inf": math.inf, "minus": -math.inf, "zero": -0.0}
    back = there_and_back(Trial(1, values, "s", TrialState.DIVERGED, values))
    assert repr(dict(back.objectives)) == repr(values)
    assert repr(dict(back.decisions)) == repr(values)


def test_numbers_and_arrays_of_numpy_become_those_of_python():
    details = {"a": np.float32(0.1), "b": np.int64(3), "c": np.arange(2), "d": np.bool_(True)}
    back = there_and_back(Trial(1, {}, "s", TrialState.COMPLETED, details=details))
    assert back.details == {"a": float(np.float32(0.1)), "b": 3, "c": [0, 1], "d": True}
    assert {type(value) for value in back.details.values()} == {float, int, list, bool}


def relu(x):
    return x


class Kind(enum.Enum):
    WIDE = 1


@pytest.mark.parametrize("value", [relu, len, Kind.WIDE, Report(1, {"a": 1.0}), {1, 2}, np.float32])
def test_what_json_cannot_carry_is_described_and_has_the_same_key(value):
    trial = Trial(1, {"f": value}, "", TrialState.COMPLETED, training={"f": [value]})
    back = there_and_back(trial)
    assert isinstance(back.decisions["f"], Described)
    assert back.key == trial.key
    assert canonical(dict(back.decisions)) == canonical(dict(trial.decisions))
    assert there_and_back(back) == back


def test_what_is_described_is_told_apart():
    one, other = (
        there_and_back(Trial(1, {"f": value}, "", TrialState.COMPLETED)) for value in (relu, len)
    )
    assert one.decisions["f"] != other.decisions["f"]
    assert one.key != other.key


def test_a_value_that_cannot_be_described_is_refused():
    trial = Trial(7, {}, "s", TrialState.COMPLETED, details={"x": (i for i in ())})
    with pytest.raises(StoreError, match=r"plain, or say what it is made of.*generator"):
        trial_to_document(trial)


def test_a_value_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(StoreError, match="must not hold itself"):
        trial_to_document(Trial(7, {}, "s", TrialState.COMPLETED, details={"x": loop}))


def test_a_newer_version_is_refused_as_such():
    document = trial_to_document(Trial(1, {}, "s", TrialState.COMPLETED))
    with pytest.raises(StoreError, match=f"at most {VERSION}; received {VERSION + 1}.*update"):
        trial_from_document({**document, "version": VERSION + 1})


GOOD = trial_to_document(
    Trial(1, {"a": 1}, "s", TrialState.FAILED, failure=Failure("a", "b"), pending=((2, 1),))
)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {**GOOD, "version": 0},
        {**GOOD, "version": "1"},
        {**GOOD, "colour": "red"},
        {**GOOD, "number": 0},
        {**GOOD, "number": "1"},
        {**GOOD, "signature": None},
        {**GOOD, "state": "sleeping"},
        {**GOOD, "decisions": [1]},
        {**GOOD, "decisions": {"$tuple": []}},
        {**GOOD, "decisions": {"$exec": "1"}},
        {**GOOD, "decisions": {"a": {"$bytes": "xy"}}},
        {**GOOD, "decisions": {"a": {"$mapping": [[1]]}}},
        {**GOOD, "failure": ["a"]},
        {**GOOD, "failure": 3},
        {**GOOD, "curve": [[1]]},
        {**GOOD, "curve": 5},
        {**GOOD, "pending": [3]},
        {name: value for name, value in GOOD.items() if name != "number"},
    ],
)
def test_what_is_no_document_of_a_trial_is_refused(document):
    with pytest.raises(CorruptStoreError, match="must be what the library has written; received"):
        trial_from_document(document)
