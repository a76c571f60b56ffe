"""Networks that are hard to tell apart: many of their parts are alike from wherever one looks."""

from collections.abc import Hashable, Iterable
from itertools import combinations, product

import networkx as nx

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, Origin

__all__ = [
    "cai_furer_immerman",
    "incidence",
    "node",
    "shrikhande",
    "shuffled",
    "tied_twins",
    "tree",
    "twins",
]


def node(name: str, layer: str, arguments: dict[str, object], *inputs: str) -> LayerNode:
    return LayerNode(name, layer, arguments, inputs, name, Origin(0))


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


def tree(depth: int) -> LayerGraph:
    """Return twins of twins of twins: a binary tree of layers, merged back as it branched."""
    nodes = [node("in", "Input", {"shape": (8,)})]

    def grow(source: str, path: str) -> str:
        nodes.append(node(f"a{path}", "Dense", {"units": 8}, source))
        if len(path) == depth:
            return f"a{path}"
        ends = [grow(f"a{path}", path + side) for side in "lr"]
        nodes.append(node(f"m{path}", "Average", {}, *ends))
        return f"m{path}"

    end = grow("in", "")
    return LayerGraph(tuple(nodes), ("in",), (end,))


def incidence(graph: nx.Graph) -> LayerGraph:
    """Return a network shaped like an undirected graph: a layer a vertex, a sum for each edge."""
    number = {vertex: place for place, vertex in enumerate(graph)}
    edges = [(number[a], number[b]) for a, b in graph.edges]
    nodes = [node("in", "Input", {"shape": (8,)})]
    nodes += [node(f"v{i}", "Dense", {"units": 8}, "in") for i in range(len(graph))]
    nodes += [node(f"e{i}", "Add", {}, f"v{a}", f"v{b}") for i, (a, b) in enumerate(edges)]
    nodes.append(node("out", "Maximum", {}, *(f"e{i}" for i in range(len(edges)))))
    return LayerGraph(tuple(nodes), ("in",), ("out",))


def shrikhande() -> nx.Graph:
    """Return the strongly regular graph that shares its parameters with the 4 by 4 rook's graph."""
    found = nx.Graph()
    for (a, b), (x, y) in product(product(range(4), range(4)), [(1, 0), (0, 1), (1, 1)]):
        found.add_edge((a, b), ((a + x) % 4, (b + y) % 4))
    return found


def cai_furer_immerman(base: nx.Graph, *, twisted: bool) -> nx.Graph:
    """Return a graph that local refinement of any fixed dimension fails to tell from its twin.

    References:
        Cai, Fürer & Immerman (1992), "An optimal lower bound on the number of variables for graph
        identification".
    """
    found = nx.Graph()
    for vertex in base:
        around = sorted(base[vertex])
        for size in range(0, len(around) + 1, 2):
            for chosen in combinations(around, size):
                for other in around:
                    found.add_edge((vertex, chosen), _end(vertex, other, other in chosen))
    for place, (a, b) in enumerate(base.edges):
        for side in (False, True):
            found.add_edge(_end(a, b, side), _end(b, a, side != (twisted and place == 0)))
    return found


def _end(vertex: Hashable, other: Hashable, side: bool) -> tuple[Hashable, ...]:
    return ("end", vertex, other, side)


def shuffled(graph: nx.Graph, order: Iterable[Hashable]) -> nx.Graph:
    """Return the graph with its vertices in another order."""
    found = nx.Graph()
    found.add_nodes_from(order)
    found.add_edges_from(graph.edges)
    return found
