import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hypernets.domain.error import SearchError
from hypernets.domain.history import History, Trial, TrialState

NAMES = ("a", "b", "c")
VALUES = st.one_of(st.integers(0, 4).map(float), st.sampled_from([math.nan, math.inf]))


def trial(number, values):
    return Trial(
        number, {}, f"s{number}", TrialState.COMPLETED, dict(zip(NAMES, values, strict=False))
    )


def dominates(one, other, signs):
    pairs = [(s * x, s * y) for s, x, y in zip(signs, one, other, strict=True)]
    return all(x >= y for x, y in pairs) and any(x > y for x, y in pairs)


@pytest.mark.parametrize("n_objectives", [1, 2, 3])
@given(data=st.data())
def test_the_front_is_what_no_finite_point_dominates(n_objectives, data):
    points = data.draw(st.lists(st.tuples(*[VALUES] * n_objectives), max_size=25))
    signs = data.draw(st.tuples(*[st.sampled_from([1, -1])] * n_objectives))
    names = NAMES[:n_objectives]
    direction = {n: "max" if sign > 0 else "min" for n, sign in zip(names, signs, strict=True)}
    finite = [(n, p) for n, p in enumerate(points, 1) if all(map(math.isfinite, p))]
    expected = [
        number
        for number, point in finite
        if not any(dominates(other, point, signs) for _, other in finite)
    ]
    early, late = History(direction), History(direction)
    early.front()  # kept up to date from the first trial on
    for number, point in enumerate(points, 1):
        early.add(trial(number, point))
        late.add(trial(number, point))
    assert [t.number for t in early.front()] == expected
    assert [t.number for t in late.front()] == expected


def test_without_several_objectives_the_front_is_that_of_the_reward():
    history = History("min", [trial(1, [0.5]), trial(2, [0.2]), trial(3, [0.2])])
    assert [t.number for t in history.front()] == [2, 3]


def test_a_front_of_other_objectives_leaves_out_those_that_lack_one():
    history = History("max", [trial(1, [0.5, 1.0]), trial(2, [0.9]), trial(3, [0.4, 2.0])])
    assert [t.number for t in history.front(["a", "b"])] == [1, 3]
    assert [t.number for t in history.front(["b"])] == [3]


@pytest.mark.parametrize("objectives", [[], "a"])
def test_a_front_of_no_list_of_names_is_refused(objectives):
    with pytest.raises(SearchError, match=r"objectives must be a list .* received"):
        History().front(objectives)


# --- hypervolume -----------------------------------------------------------------------


def two_objectives():
    rows = [(0.5, 3.0), (0.7, 4.0), (0.6, 2.0), (0.4, 5.0)]
    trials = [
        Trial(number, {}, str(number), TrialState.COMPLETED, {"accuracy": a, "latency": b})
        for number, (a, b) in enumerate(rows, 1)
    ]
    return History({"accuracy": "max", "latency": "min"}, trials)


def test_the_hypervolume_is_what_the_front_dominates():
    history = two_objectives()  # the front: (0.7, 4) and (0.6, 2)
    found = history.hypervolume({"accuracy": 0.5, "latency": 5.0})
    assert found == pytest.approx(0.1 * 1.0 + 0.1 * 3.0)
    assert history.hypervolume({"latency": 5.0, "accuracy": 0.5}) == pytest.approx(found)
    assert history.hypervolume({"accuracy": 0.7, "latency": 5.0}) == 0.0
    assert History({"accuracy": "max"}).hypervolume({"accuracy": 0.5}) == 0.0


def test_a_reference_that_lacks_an_objective_is_refused():
    with pytest.raises(SearchError, match="must have a value for each objective"):
        two_objectives().hypervolume({"accuracy": 0.5}, ["accuracy", "latency"])
    with pytest.raises(SearchError, match="no objective"):
        two_objectives().hypervolume({})
