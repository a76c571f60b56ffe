"""What a search is known by, compared."""

import json

import attrs
import pytest

from hypernets.application.port import SearchIdentity
from hypernets.domain.error import CorruptStoreError, OtherSearchError, StoreError

FULL = SearchIdentity(
    space="1-abc",
    decisions=("units: 8, 16", "rate: 0.0 to 0.5"),
    searcher="random",
    searcher_options={"size": (3, 3), "act": len, "deep": {"a": [1.5]}},
    seed=3,
    directions={"accuracy": "max", "cost": "min"},
    estimator="keras",
    data="sha256-1",
    forked_from={"store": "runs/w", "trials": 4, "taken": 2, "suggestions": ({"units": 8},)},
)

OTHERS = {
    "space": "1-x",
    "decisions": ("units: 8",),
    "searcher": "evolution",
    "searcher_options": {"size": (3, 4)},
    "seed": 4,
    "directions": {"cost": "min", "accuracy": "max"},
    "estimator": "width",
    "data": "sha256-2",
    "forked_from": {"store": "runs/w", "trials": 5, "taken": 2, "suggestions": ()},
}


def test_the_same_identity_has_no_differences():
    assert FULL.differences(FULL) == ()
    FULL.require_same(attrs.evolve(FULL), "here")


def test_it_is_the_same_after_a_way_through_json():
    stored = SearchIdentity.from_document(json.loads(json.dumps(FULL.to_document())))
    assert stored.differences(FULL) == FULL.differences(stored) == ()
    assert stored.seed == 3
    assert stored.searcher_options["size"] == (3, 3)


@pytest.mark.parametrize("field", OTHERS)
def test_each_field_counts(field):
    other = attrs.evolve(FULL, **{field: OTHERS[field]})
    (difference,) = FULL.differences(other)
    assert difference.field == field
    with pytest.raises(OtherSearchError) as caught:
        FULL.require_same(other, "runs/x")
    assert caught.value.differences == (difference,)
    assert str(difference) in str(caught.value)
    assert "runs/x: a store must be used for the search whose trials it holds" in str(caught.value)
    assert "as fork= to begin with" in str(caught.value)


@pytest.mark.parametrize("field", OTHERS)
def test_what_is_not_known_is_compared_with_nothing(field):
    unknown = attrs.evolve(FULL, **{field: None})
    assert FULL.differences(unknown) == unknown.differences(FULL) == ()


def test_every_field_is_tried_here():
    assert set(OTHERS) == {field.name for field in attrs.fields(SearchIdentity)}


def test_of_decisions_only_those_are_named_that_differ():
    (difference,) = FULL.differences(attrs.evolve(FULL, decisions=("units: 8", FULL.decisions[1])))
    assert str(difference) == "decisions: units: 8, 16 is stored, units: 8 was given"


def test_the_order_of_options_and_decisions_does_not_count():
    options = dict(reversed(FULL.searcher_options.items()))
    decisions = FULL.decisions[::-1]
    other = attrs.evolve(FULL, searcher_options=options, decisions=decisions)
    assert FULL.differences(other) == ()


def test_a_difference_can_be_read():
    (difference,) = FULL.differences(attrs.evolve(FULL, seed=4))
    assert str(difference) == "seed: 3 is stored, 4 was given"


def test_options_that_cannot_be_described_are_refused():
    with pytest.raises(StoreError, match="generator"):
        SearchIdentity(searcher_options={"x": (i for i in ())}).to_document()


@pytest.mark.parametrize("document", [{"colour": 1}, {"space": {"$exec": "1"}}])
def test_what_is_no_identity_is_refused(document):
    with pytest.raises(CorruptStoreError, match="identity of a search must be"):
        SearchIdentity.from_document(document)
