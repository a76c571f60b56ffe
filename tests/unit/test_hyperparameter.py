"""Hyperparameters: their values, how these are numbered, normalised and drawn."""

import itertools
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernets.domain.error import SpaceError
from hypernets.domain.space import (
    Bool,
    Choice,
    Constant,
    Decision,
    HyperSpace,
    Int,
    MultipleChoice,
    Real,
)
from hypernets.domain.space.operation import Permutations


@pytest.fixture(autouse=True)
def space() -> Iterator[HyperSpace]:
    space = HyperSpace()
    with space.as_default():
        yield space


def values(decision: Decision) -> list[Any]:
    return [decision.value_at(i) for i in range(int(decision.size))]


def rng(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


# --- values -----------------------------------------------------------------


def test_int_includes_both_bounds() -> None:
    assert values(Int(1, 3)) == [1, 2, 3]
    assert {Int(1, 3).sample(rng(seed)) for seed in range(50)} == {1, 2, 3}


def test_int_steps_and_reaches_high_only_where_a_step_leads_there() -> None:
    assert values(Int(0, 10, 5)) == [0, 5, 10]
    assert values(Int(0, 9, step=5)) == [0, 5]
    assert values(Int(-3, 3, 3)) == [-3, 0, 3]


def test_real_with_a_step_is_exact() -> None:
    assert values(Real(0.0, 0.5, step=0.1)) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert values(Real(0, 1, 0.3)) == [0.0, 0.3, 0.6, 0.9]
    assert values(Real(0.1, 0.7, 0.2)) == [0.1, 0.3, 0.5, 0.7]


def test_a_continuous_real_works() -> None:
    real = Real(1.5, 2.5)
    draws = [real.sample(rng(seed)) for seed in range(200)]
    assert real.size == math.inf
    assert not real.is_finite
    assert all(1.5 <= draw <= 2.5 for draw in draws)
    assert len(set(draws)) == 200
    assert all(real.normalise(draw) == draw for draw in draws)


def test_the_bounds_of_log_uniform_are_values() -> None:
    real = Real(1e-4, 1e-1, prior="log_uniform")
    draws = [real.sample(rng(seed)) for seed in range(3000)]
    assert all(1e-4 <= draw <= 1e-1 for draw in draws)
    decades = Counter(math.floor(math.log10(draw)) for draw in draws)
    assert all(abs(decades[decade] - 1000) < 130 for decade in (-4, -3, -2))


def test_log_uniform_with_a_step_stays_on_the_grid() -> None:
    real = Real(0.1, 1.0, step=0.1, prior="log_uniform")
    draws = Counter(real.sample(rng(seed)) for seed in range(2000))
    assert set(draws) == set(values(real))
    assert draws[0.2] > draws[0.8]


def test_multiple_choice_holds_lists_of_at_least_one_in_the_order_of_the_options() -> None:
    assert values(MultipleChoice(["a", "b", "c"])) == [
        ["a"], ["b"], ["c"], ["a", "b"], ["a", "c"], ["b", "c"], ["a", "b", "c"],
    ]  # fmt: skip
    assert values(MultipleChoice([3, 1], 1)) == [[3], [1]]
    assert MultipleChoice(["a", "b", "c"]).normalise(("c", "a")) == ["a", "c"]


def test_one_value_is_no_decision() -> None:
    single = [Choice([7]), Int(2, 2), Real(1, 1), Real(0, 1, step=2), MultipleChoice(["a"])]
    assert not any(decision.is_decision for decision in [*single, Constant(3)])
    assert all(decision.size == 1 for decision in single)
    assert Real(1, 1).value_at(0) == 1.0


def test_bool_is_a_choice_of_false_and_true() -> None:
    assert values(Bool()) == [False, True]


def test_options_may_be_of_any_type_and_of_numpy() -> None:
    options = [(3, 3), None, "same", 1.5, {"a": 1}, [1]]
    assert values(Choice(options)) == options
    assert values(Choice(np.arange(3))) == [0, 1, 2]
    assert values(Choice(range(3))) == [0, 1, 2]
    assert Choice(range(200_000)).size == 200_000  # at once


@pytest.mark.parametrize(
    "make",
    [
        lambda: Choice([1, 2]),
        lambda: Int(0, 3),
        lambda: Real(0, 1, 0.5),
        lambda: MultipleChoice([1, 2]),
    ],
)
def test_there_is_no_value_beyond_the_last_nor_before_the_first(
    make: Callable[[], Decision],
) -> None:
    decision = make()
    for index in (-1, int(decision.size)):
        with pytest.raises(IndexError):
            decision.value_at(index)


# --- normalising ------------------------------------------------------------


def test_lists_of_json_stand_for_tuples() -> None:
    choice = Choice([(1, 1), (3, 3), ((1, 2), 3)])
    for option in choice.options:
        assert choice.normalise(json.loads(json.dumps(option))) == option
    assert choice.index_of([[1, 2], 3]) == 2


def test_true_is_not_one() -> None:
    assert Choice([0, 1, True, False]).index_of(True) == 2
    assert Choice([True, 1]).index_of(1) == 1
    assert Choice([(True,), (1,)]).index_of([1]) == 1
    for decision in (Choice([0, 1]), Int(0, 1), Real(0, 1), Real(0, 1, 0.5)):
        with pytest.raises(SpaceError, match="received True"):
            decision.normalise(True)
    with pytest.raises(SpaceError, match="received 1"):
        Bool().normalise(1)


def test_an_equal_number_of_another_type_becomes_the_option() -> None:
    found = Choice([1, 2]).normalise(2.0)
    assert (found, type(found)) == (2, int)
    assert type(Int(1, 3).normalise(2.0)) is int
    assert type(Int(1, 3).normalise(np.int64(2))) is int
    assert type(Real(0, 3).normalise(2)) is float
    assert Choice([1, 1.0]).normalise(1.0) is not Choice([1, 1.0]).normalise(1)


def test_a_value_near_the_grid_becomes_that_of_the_grid() -> None:
    assert Real(0, 0.5, 0.1).normalise(0.30000000000000004) == 0.3


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda: Choice(["a", "b"]), "c"),
        (lambda: Choice(["a", "b"]), ["a"]),
        (lambda: Int(0, 10, 5), 3),
        (lambda: Int(0, 10), 11),
        (lambda: Int(0, 10), 1.5),
        (lambda: Int(0, 10), "1"),
        (lambda: Int(0, 10), math.nan),
        (lambda: Int(0, 10), None),
        (lambda: Real(0, 1), 1.1),
        (lambda: Real(0, 1), math.nan),
        (lambda: Real(0, 1), "0.5"),
        (lambda: Real(0, 1, 0.25), 0.3),
        (lambda: MultipleChoice([1, 2, 3], 2), [1, 2, 3]),
        (lambda: MultipleChoice([1, 2, 3]), []),
        (lambda: MultipleChoice([1, 2, 3]), [1, 1]),
        (lambda: MultipleChoice([1, 2, 3]), 1),
        (lambda: Choice(Permutations(3)), (0, 1)),
    ],
)
def test_what_is_no_value_is_refused_by_name(make: Callable[[], Decision], value: Any) -> None:
    decision = make()
    with pytest.raises(SpaceError, match=decision.name) as caught:
        decision.normalise(value)
    assert f"received {value!r}" in str(caught.value)
    assert decision.describe() in str(caught.value)


def test_a_continuous_value_has_no_number() -> None:
    with pytest.raises(SpaceError, match="finite"):
        Real(0, 1).index_of(0.5)
    with pytest.raises(SpaceError, match="finite"):
        Real(0, 1).value_at(0)


# --- numbering --------------------------------------------------------------


@given(st.integers(1, 9), st.data())
def test_subsets_and_their_numbers_are_a_bijection(n: int, data: st.DataObject) -> None:
    with HyperSpace().as_default():
        most = data.draw(st.integers(0, n))
        decision = MultipleChoice([f"o{i}" for i in range(n)], most)
    found = values(decision)
    by_hand = [
        list(subset)
        for k in range(1, (most or n) + 1)
        for subset in itertools.combinations(decision.options, k)
    ]
    assert found == by_hand
    assert [decision.index_of(value) for value in found] == list(range(len(found)))


@pytest.mark.parametrize("n", range(1, 7))
def test_permutations_are_those_of_itertools_and_numbered(n: int) -> None:
    lazy = Permutations(n)
    by_hand = list(itertools.permutations(range(n)))
    assert [lazy[i] for i in range(len(lazy))] == by_hand == list(lazy)
    assert [lazy.index(order) for order in by_hand] == list(range(len(by_hand)))
    assert lazy[-1] == by_hand[-1]
    assert lazy[1:3] == by_hand[1:3]


@given(st.integers(0, math.factorial(30) - 1))
def test_permutations_too_many_to_store_are_numbered(index: int) -> None:
    lazy = Permutations(30)
    assert lazy.index(lazy[index]) == index


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(1, 9))
def test_numbers_of_integers_are_a_bijection(low: int, width: int, step: int) -> None:
    with HyperSpace().as_default():
        decision = Int(low, low + width, step)
    assert values(decision) == list(range(low, low + width + 1, step))
    assert [decision.index_of(v) for v in values(decision)] == list(range(int(decision.size)))


@given(st.integers(-30, 30), st.integers(0, 30), st.sampled_from([0.1, 0.2, 0.05, 0.3, 1e-3]))
def test_the_grid_of_a_real_is_that_of_decimal_arithmetic(
    low: int, width: int, step: float
) -> None:
    with HyperSpace().as_default():
        decision = Real(low / 10, (low + width) / 10, step)
    scale = 1000
    first, last, distance = low * 100, (low + width) * 100, round(step * scale)
    assert values(decision) == [k / scale for k in range(first, last + 1, distance)]
    assert [decision.index_of(v) for v in values(decision)] == list(range(int(decision.size)))


# --- drawing ----------------------------------------------------------------


def _chi_square(counts: Counter[Any], n_values: int, draws: int) -> float:
    expected = draws / n_values
    seen = sum((count - expected) ** 2 / expected for count in counts.values())
    return seen + (n_values - len(counts)) * expected


@pytest.mark.parametrize(
    "make",
    [
        lambda: Choice(["a", "b", "c", "d", "e", "f", "g"]),
        lambda: Bool(),
        lambda: Int(1, 3),
        lambda: Int(0, 40, 4),
        lambda: Real(0, 0.5, 0.1),
        lambda: MultipleChoice([0, 1, 2, 3]),
        lambda: MultipleChoice([0, 1, 2, 3], 2),
        lambda: MultipleChoice(list(range(9)), 1),
        lambda: Choice(Permutations(4)),
    ],
)
@pytest.mark.parametrize("source", [rng, np.random.default_rng])
def test_every_value_is_drawn_as_often(
    make: Callable[[], Decision], source: Callable[[int], Any]
) -> None:
    decision = make()
    n_values, draws, generator = int(decision.size), 6000, source(7)
    counts = Counter(repr(decision.sample(generator)) for _ in range(draws))
    freedom = n_values - 1
    # beyond five standard deviations of a chi-square
    assert _chi_square(counts, n_values, draws) < freedom + 5 * math.sqrt(2 * freedom) + 5


def test_a_continuous_real_is_drawn_evenly() -> None:
    real, generator = Real(-1, 3), rng(5)
    counts = Counter(int((real.sample(generator) + 1) / 0.5) for _ in range(4000))
    assert _chi_square(counts, 8, 4000) < 7 + 5 * math.sqrt(14) + 5


def test_orders_too_many_for_a_float_are_drawn_evenly() -> None:
    decision, generator = Choice(Permutations(25)), rng(3)
    orders = [decision.sample(generator) for _ in range(1500)]
    for place in (0, 12, 23, 24):
        counts = Counter(order[place] for order in orders)
        assert _chi_square(counts, 25, 1500) < 24 + 5 * math.sqrt(48) + 5


def test_subsets_too_many_for_a_float_are_drawn_evenly() -> None:
    decision, generator = MultipleChoice(range(1100)), rng(3)
    sizes = [len(decision.sample(generator)) for _ in range(20)]
    assert all(450 < size < 650 for size in sizes)
    wide = Int(0, 2**70)
    draws = [wide.sample(generator) for _ in range(500)]
    assert all(0 <= draw <= 2**70 for draw in draws)
    assert {draw % 2 for draw in draws} == {0, 1}


def test_a_draw_is_a_value() -> None:
    for decision in (Int(0, 5), Real(0, 1), Real(0, 1, 0.1), MultipleChoice([1, 2, 3], 2)):
        for seed in range(30):
            draw = decision.sample(rng(seed))
            assert decision.normalise(draw) == draw


# --- describing -------------------------------------------------------------


def test_a_hyperparameter_says_what_its_values_are() -> None:
    assert Choice(["a", 1]).describe() == "['a', 1]"
    assert Choice(range(20)).describe().endswith("20 in all]")
    assert Int(1, 9, 2).describe() == "1 to 9 in steps of 2"
    assert Real(0.001, 1, prior="log_uniform").describe() == "0.001 to 1, log_uniform"
    assert MultipleChoice([1, 2], 1).describe() == "lists of at most 1 of [1, 2]"
    assert "any number" in MultipleChoice([1, 2]).describe()
    assert repr(Int(1, 2, name="width")) == "<Int 'width'>"
