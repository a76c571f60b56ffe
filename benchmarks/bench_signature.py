"""Times signatures: a cell, an ENAS network, and networks made to be hard.

Prints one JSON line per figure, the median over repetitions on networks that were not seen before.
"""

import itertools
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from hypernets.adapters.keras.spaces.enas_micro import enas_micro_search_space
from hypernets.domain.architecture.graph import LayerGraph, LayerNode, Origin
from hypernets.domain.architecture.signature import signature_of

Edges = Sequence[tuple[int, int]]


def node(name: str, layer: str, arguments: dict[str, object], *inputs: str) -> LayerNode:
    return LayerNode(name, layer, arguments, inputs, name, Origin(0))


def cell(rng: random.Random) -> LayerGraph:
    """Return a cell of seven vertices: an input, five operations, a merge of what is unused."""
    operations = [
        ("Conv2D", {"filters": 16, "kernel_size": (3, 3), "padding": "same"}),
        ("Conv2D", {"filters": 16, "kernel_size": (1, 1), "padding": "same"}),
        ("MaxPooling2D", {"pool_size": (3, 3), "strides": 1, "padding": "same"}),
    ]
    nodes = [node("0", "Input", {"shape": (32, 32, 16)})]
    unused = {"0"}
    for i in range(1, 6):
        layer, arguments = rng.choice(operations)
        source = str(rng.randrange(i))
        unused.discard(source)
        unused.add(str(i))
        nodes.append(node(str(i), layer, dict(arguments), source))
    nodes.append(node("6", "Add", {}, *sorted(unused)))
    return LayerGraph(tuple(nodes), ("0",), ("6",))


def twins(n_branches: int, length: int) -> LayerGraph:
    """Return many branches that are all the same, summed."""
    nodes = [node("in", "Input", {"shape": (8,)})]
    ends = []
    for branch in range(n_branches):
        source = "in"
        for place in range(length):
            nodes.append(node(f"{branch} {place}", "Dense", {"units": 8}, source))
            source = nodes[-1].name
        ends.append(source)
    nodes.append(node("out", "Add", {}, *ends))
    return LayerGraph(tuple(nodes), ("in",), ("out",))


def tied_twins(n_branches: int) -> LayerGraph:
    """Return branches that are all the same and cannot be collapsed, for each feeds two merges."""
    nodes = [node("in", "Input", {"shape": (8,)})]
    for i in range(n_branches):
        nodes.append(node(f"a{i}", "Dense", {"units": 8}, "in"))
        nodes.append(node(f"b{i}", "Dense", {"units": 8}, f"a{i}"))
        nodes.append(node(f"c{i}", "Subtract", {}, f"a{i}", f"b{i}"))
    for kind in ("Add", "Maximum"):
        nodes.append(
            node(kind, kind, {}, *(f"{part}{i}" for i in range(n_branches) for part in "bc"))
        )
    return LayerGraph(tuple(nodes), ("in",), ("Add", "Maximum"))


def incidence(edges: Edges, n_vertices: int) -> LayerGraph:
    """Return a network shaped like an undirected graph: a sum for each of its edges."""
    nodes = [node("in", "Input", {"shape": (8,)})]
    nodes += [node(f"v{i}", "Dense", {"units": 8}, "in") for i in range(n_vertices)]
    nodes += [node(f"e{i}", "Add", {}, f"v{a}", f"v{b}") for i, (a, b) in enumerate(edges)]
    nodes.append(node("out", "Maximum", {}, *(f"e{i}" for i in range(len(edges)))))
    return LayerGraph(tuple(nodes), ("in",), ("out",))


def petersen() -> Edges:
    rim = [(i, (i + 1) % 5) for i in range(5)]
    return [*rim, *((i, i + 5) for i in range(5)), *((i + 5, (i + 2) % 5 + 5) for i in range(5))]


def rook() -> Edges:
    squares = list(itertools.product(range(4), repeat=2))
    pairs = itertools.combinations(range(16), 2)
    return [
        (a, b) for a, b in pairs if any(x == y for x, y in zip(squares[a], squares[b], strict=True))
    ]


def shrikhande() -> Edges:
    steps = [(1, 0), (0, 1), (1, 1)]
    squares = itertools.product(range(4), repeat=2)
    return [(4 * a + b, 4 * ((a + x) % 4) + (b + y) % 4) for a, b in squares for x, y in steps]


def random_cubic(rng: random.Random, n_vertices: int) -> Edges:
    """Return a random graph of degree three, by pairing the ends of edges until none is double."""
    while True:
        ends = [vertex for vertex in range(n_vertices) for _ in range(3)]
        rng.shuffle(ends)
        pairs = {tuple(sorted(pair)) for pair in zip(ends[::2], ends[1::2], strict=True)}
        if len(pairs) == len(ends) // 2 and all(a != b for a, b in pairs):
            return sorted((a, b) for a, b in pairs)


def median_ms(graphs: Iterator[LayerGraph], function: Callable[[LayerGraph], str]) -> float:
    times = []
    for graph in graphs:
        start = time.perf_counter()
        function(graph)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> int:
    rng = random.Random(0)  # noqa: S311 - no secret
    enas = enas_micro_search_space(arch="NR")
    figures: list[tuple[str, float, Iterator[LayerGraph]]] = [
        ("signature of a cell of 7 nodes", 0.1, (cell(rng) for _ in range(500))),
        ("signature of an ENAS network", 2.0, (enas.sample(seed).graph for seed in range(100))),
        ("signature of 60 twin branches of 3", 50.0, (twins(60, 3) for _ in range(5))),
        ("signature of 30 twin branches in a tangle", 50.0, (tied_twins(30) for _ in range(5))),
        ("signature of the Petersen graph", 50.0, (incidence(petersen(), 10) for _ in range(5))),
        ("signature of the 4x4 rook's graph", 50.0, (incidence(rook(), 16) for _ in range(5))),
        (
            "signature of the Shrikhande graph",
            50.0,
            (incidence(shrikhande(), 16) for _ in range(5)),
        ),
        (
            "signature of random cubic graphs of 20",
            50.0,
            (incidence(random_cubic(rng, 20), 20) for _ in range(9)),
        ),
    ]
    missed = 0
    for name, target, graphs in figures:
        value = median_ms(graphs, signature_of)
        missed += value > target
        line = {"name": name, "value": round(value, 4), "unit": "ms", "target": target}
        print(json.dumps(line | {"met": value <= target}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
