"""Signatures against an isomorphism test that shares no code with them."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, product

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networkx.algorithms.isomorphism import categorical_edge_match, categorical_node_match

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, Origin
from hypernets.domain.architecture.signature import signature_of

COMMUTATIVE = {"Add", "Maximum"}
KINDS = [
    ("Dense", {"units": 1}),
    ("Dense", {"units": 2}),
    ("Add", {}),
    ("Maximum", {}),
    ("Concatenate", {}),
    ("Subtract", {}),
]
ASSOCIATIVE = {"Add", "Maximum", "Concatenate"}
WEIGHTED = {"Dense"}


def node(name, layer, arguments=None, inputs=(), weights=None):
    return LayerNode(name, layer, arguments or {}, tuple(inputs), weights or name, Origin(0))


@st.composite
def graphs(draw, max_layers=7):
    n_inputs = draw(st.integers(1, 2))
    nodes = [node(f"n{i}", "Input", {"shape": (2,)}) for i in range(n_inputs)]
    for i in range(n_inputs, n_inputs + draw(st.integers(1, max_layers))):
        layer, arguments = draw(st.sampled_from(KINDS))
        n_fed = 1 if layer in WEIGHTED else 2 if layer == "Subtract" else draw(st.integers(2, 3))
        fed = [f"n{draw(st.integers(0, i - 1))}" for _ in range(n_fed)]
        earlier = [n.weights for n in nodes if n.layer == layer and n.arguments == arguments]
        share = layer in WEIGHTED and earlier and draw(st.booleans())
        weights = draw(st.sampled_from(earlier)) if share else None
        nodes.append(node(f"n{i}", layer, arguments, fed, weights))
    ends = [f"n{draw(st.integers(0, len(nodes) - 1))}" for _ in range(draw(st.integers(1, 2)))]
    return LayerGraph(tuple(nodes), tuple(f"n{i}" for i in range(n_inputs)), tuple(ends))


def used_part(graph: LayerGraph) -> LayerGraph:
    """Return a graph without what no output needs."""
    used = {*graph.inputs, *graph.outputs}
    for item in reversed(graph.nodes):
        if item.name in used:
            used.update(item.inputs)
    nodes = tuple(item for item in graph if item.name in used)
    return LayerGraph(nodes, graph.inputs, graph.outputs)


def flattened(graph: LayerGraph) -> LayerGraph:
    """Return a graph with one nested merge after the other written as one with what it feeds."""
    while True:
        uses = Counter(name for item in graph for name in item.inputs) + Counter(graph.outputs)
        nested = {
            inner: item
            for item in graph
            for inner in item.inputs
            if item.layer in ASSOCIATIVE and graph[inner].layer == item.layer and uses[inner] == 1
        }
        if not nested:
            return graph
        inner, outer = next(iter(nested.items()))
        fed = []
        for name in outer.inputs:
            fed.extend(graph[inner].inputs if name == inner else [name])
        nodes = tuple(
            node(item.name, item.layer, item.arguments, fed) if item is outer else item
            for item in graph
            if item.name != inner
        )
        graph = LayerGraph(nodes, graph.inputs, graph.outputs)


def as_networkx(graph: LayerGraph) -> nx.DiGraph:
    """Return the used part of a graph: edges carry their slots, shared weights are vertices."""
    graph = flattened(used_part(graph))
    found = nx.DiGraph()
    for item in graph:
        label = (item.layer, repr(sorted(item.arguments.items())))
        ends = (
            tuple(i for i, name in enumerate(graph.inputs) if name == item.name),
            tuple(i for i, name in enumerate(graph.outputs) if name == item.name),
        )
        found.add_node(item.name, label=(label, ends))
    for item in graph:
        slots: dict[str, list[int]] = {}
        for slot, name in enumerate(item.inputs):
            slots.setdefault(name, []).append(-1 if item.layer in COMMUTATIVE else slot)
        for name, places in slots.items():
            found.add_edge(name, item.name, slots=tuple(places))
    for item in graph:
        if item.layer in WEIGHTED:
            found.add_node(("weights", item.weights), label="weights")
            found.add_edge(("weights", item.weights), item.name, slots="weights")
    return found


def are_isomorphic(one: LayerGraph, other: LayerGraph) -> bool:
    return nx.is_isomorphic(
        as_networkx(one),
        as_networkx(other),
        node_match=categorical_node_match("label", None),
        edge_match=categorical_edge_match("slots", None),
    )


def disguised(graph: LayerGraph, rng: random.Random) -> LayerGraph:
    """Return the same network: names, order of nodes and of commutative inputs are others."""
    names = [item.name for item in graph]
    new = dict(
        zip(names, rng.sample([f"m{i}" for i in range(len(names))], len(names)), strict=True)
    )
    waiting, nodes = list(graph), []
    while waiting:
        placed = {item.name for item in nodes}
        ready = [item for item in waiting if {new[name] for name in item.inputs} <= placed]
        item = rng.choice(ready)
        waiting.remove(item)
        fed = [new[name] for name in item.inputs]
        if item.layer in COMMUTATIVE:
            rng.shuffle(fed)
        renamed = node(new[item.name], item.layer, item.arguments, fed, "of " + new[item.weights])
        nodes.append(renamed)
    first = {}
    for item in nodes:  # weights are named after the first that uses them
        first.setdefault(item.weights, item.name)
    nodes = [
        node(item.name, item.layer, item.arguments, item.inputs, first[item.weights])
        for item in nodes
    ]
    return LayerGraph(
        tuple(nodes),
        tuple(new[name] for name in graph.inputs),
        tuple(new[name] for name in graph.outputs),
    )


@st.composite
def edited(draw, graph):
    """Return a graph with a few random changes, so that some come out isomorphic again."""
    nodes = list(graph)
    for _ in range(draw(st.integers(1, 2))):
        i = draw(st.integers(len(graph.inputs), len(nodes) - 1))
        old = nodes[i]
        if draw(st.booleans()):
            fed = list(old.inputs)
            fed[draw(st.integers(0, len(fed) - 1))] = f"n{draw(st.integers(0, i - 1))}"
            nodes[i] = node(old.name, old.layer, old.arguments, fed, old.weights)
        elif old.layer in WEIGHTED:
            peers = [n.weights for n in nodes[:i] if n.arguments == old.arguments]
            weights = draw(st.sampled_from([old.name, *peers]))
            nodes[i] = node(old.name, old.layer, old.arguments, old.inputs, weights)
        else:
            layer = draw(st.sampled_from(["Add", "Maximum", "Concatenate"]))
            nodes[i] = node(old.name, layer, {}, old.inputs)
    return LayerGraph(tuple(nodes), graph.inputs, graph.outputs)


@given(st.data(), graphs())
@settings(max_examples=300, deadline=None)
def test_two_networks_have_one_signature_exactly_if_they_are_isomorphic(data, graph):
    other = data.draw(st.one_of(edited(graph), graphs(max_layers=3)))
    assert (signature_of(graph) == signature_of(other)) == are_isomorphic(graph, other)


@given(graphs(max_layers=3), graphs(max_layers=3))
@settings(max_examples=300, deadline=None)
def test_small_networks_that_meet_by_chance_agree_with_the_isomorphism_test(one, other):
    assert (signature_of(one) == signature_of(other)) == are_isomorphic(one, other)


@given(graphs(max_layers=10), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_names_and_the_order_of_definition_make_no_difference(graph, rng):
    other = disguised(graph, rng)
    assert are_isomorphic(graph, other)
    assert signature_of(graph) == signature_of(other)


def nested(graph: LayerGraph, rng: random.Random) -> LayerGraph:
    """Return a graph in which some merges have a part of what they merge merged before."""
    nodes: list[LayerNode] = []
    for item in graph:
        fed = list(item.inputs)
        if item.layer in ASSOCIATIVE and len(fed) > 2 and rng.random() < 0.7:
            start = rng.randrange(len(fed) - 1)
            nodes.append(node(f"part of {item.name}", item.layer, {}, fed[start : start + 2]))
            fed[start : start + 2] = [f"part of {item.name}"]
        nodes.append(node(item.name, item.layer, item.arguments, fed, item.weights))
    return LayerGraph(tuple(nodes), graph.inputs, graph.outputs)


@given(graphs(max_layers=10), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_how_merges_are_nested_makes_no_difference(graph, rng):
    flat = flattened(used_part(graph))
    other = disguised(nested(graph, rng), rng)
    assert signature_of(graph) == signature_of(flat) == signature_of(other)


def incidence(edges: Sequence[tuple[int, int]], n_vertices: int) -> LayerGraph:
    """Return a network shaped like an undirected graph: a sum for each of its edges."""
    nodes = [node("in", "Input", {"shape": (2,)})]
    nodes += [node(f"v{i}", "Dense", {"units": 2}, ["in"]) for i in range(n_vertices)]
    nodes += [node(f"e{i}", "Add", {}, [f"v{a}", f"v{b}"]) for i, (a, b) in enumerate(edges)]
    nodes.append(node("out", "Maximum", {}, [f"e{i}" for i in range(len(edges))]))
    return LayerGraph(tuple(nodes), ("in",), ("out",))


def edges_of(graph: nx.Graph) -> list[tuple[int, int]]:
    return list(nx.convert_node_labels_to_integers(graph).edges)


def shrikhande() -> nx.Graph:
    steps = [(1, 0), (0, 1), (1, 1)]
    found = nx.Graph()
    for (a, b), (x, y) in product(product(range(4), range(4)), steps):
        found.add_edge((a, b), ((a + x) % 4, (b + y) % 4))
    return found


REGULAR = {
    "cubes": (nx.hypercube_graph(3), nx.circulant_graph(8, [1, 4])),
    "rings": (nx.cycle_graph(8), nx.disjoint_union(nx.cycle_graph(4), nx.cycle_graph(4))),
    "strongly regular": (shrikhande(), nx.line_graph(nx.complete_bipartite_graph(4, 4))),
    "random cubic": (nx.random_regular_graph(3, 14, 1), nx.random_regular_graph(3, 14, 2)),
}


@pytest.mark.parametrize("pair", REGULAR)
def test_regular_networks_that_look_alike_everywhere_are_told_apart(pair):
    one, other = REGULAR[pair]
    assert not nx.is_isomorphic(one, other)
    signatures = set()
    for graph in (one, other):
        network = incidence(edges_of(graph), len(graph))
        orders = [random.Random(seed) for seed in range(4)]  # noqa: S311 - no secret
        found = {signature_of(disguised(network, rng)) for rng in orders}
        assert found == {signature_of(network)}
        signatures |= found
    assert len(signatures) == 2


def rings(*whole: bool) -> LayerGraph:
    """Return a network of gadgets that are alike from wherever one looks, and tied together.

    A gadget is a ring of six layers, or two rings of three. Refinement takes the same course in
    both, and puts the layers whose connections differ into cells of their own all at once, so that
    only the finished numbering tells them apart.
    """
    nodes = [node("in", "Input", {"shape": (2,)})]

    def dense(name, source):
        nodes.append(node(name, "Dense", {"units": 2}, [source]))

    heads = [f"h{i}" for i in range(len(whole))]
    for head in heads:
        dense(head, "in")
    ends = []
    for i, is_whole in enumerate(whole):
        for j in (0, 1):
            dense(f"a{i}{j}", heads[i])
            dense(f"b{i}{j}", f"a{i}{j}")
        for j in (0, 1):
            across = 1 - j if is_whole else j
            nodes.append(node(f"c{i}{j}", "Maximum", {}, [f"a{i}{j}", f"b{i}{across}"]))
            ends.append(f"c{i}{j}")
    for k in (0, 1):  # twins that no collapsing removes hold the gadgets together
        nodes.append(node(f"t{k}", "Add", {}, heads))
        dense(f"u{k}", f"t{k}")
        nodes.append(node(f"v{k}", "Maximum", {}, [f"t{k}", f"u{k}"]))
        ends.append(f"v{k}")
    nodes.append(node("out", "Average", {}, ends))
    return LayerGraph(tuple(nodes), ("in",), ("out",))


@pytest.mark.parametrize("whole", [(True, False), (True, False, False), (True, True, False)])
def test_gadgets_that_only_a_finished_numbering_tells_apart_make_one_signature(whole):
    orders = [random.Random(seed) for seed in range(16)]  # noqa: S311 - no secret
    found = {signature_of(disguised(rings(*whole), rng)) for rng in orders}
    assert found == {signature_of(rings(*whole))}


def test_networks_of_such_gadgets_are_told_apart():
    kinds = [(True, True), (True, False), (False, False)]
    assert len({signature_of(rings(*whole)) for whole in kinds}) == 3
    assert signature_of(rings(True, False)) == signature_of(rings(False, True))


@given(st.integers(4, 6), st.data(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_networks_shaped_like_undirected_graphs_agree_with_the_isomorphism_test(n, data, rng):
    possible = list(combinations(range(n), 2))
    size = data.draw(st.integers(2, len(possible) - 1))
    one, other = (incidence(rng.sample(possible, size), n) for _ in range(2))
    assert (signature_of(one) == signature_of(other)) == are_isomorphic(one, other)


def cell(n: int, edges: Sequence[tuple[int, int]], operations: Sequence[str]) -> LayerGraph | None:
    """Return a cell of the kind of NAS-Bench-101; `None` if nothing reaches its output."""
    fed = {i: [a for a, b in edges if b == i] for i in range(n)}
    reached = {0}
    for i in range(1, n):
        if reached.intersection(fed[i]):
            reached.add(i)
    if n - 1 not in reached:
        return None
    nodes = [node("0", "Input", {"shape": (4, 4, 2)})]
    for i in range(1, n):
        if i in reached:
            inputs = [str(a) for a in fed[i] if a in reached]
            nodes.append(node(f"sum {i}", "Add", {}, inputs))
            if i < n - 1:
                nodes.append(node(str(i), operations[i - 1], {}, [f"sum {i}"]))
    return LayerGraph(tuple(nodes), ("0",), (f"sum {n - 1}",))


MOST_EDGES = 9  # of a cell of NAS-Bench-101


def test_the_cells_of_nas_bench_101_of_up_to_five_vertices_number_as_published():
    found: set[str] = set()
    counts = []
    for n in range(2, 6):
        possible = list(combinations(range(n), 2))
        for chosen in product([False, True], repeat=len(possible)):
            edges = [edge for edge, kept in zip(possible, chosen, strict=True) if kept]
            if len(edges) > MOST_EDGES:
                continue
            for operations in product(["Conv1", "Conv3", "Pool"], repeat=n - 2):
                graph = cell(n, edges, operations)
                if graph is not None:
                    found.add(signature_of(graph))
        counts.append(len(found))
    assert counts == [1, 7, 91, 2532]
