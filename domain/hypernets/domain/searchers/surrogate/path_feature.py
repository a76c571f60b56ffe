"""What a network does, as a set: the sequences of layers along its paths."""

from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.architecture.signature.label import Label, plain_label

__all__ = ["path_features"]

_MOST_PATHS = 400  # different ones into one layer; of larger networks, short pieces are taken
_PIECE = 3  # layers in a piece
_MODULUS = (1 << 61) - 1


def path_features(graph: LayerGraph) -> frozenset[int]:
    """Return numbers that stand for the paths of a network from its inputs to its outputs.

    A path is the sequence of its layers (class and arguments). Layers that give their input back
    are passed over, and a path ends at a layer that puts out zeros: what is left is what the
    network computes. Networks with more than 400 paths into one layer are described by the
    sequences of up to three layers in them. The numbers are the same in every process.

    References:
        White, Neiswanger & Savani (2021), "BANANAS: Bayesian optimization with neural architectures
        for neural architecture search", section 4 (path encoding); Ru, Wan, Dong & Osborne (2021),
        "Interpretable neural architecture search via Bayesian optimisation with
        Weisfeiler-Lehman kernels", for pieces of a graph as its features.
    """
    labels = {node.name: plain_label(node) for node in graph}
    whole = _paths(graph, labels)
    return _pieces(graph, labels) if whole is None else whole


def _paths(graph: LayerGraph, labels: dict[str, Label | None]) -> frozenset[int] | None:
    ending: dict[str, frozenset[int]] = {}
    for node in graph:
        before = frozenset({1}) if not node.inputs else frozenset[int]()
        before = before.union(*(ending[source] for source in node.inputs))
        if len(before) > _MOST_PATHS:
            return None
        ending[node.name] = _followed(before, labels[node.name], node.layer)
    return frozenset[int]().union(*(ending[name] for name in graph.outputs))


def _pieces(graph: LayerGraph, labels: dict[str, Label | None]) -> frozenset[int]:
    alive = _alive(graph, labels)
    found: set[int] = set()
    ending: dict[str, list[frozenset[int]]] = {}  # sequences of 1, 2, … layers that end at a node
    for node in graph:
        if node.name not in alive:
            continue
        label = labels[node.name]
        before = [ending[source] for source in node.inputs if source in alive]
        joined = [frozenset[int]().union(*(one[k] for one in before)) for k in range(_PIECE)]
        if label is not None and (label.gives_back or label.is_input):
            ending[node.name] = joined
            continue
        shorter = [frozenset({1}), *joined[:-1]]
        own = [_followed(each, label, node.layer) for each in shorter]
        ending[node.name] = own
        found.update(*own)
    return frozenset(found)


def _alive(graph: LayerGraph, labels: dict[str, Label | None]) -> set[str]:
    """Return the nodes that lie on a path without zeros from an input to an output."""
    fed: set[str] = set()
    for node in graph:
        label = labels[node.name]
        if not (label is not None and label.is_zero) and (
            not node.inputs or any(source in fed for source in node.inputs)
        ):
            fed.add(node.name)
    used: set[str] = set(graph.outputs)
    for node in reversed(list(graph)):
        if node.name in used and node.name in fed:
            used.update(node.inputs)
    return fed & used


def _followed(before: frozenset[int], label: Label | None, layer: str) -> frozenset[int]:
    """Return the sequences with one more layer."""
    if label is None:  # a layer of which nothing but its class is certain
        code = int.from_bytes(layer.encode()[:16], "big")
    elif label.is_zero:
        return frozenset()
    elif label.gives_back or label.is_input:
        return before
    else:
        code = int.from_bytes(label.digest[:7], "big")
    return frozenset((number * 1_000_003 + code) % _MODULUS for number in before)
