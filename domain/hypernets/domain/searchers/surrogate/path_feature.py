"""What a network does, as a set: the sequences of layers along its paths."""

from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.architecture.signature.label import Label, plain_label

__all__ = ["path_features"]

_LONGEST = 3  # layers in a sequence
_MODULUS = (1 << 61) - 1


def path_features(graph: LayerGraph) -> frozenset[int]:
    """Return numbers that stand for the sequences of up to three layers along a network's paths.

    A layer counts with its class and arguments. Layers that give their input back are passed over,
    and what is on no path without zeros is left out: what is left is what the network computes.
    Shorter sequences than whole paths are shared by networks that are not the same, so that
    something can be learned from them. The numbers are the same in every process.

    References:
        White, Neiswanger & Savani (2021), "BANANAS: Bayesian optimization with neural architectures
        for neural architecture search", section 4 (path encoding); Ru, Wan, Dong & Osborne (2021),
        "Interpretable neural architecture search via Bayesian optimisation with
        Weisfeiler-Lehman kernels", for pieces of a graph as its features.
    """
    labels = {node.name: plain_label(node) for node in graph}
    alive = _alive(graph, labels)
    found: set[int] = set()
    ending: dict[str, list[frozenset[int]]] = {}  # sequences of 1, 2, … layers that end at a node
    for node in graph:
        if node.name not in alive:
            continue
        label = labels[node.name]
        before = [ending[source] for source in node.inputs if source in alive]
        joined = [frozenset[int]().union(*(one[k] for one in before)) for k in range(_LONGEST)]
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
    else:
        code = int.from_bytes(label.digest[:7], "big")
    return frozenset((number * 1_000_003 + code) % _MODULUS for number in before)
