"""The order of rewards, kept as they come in."""

import random
import threading

import pytest

from hypernets.domain.history.ranking import Ranking


@pytest.mark.parametrize("n_different", [3, 10_000])
@pytest.mark.parametrize("n", [0, 1, 900, 7_000])
def test_the_order_is_that_of_sorting_and_of_equal_costs_the_older_comes_first(n, n_different):
    rng = random.Random(n)  # noqa: S311 - costs, not secrets
    costs = [rng.randrange(n_different) / 7 for _ in range(n)]
    ranking, best = Ranking(), float("inf")
    for position, cost in enumerate(costs):
        assert ranking.add(cost, position) is (cost < best)
        best = min(best, cost)
    expected = sorted(range(n), key=lambda position: (costs[position], position))
    assert len(ranking) == n
    assert ranking.first() == (expected[0] if n else None)
    for k in (0, 1, 5, 999, 1_000, 2_501, n, n + 1):
        assert ranking.top(k) == expected[:k]


@pytest.mark.parametrize("step", [1, -1])
def test_costs_that_only_rise_or_only_fall_are_no_special_case(step):
    ranking = Ranking()
    for position in range(5_000):
        ranking.add(step * position, position)
    assert ranking.top(5_000) == list(range(5_000))[::step]


def test_it_may_be_read_while_another_thread_adds():
    ranking, n = Ranking(), 20_000
    costs = list(range(n))
    random.Random(1).shuffle(costs)  # noqa: S311
    thread = threading.Thread(target=lambda: [ranking.add(cost, cost) for cost in costs])
    thread.start()
    while thread.is_alive():
        top = ranking.top(3_000)
        assert top == sorted(set(top))
    thread.join()
    assert ranking.top(n) == list(range(n))
