import attrs
import numpy as np
import pytest

from hypernets.domain.history.key import canonical


@attrs.frozen
class Optimizer:
    name: str
    options: dict


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ((3, 3), [3, 3]),
        (32, 32.0),
        (np.float64(0.5), 0.5),
        (np.array([1, 2]), [1, 2]),
        (Optimizer("adam", {"lr": 0.1}), Optimizer("adam", {"lr": 0.1})),
    ],
)
def test_what_means_the_same_is_equal(one, other):
    assert canonical(one) == canonical(other)
    assert hash(canonical(one)) == hash(canonical(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        ("1", 1),
        ([], {}),
        ([1, [2]], [[1], 2]),
        ({"a": 1}, {"a": 2}),
        (None, "None"),
        (Optimizer("adam", {}), Optimizer("sgd", {})),
    ],
)
def test_what_means_something_else_is_different(one, other):
    assert canonical({"value": one}) != canonical({"value": other})


def test_an_object_that_cannot_be_hashed_is_known_by_how_it_prints():
    class Unhashable:
        __hash__ = None

        def __repr__(self):
            return "the one"

    assert canonical(Unhashable()) == canonical(Unhashable())
