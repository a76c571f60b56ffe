"""The geometry of drawings: nothing overlaps, whatever the graph."""

import random
from itertools import combinations, pairwise

import pytest

from hypernets.domain.architecture.drawing.grouping import blocks_in_order
from hypernets.domain.architecture.drawing.layering import layering_of
from hypernets.domain.architecture.drawing.layout import layout_of

SLACK = 1e-6


def random_graph(seed):
    """Return sizes, edges and groups of a random directed acyclic graph."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    count = rng.randint(1, 40)
    sizes = [(rng.uniform(30, 200), rng.choice([25.0, 39.0])) for _ in range(count)]
    edges = []
    for target in range(1, count):
        if rng.random() < 0.95:
            reach = target if rng.random() < 0.2 else min(target, 5)
            edges += [(target - rng.randint(1, reach), target) for _ in range(rng.randint(1, 3))]
    groups = []
    start = 0
    while start < count:
        size = rng.randint(2, 8)
        group = list(range(start, min(start + size, count)))
        if (
            rng.random() < 0.6
            and len(group) > 1
            and blocks_in_order(count, edges, [*groups, group])
        ):
            groups.append(group)
        start += size
    return sizes, edges, groups


def box(layout, sizes, vertex):
    (x, y), (width, height) = layout.centres[vertex], sizes[vertex]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one, other):
    return all(min(one[k + 2], other[k + 2]) - max(one[k], other[k]) > SLACK for k in (0, 1))


@pytest.mark.parametrize("seed", range(40))
def test_no_two_boxes_overlap(seed):
    sizes, edges, groups = random_graph(seed)
    layout = layout_of(sizes, edges, groups)
    boxes = [box(layout, sizes, vertex) for vertex in range(len(sizes))]
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


@pytest.mark.parametrize("seed", range(40))
def test_no_edge_runs_through_a_box(seed):
    sizes, edges, groups = random_graph(seed)
    layout = layout_of(sizes, edges, groups)
    boxes = [box(layout, sizes, vertex) for vertex in range(len(sizes))]
    for route in layout.routes:
        for (x, y), (next_x, next_y) in pairwise(route):  # a curve stays between its ends
            stretch = (min(x, next_x) - 1, min(y, next_y), max(x, next_x) + 1, max(y, next_y))
            assert not any(overlap(stretch, other) for other in boxes)


@pytest.mark.parametrize("seed", range(40))
def test_an_edge_leads_down_from_its_source_to_its_target(seed):
    sizes, edges, groups = random_graph(seed)
    layout = layout_of(sizes, edges, groups)
    for (source, target), route in zip(edges, layout.routes, strict=True):
        upper, lower = box(layout, sizes, source), box(layout, sizes, target)
        assert route[0][1] == pytest.approx(upper[3])
        assert route[-1][1] == pytest.approx(lower[1])
        assert upper[0] <= route[0][0] <= upper[2]
        assert lower[0] <= route[-1][0] <= lower[2]
        assert all(y <= next_y + SLACK for (_, y), (_, next_y) in pairwise(route))


@pytest.mark.parametrize("seed", range(40))
def test_a_frame_holds_its_group_and_nothing_else(seed):
    sizes, edges, groups = random_graph(seed)
    layout = layout_of(sizes, edges, groups)
    for group, frame in zip(groups, layout.frames, strict=True):
        ends = (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height)
        for vertex in range(len(sizes)):
            held = box(layout, sizes, vertex)
            if vertex in group:
                assert ends[0] < held[0]
                assert ends[1] < held[1]
                assert held[2] < ends[2]
                assert held[3] < ends[3]
            else:
                assert not overlap(ends, held)


@pytest.mark.parametrize("seed", range(40))
def test_everything_stands_within_the_drawing(seed):
    sizes, edges, groups = random_graph(seed)
    layout = layout_of(sizes, edges, groups)
    points = [point for route in layout.routes for point in route]
    points += [(frame.x + frame.width, frame.y + frame.height) for frame in layout.frames]
    points += [box(layout, sizes, vertex)[:2] for vertex in range(len(sizes))]
    points += [box(layout, sizes, vertex)[2:] for vertex in range(len(sizes))]
    assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in points)


@pytest.mark.parametrize("seed", range(20))
def test_an_edge_passes_beside_the_frame_of_a_group_that_it_has_no_part_in(seed):
    sizes, edges, groups = random_graph(seed)
    layout = layout_of(sizes, edges, groups)
    for group, frame in zip(groups, layout.frames, strict=True):
        ends = (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height)
        for (source, target), route in zip(edges, layout.routes, strict=True):
            if source in group or target in group:
                continue
            for (x, y), (next_x, next_y) in pairwise(route):
                stretch = (min(x, next_x), min(y, next_y), max(x, next_x), max(y, next_y))
                assert not overlap((stretch[0] - 1, stretch[1], stretch[2] + 1, stretch[3]), ends)


def test_a_chain_is_drawn_on_one_straight_line():
    sizes = [(50.0 + 10 * i, 25.0) for i in range(8)]
    layout = layout_of(sizes, list(pairwise(range(8))), [range(2, 5)])
    assert len({round(x, 3) for x, _ in layout.centres}) == 1


def test_the_rows_of_a_long_edge_are_crossed_on_one_straight_line():
    edges = [*pairwise(range(6)), (0, 5)]
    route = layout_of([(60.0, 25.0)] * 6, edges).routes[-1]
    assert len({round(x, 3) for x, _ in route[2:-2]}) == 1


def test_a_diamond_is_symmetric():
    layout = layout_of([(60.0, 25.0)] * 4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    (top, _), (left, _), (right, _), (bottom, _) = layout.centres
    assert top == pytest.approx(bottom)
    assert (left + right) / 2 == pytest.approx(top)


def test_crossings_that_can_be_avoided_are_avoided():
    edges = [(0, 4), (1, 3), (2, 5), (3, 6), (4, 7), (5, 8)]
    layout = layout_of([(60.0, 25.0)] * 9, edges)
    order = sorted(range(3), key=lambda i: layout.centres[i][0])
    following = {0: 4, 1: 3, 2: 5}
    assert sorted((3, 4, 5), key=lambda i: layout.centres[i][0]) == [following[i] for i in order]


def test_a_branch_stands_right_before_what_it_feeds():
    edges = [(0, 2), (2, 3), (3, 4), (1, 4), (0, 1)]
    assert layering_of(5, edges, []).rows == (0, 2, 1, 2, 3)


def test_a_graph_of_nothing_has_a_drawing():
    layout = layout_of([], [])
    assert layout.centres == ()
    assert layout.width > 0
    assert layout.height > 0


def test_the_same_graph_is_drawn_the_same_every_time():
    graph = random_graph(7)
    assert layout_of(*graph) == layout_of(*graph)


def test_groups_with_something_between_them_have_no_order():
    edges = [(0, 1), (1, 2)]
    assert blocks_in_order(3, edges, [(0, 2)]) == []
    assert blocks_in_order(3, edges, [(0, 1)]) == [(0, 1), (2,)]


def test_a_deep_graph_with_many_long_edges_is_drawn():
    rng = random.Random(3)  # noqa: S311 - no secret
    edges = [(rng.randrange(max(0, i - 60), i), i) for i in range(1, 400) for _ in range(2)]
    layout = layout_of([(60.0, 25.0)] * 400, edges)
    assert len(layout.centres) == 400
