"""Networks as paths and as matrices."""

import os
import subprocess
import sys

import numpy as np
import pytest

from hypernets.domain.architecture.codec import (
    HashedPathCodec,
    MatrixCodec,
    PathCodec,
    operation_name,
    operations_in,
    paths_of,
)
from hypernets.domain.architecture.graph import LayerGraph, LayerNode, LayerSpec, Origin
from hypernets.domain.error import SpaceError


def graph_of(*layers: tuple[str, str, str], outputs: str) -> LayerGraph:
    """Return a network of (name, layer, names of what feeds it)."""
    nodes = tuple(
        LayerNode(name, layer, {}, tuple(inputs.split()), name, Origin(0))
        for name, layer, inputs in layers
    )
    inputs = tuple(node.name for node in nodes if node.layer == "Input")
    return LayerGraph(nodes, inputs, tuple(outputs.split()))


CELL = graph_of(
    ("in", "Input", ""),
    ("a", "Conv", "in"),
    ("b", "Pool", "in"),
    ("c", "Conv", "a"),
    ("twin", "Conv", "in"),
    ("sum", "Add", "in c b twin"),
    outputs="sum",
)


def test_an_operation_is_named_by_class_and_given_arguments() -> None:
    spec = LayerSpec("Wrap", {"size": (3, 3), "layer": LayerSpec("LSTM", {"units": 4})})
    assert operation_name(spec) == "Wrap(layer=LSTM(units=4), size=[3,3])"
    assert operation_name(LayerSpec("Input", {"shape": (4,)})) == "Input"
    assert operations_in([CELL]) == ("Add", "Conv", "Input", "Pool")


def test_paths_lead_from_inputs_to_outputs_each_once() -> None:
    assert paths_of(CELL) == {
        ("Add",), ("Conv", "Add"), ("Pool", "Add"), ("Conv", "Conv", "Add")
    }  # fmt: skip


def test_every_output_ends_paths_also_one_within_the_network() -> None:
    graph = graph_of(("x", "Input", ""), ("a", "A", "x"), ("b", "B", "a"), outputs="a b")
    assert paths_of(graph) == {("A",), ("A", "B")}


def test_a_layer_that_nothing_feeds_begins_paths() -> None:
    assert paths_of(graph_of(("a", "A", ""), ("b", "B", "a"), outputs="b")) == {("A", "B")}


def test_columns_of_paths_go_from_short_to_long() -> None:
    codec = PathCodec(["Add", "Conv", "Pool"], max_length=3)
    assert codec.n_columns == 1 + 3 + 9 + 27
    assert codec.column(()) == 0
    assert codec.column(("Pool",)) == 3
    assert codec.column(("Add", "Conv")) == 4 + 1
    assert codec.column(("Pool", "Pool", "Pool")) == 39
    assert np.flatnonzero(codec.encode(CELL)).tolist() == [1, 4 + 3, 4 + 6, 13 + 9 + 3]


def test_truncation_leaves_the_longest_paths_out() -> None:
    codec = PathCodec(["Add", "Conv", "Pool"], max_length=2, n_columns=8)
    assert np.flatnonzero(codec.encode(CELL)).tolist() == [1, 7]


def test_a_naming_of_ones_own_merges_operations() -> None:
    assert paths_of(CELL, naming=lambda node: "op") == {("op",), ("op",) * 2, ("op",) * 3}


def test_hashed_paths_are_the_same_in_another_process() -> None:
    found = np.flatnonzero(HashedPathCodec(1000).encode(CELL)).tolist()
    assert len(found) == 4
    program = (
        f"import runpy; found = runpy.run_path({__file__!r}); import numpy\n"
        "print(numpy.flatnonzero(found['HashedPathCodec'](1000).encode(found['CELL'])).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{found}\n"


def test_too_many_paths_are_refused_and_identical_ones_are_not() -> None:
    def ladder(kinds: tuple[str, str]) -> LayerGraph:
        layers, last = [("x", "Input", "")], "x"
        for k in range(20):
            layers += [(f"a{k}", kinds[0], last), (f"b{k}", kinds[1], last)]
            layers += [(f"s{k}", "Add", f"a{k} b{k}")]
            last = f"s{k}"
        return graph_of(*layers, outputs=last)

    assert len(paths_of(ladder(("A", "A")))) == 1
    with pytest.raises(SpaceError, match="at most 100,000 paths"):
        paths_of(ladder(("A", "B")))


@pytest.mark.parametrize(
    ("operations", "numbers", "message"),
    [
        (["A", "A"], {"max_length": 2}, "must be different; received 'A'"),
        (["A"], {"max_length": 0}, "max_length must be an integer >= 1; received 0"),
        (["A"], {"max_length": 2, "n_columns": 0}, "n_columns must be an integer >= 1"),
        (["A", "B"], {"max_length": 30}, "at most 10,000,000 columns"),
    ],
)
def test_a_path_codec_that_makes_no_sense_is_refused(
    operations: list[str], numbers: dict[str, int], message: str
) -> None:
    with pytest.raises(SpaceError, match=message):
        PathCodec(operations, **numbers)


def test_a_path_codec_refuses_what_it_cannot_say() -> None:
    with pytest.raises(SpaceError, match="at most 2 operations; received 3"):
        PathCodec(["Add", "Conv", "Pool"], 2).encode(CELL)
    with pytest.raises(SpaceError, match="received 'Pool'"):
        PathCodec(["Add", "Conv"], 3).encode(CELL)
    with pytest.raises(SpaceError, match="n_columns must be an integer >= 1"):
        HashedPathCodec(0)


def test_matrices_hold_edges_and_operations_and_are_padded() -> None:
    operations = ("Input", "Conv", "Pool", "Add")
    adjacency, rows = MatrixCodec(operations, size=8).encode(CELL)
    assert adjacency.shape == (8, 8)
    assert rows.shape == (8, 4)
    edges = [(0, 1), (0, 2), (0, 4), (0, 5), (1, 3), (2, 5), (3, 5), (4, 5)]
    assert list(zip(*(k.tolist() for k in np.nonzero(adjacency)), strict=True)) == edges
    assert rows[:6].argmax(axis=1).tolist() == [0, 1, 2, 1, 1, 3]
    assert rows.sum() == 6


def test_an_edge_that_is_there_twice_counts_twice() -> None:
    graph = graph_of(("x", "Input", ""), ("sum", "Add", "x x"), outputs="sum")
    adjacency, _ = MatrixCodec(("Input", "Add"), size=2).encode(graph)
    assert adjacency.tolist() == [[0, 2], [0, 0]]


def test_what_paths_and_matrices_say_comes_back_exactly() -> None:
    operations = ("Input", "Conv", "Pool", "Add")
    paths, matrices = PathCodec(operations[1:], 4), MatrixCodec(operations, size=8)
    assert paths.decode(paths.encode(CELL)) == paths_of(CELL)
    assert [paths.column(paths.path(k)) for k in range(paths.n_columns)] == [*range(121)]
    named, edges = matrices.decode(*matrices.encode(CELL))
    assert named == ("Input", "Conv", "Pool", "Conv", "Conv", "Add")
    assert edges == ((0, 1), (0, 2), (0, 4), (0, 5), (1, 3), (2, 5), (3, 5), (4, 5))
    twice = graph_of(("x", "Input", ""), ("sum", "Add", "x x"), outputs="sum")
    assert matrices.decode(*matrices.encode(twice)) == (("Input", "Add"), ((0, 1), (0, 1)))
    nothing = MatrixCodec((), size=2)
    assert nothing.decode(*nothing.encode(LayerGraph((), (), ()))) == ((), ())


@pytest.mark.parametrize("vector", [np.zeros(3), np.full(4, 2.0), np.full(4, np.nan), ["a"] * 4])
def test_what_is_no_vector_of_paths_is_refused(vector: object) -> None:
    with pytest.raises(SpaceError, match="must be 4 zeros and ones; received an array of shape"):
        PathCodec(["A"], 3).decode(vector)


@pytest.mark.parametrize("column", [-1, 4, 1.0, True, None])
def test_a_column_that_there_is_not_is_refused(column: object) -> None:
    with pytest.raises(SpaceError, match="must be an integer from 0 to 3; received"):
        PathCodec(["A"], 3).path(column)


@pytest.mark.parametrize(
    ("edges", "rows", "message"),
    [
        (np.zeros((2, 2)), np.eye(3, 2), r"shapes \(2, 2\) and \(3, 2\), not"),
        (np.full((3, 3), "0"), np.eye(3, 2), "which are no numbers"),
        (np.full((3, 3), np.inf), [[1, 0], [0, 1], [1, 0]], "not numbers from 0"),
        (np.zeros((3, 3)), np.ones((3, 2)), "not a single 1 each"),
        (np.zeros((3, 3)), [[1, 0], [0, 0], [0, 1]], "not a single 1 each"),
        (np.zeros((3, 3)), [[0.5, 0.5], [0, 1], [0, 0]], "not a single 1 each"),
        (np.eye(3, k=1) / 2, [[1, 0], [0, 1], [1, 0]], "not numbers from 0"),
        (-np.eye(3, k=1), [[1, 0], [0, 1], [1, 0]], "not numbers from 0"),
        (np.eye(3), [[1, 0], [0, 1], [1, 0]], "lead back"),
        (np.eye(3, k=1), [[1, 0], [0, 1], [0, 0]], "to rows without"),
    ],
)
def test_what_is_no_pair_of_matrices_is_refused(edges: object, rows: object, message: str) -> None:
    with pytest.raises(SpaceError, match=f"those of a network .*received .*{message}.*; decode"):
        MatrixCodec(("A", "B"), size=3).decode(edges, rows)


def test_a_matrix_codec_refuses_what_it_cannot_say() -> None:
    with pytest.raises(SpaceError, match="at most 5 layers to be encoded; received one of 6"):
        MatrixCodec(("Input", "Conv", "Pool", "Add"), size=5).encode(CELL)
    with pytest.raises(SpaceError, match="received 'Input' of 'in'"):
        MatrixCodec(("Conv", "Pool", "Add"), size=6).encode(CELL)
    with pytest.raises(SpaceError, match="must be different; received 'Conv'"):
        MatrixCodec(("Conv", "Conv"), size=6)
    with pytest.raises(SpaceError, match="size must be an integer >= 1; received 0"):
        MatrixCodec(("Conv",), size=0)
