"""How long a signature takes: of a cell, of an ENAS network, of networks made to be hard.

Each figure is the median over networks that were not seen before; of a hard one, over five ways to
number its vertices. The hard ones are symmetric, or alike wherever one looks: twins, trees of
twins, strongly regular graphs, Cayley graphs, random regular graphs, and those of Cai, Fürer and
Immerman, each with a layer for a vertex and a sum for an edge. Sizes stand in the names.
"""

import random
import statistics
import sys
import time
from collections.abc import Iterator

import networkx as nx
from figure import figure
from hard_graph import (
    cai_furer_immerman,
    incidence,
    node,
    shrikhande,
    shuffled,
    tied_twins,
    tree,
    twins,
)

from hypernets.adapters.keras.spaces.enas_micro import enas_micro_search_space
from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.architecture.signature import signature_of

HARD = {
    "60 twin branches of 3": lambda: twins(60, 3),
    "30 twin branches in a tangle": lambda: tied_twins(30),
    "a tree of twins of depth 7": lambda: tree(7),
    "the Petersen graph, 10 vertices": nx.petersen_graph,
    "the 4x4 rook's graph, 16 vertices": lambda: rook(4),
    "the 5x5 rook's graph, 25 vertices": lambda: rook(5),
    "the Shrikhande graph, 16 vertices": shrikhande,
    "the Paley graph of 29 vertices": lambda: paley(29),
    "the triangular graph of 21 vertices": lambda: nx.line_graph(nx.complete_graph(7)),
    "the 5-dimensional cube, 32 vertices": lambda: nx.hypercube_graph(5),
    "a circulant graph of 80 vertices": lambda: nx.circulant_graph(80, [1, 7]),
    "4 rings of 10 vertices": lambda: nx.disjoint_union_all([nx.cycle_graph(10)] * 4),
    "a Cai-Furer-Immerman graph of 40 vertices": lambda: twisted(nx.complete_graph(4)),
    "a Cai-Furer-Immerman graph of 60 vertices": lambda: twisted(nx.complete_bipartite_graph(3, 3)),
}
RANDOM_REGULAR = ((3, 20), (3, 40), (4, 30))


def main() -> int:
    rng = random.Random(0)  # noqa: S311 - no secret
    enas = enas_micro_search_space(arch="NR")
    met = [
        time_of("a cell of 7 nodes", (cell(rng) for _ in range(500)), 0.1),
        time_of("an ENAS network", (enas.sample(seed).graph for seed in range(100)), 2.0),
        *(time_of(name, numbered(make(), rng), 50.0) for name, make in HARD.items()),
        *(
            time_of(
                f"random {degree}-regular graphs of {size} vertices",
                (incidence(nx.random_regular_graph(degree, size, seed)) for seed in range(9)),
                50.0,
            )
            for degree, size in RANDOM_REGULAR
        ),
    ]
    return 0 if all(met) else 1


def time_of(name: str, graphs: Iterator[LayerGraph], target_ms: float) -> bool:
    times = []
    for graph in graphs:
        start = time.perf_counter()
        signature_of(graph)
        times.append(1e3 * (time.perf_counter() - start))
        layers = len(graph)
    return figure(
        f"signature of {name}",
        statistics.median(times),
        "ms",
        target_ms,
        worst=round(max(times), 3),
        layers=layers,
    )


def numbered(graph: LayerGraph | nx.Graph, rng: random.Random) -> Iterator[LayerGraph]:
    """Yield the network with its vertices in five orders."""
    for _ in range(5):
        if isinstance(graph, LayerGraph):
            yield graph
        else:
            yield incidence(shuffled(graph, rng.sample(list(graph), len(graph))))


def rook(size: int) -> nx.Graph:
    """Return the graph of the squares of a board that a rook moves between."""
    return nx.line_graph(nx.complete_bipartite_graph(size, size))


def twisted(base: nx.Graph) -> nx.Graph:
    return cai_furer_immerman(base, twisted=True)


def paley(size: int) -> nx.Graph:
    """Return the graph of the numbers below a prime that differ by a square."""
    return nx.circulant_graph(size, sorted({i * i % size for i in range(1, size)}))


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


if __name__ == "__main__":
    sys.exit(main())
