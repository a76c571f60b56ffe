"""Fronts, crowding and hypervolume, against plain definitions."""

import itertools

import numpy as np
import pytest

from hypernets.domain.history.hypervolume import hypervolume
from hypernets.domain.searchers.non_domination import crowding_distances, non_domination_ranks


def dominates(a, b):
    return all(x <= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


@pytest.mark.parametrize("n_objectives", [1, 2, 3])
def test_ranks_are_those_of_peeling_fronts(n_objectives):
    rng = np.random.default_rng(n_objectives)
    for _ in range(20):
        points = rng.integers(6, size=(30, n_objectives)).astype(float)
        left, expected, rank = list(range(30)), {}, 0
        while left:
            front = [i for i in left if not any(dominates(points[j], points[i]) for j in left)]
            expected.update(dict.fromkeys(front, rank))
            left = [i for i in left if i not in front]
            rank += 1
        assert non_domination_ranks(points).tolist() == [expected[i] for i in range(30)]


def test_crowding_is_the_gap_between_neighbours():
    points = np.array([[0.0, 4.0], [1.0, 2.0], [3.0, 1.0], [4.0, 0.0]])
    found = crowding_distances(points)
    assert found[[0, 3]].tolist() == [np.inf, np.inf]
    assert found[1:3] == pytest.approx([3 / 4 + 3 / 4, 3 / 4 + 2 / 4])
    assert crowding_distances(np.array([[1.0, 1.0]] * 3)).tolist() == [np.inf, 0.0, np.inf]


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4])
def test_hypervolume_is_the_count_of_dominated_cells(n_objectives):
    rng = np.random.default_rng(n_objectives)
    size = 5
    for _ in range(20):
        points = rng.integers(size + 2, size=(8, n_objectives)).astype(float)
        cells = itertools.product(range(size), repeat=n_objectives)
        expected = sum(any((p <= np.array(cell)).all() for p in points) for cell in cells)
        assert hypervolume(points, np.full(n_objectives, float(size))) == expected


def test_no_points_have_no_volume():
    assert hypervolume(np.zeros((0, 2)), np.ones(2)) == 0.0
    assert hypervolume(np.array([[2.0, 0.0]]), np.ones(2)) == 0.0
