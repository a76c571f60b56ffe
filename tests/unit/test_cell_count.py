"""How many different cells there are: the counts that the two benchmarks publish."""

import itertools
import json

import pytest

from hypernets.adapters.keras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Input,
    MaxPooling2D,
)
from hypernets.adapters.keras.spaces.cell_graph import (
    CellGraphs,
    sources_of,
    vertex_channels,
    vertex_count,
)
from hypernets.adapters.keras.spaces.nas_bench_101 import (
    nas_bench_101_cell_space,
    nas_bench_101_decisions,
    nas_bench_101_search_space,
)
from hypernets.adapters.keras.spaces.nas_bench_201 import (
    nas_bench_201_cell_space,
    nas_bench_201_decisions,
    nas_bench_201_search_space,
)
from hypernets.domain.architecture.signature.expression import expression_of
from hypernets.domain.error import SpaceError
from hypernets.domain.space import HyperSpace, InputChoice, Or

PUBLISHED_CELLS = {3: 7, 4: 91, 5: 2532}  # of up to so many vertices and 9 edges
OPERATION_201 = ("Activation", "Conv2D", "BatchNormalization")


def conv_bn_relu(kernel_size, x=None):
    convolution = Conv2D(4, kernel_size, padding="same")
    if x is not None:
        convolution(x)
    return Activation("relu")(BatchNormalization()(convolution))


def cells_of_any_numbering(vertices):
    """Every vertex chooses among all that come before it; what nothing chooses is not there."""
    space = HyperSpace()
    with space.as_default():
        image = Input(shape=(8, 8, 3))
        values = []
        for _ in range(vertices - 2):
            sources = [conv_bn_relu(1, image), *values]
            total = Add()(InputChoice(sources)(sources))
            pool = MaxPooling2D(3, strides=1, padding="same")
            values.append(Or([conv_bn_relu(3), conv_bn_relu(1), pool])(total))
        ends = [conv_bn_relu(1, image), *values]
        Add()(InputChoice(ends)(ends))
    return space


def edges_of(architecture):
    return sum(len(node.inputs) for node in architecture.graph if node.layer == "Add")


@pytest.fixture(scope="module")
def whole_space():
    return nas_bench_101_search_space()


@pytest.mark.parametrize("vertices", [3, 4, 5])
def test_cells_numbered_in_every_way_are_as_many_networks_as_published(vertices):
    found = cells_of_any_numbering(vertices).every_architecture()
    signatures = {cell.signature for cell in found if edges_of(cell) <= 9}
    assert len(signatures) == PUBLISHED_CELLS[vertices]


@pytest.mark.parametrize("vertices", [3, 4, 5])
def test_the_space_of_nas_bench_101_holds_as_many_networks_as_published(vertices):
    space = nas_bench_101_cell_space((8, 8, 4), 4, max_vertices=vertices, merge="add")
    assert len({cell.signature for cell in space.every_architecture()}) == PUBLISHED_CELLS[vertices]


def test_the_whole_space_of_nas_bench_101_is_counted(whole_space):
    graphs = CellGraphs(7, 9)
    assert len(graphs) == 2494
    expected = sum(3 ** (vertex_count(graph) - 2) for graph in graphs)
    assert whole_space.count() == expected == 450_808


def orbits(graph):
    """Return how many labellings of a graph differ, by Burnside's lemma."""
    inner = range(1, vertex_count(graph) - 1)
    edges = set(graph)
    fixed = []
    for order in itertools.permutations(inner):
        to = dict(zip(inner, order, strict=True)) | {0: 0, vertex_count(graph) - 1: len(inner) + 1}
        if all((to[a], to[b]) in edges for a, b in graph):
            fixed.append(3 ** cycles({v: to[v] for v in inner}))
    return sum(fixed) // len(fixed)


def cycles(permutation):
    count, left = 0, set(permutation)
    while left:
        count += 1
        vertex = left.pop()
        while (vertex := permutation[vertex]) in left:
            left.remove(vertex)
    return count


def test_the_graphs_hold_the_423624_published_cells():
    assert sum(orbits(graph) for graph in CellGraphs(7, 9)) == 423_624


def test_every_number_leads_to_a_cell_of_nas_bench_101_and_back(whole_space):
    for index in range(0, whole_space.count(), 20_011):
        assert whole_space.rank(whole_space.unrank(index)) == index


def test_the_decisions_of_a_cell_go_through_json(whole_space):
    architecture = whole_space.sample(3)
    assert whole_space.architecture(json.loads(json.dumps(architecture.decisions))) == architecture
    with pytest.raises(SpaceError, match="graph"):
        whole_space.architecture(architecture.decisions | {"graph": [[0, 2], [2, 3]]})


def test_a_shape_stands_once_whatever_its_numbering():
    graphs = CellGraphs(5, 9)
    assert list(graphs)[:4] == [
        ((0, 1),),
        ((0, 1), (1, 2)),
        ((0, 1), (0, 2), (1, 2)),
        ((0, 1), (1, 2), (2, 3)),
    ]
    assert graphs.index([[1, 2], [0, 1]]) == 1
    twin = ((0, 1), (0, 2), (1, 3), (2, 3), (1, 4), (3, 4))  # with 1 and 2 the other way round
    other = ((0, 1), (0, 2), (1, 3), (2, 3), (2, 4), (3, 4))
    assert (twin in set(graphs)) != (other in set(graphs))


def test_vertices_share_the_channels_of_the_output():
    graph = ((0, 1), (1, 2), (0, 3), (2, 4), (1, 5), (3, 5), (4, 5))
    # 1, 3 and 4 lead to the output; 2 is as wide as 4, and 1 is wider than 2 by one
    assert vertex_channels(graph, 128) == (0, 43, 42, 43, 42, 128)
    assert sources_of(graph, 5) == [1, 3, 4]


@pytest.mark.parametrize(("argument", "value"), [("max_vertices", 8), ("max_vertices", 1)])
def test_a_size_of_cells_that_is_out_of_range_is_refused(argument, value):
    with pytest.raises(SpaceError, match="max_vertices must be from 2 to 7; received"):
        nas_bench_101_cell_space(**{argument: value})


def test_a_merge_that_is_unknown_is_refused():
    with pytest.raises(SpaceError, match="merge must be one of concatenate, add; received 'sum'"):
        nas_bench_101_cell_space(merge="sum")


def test_fewer_channels_than_vertices_that_share_them_are_refused():
    with pytest.raises(SpaceError, match="filters must be an integer >= 5; received 4"):
        nas_bench_101_search_space(filters=4)


def test_a_cell_that_does_not_fit_the_benchmark_is_refused():
    with pytest.raises(SpaceError, match="one of conv3x3-bn-relu"):
        nas_bench_101_decisions([(0, 1), (1, 2)], ["input", "output"])
    with pytest.raises(SpaceError, match="each of 6 edges; received 5"):
        nas_bench_201_decisions(["none"] * 5)


def test_nas_bench_201_has_15625_codes_12751_cells_of_merged_skips_and_6466_without_zeros():
    space = nas_bench_201_cell_space((8, 8, 2))
    assert space.count() == 15_625
    merged, absorbed, exact = set(), set(), set()
    codes = 0
    for architecture in space.every_architecture():
        graph = architecture.graph
        codes += 1
        exact.add(architecture.signature)
        merged.add(expression_of(graph, operations=[OPERATION_201]))
        absorbed.add(expression_of(graph, operations=[OPERATION_201], absorb_zeros=True))
    assert codes == 15_625
    assert len(merged) == 12_751
    assert len(absorbed) == 6_466
    assert len(exact) == 8_410  # networks, where a value used twice is not two equal values


def test_all_cells_of_a_network_share_their_choices():
    space = nas_bench_201_search_space()
    assert space.count() == 15_625
    assert sorted(decision.name for decision in space.decisions) == [
        *("edge_0_1", "edge_0_2", "edge_0_3", "edge_1_2", "edge_1_3", "edge_2_3")
    ]
