"""Layers that put out zeros, and what the network is without them.

A layer such as `Rescaling(0)` puts out zeros whatever feeds it, and an `Add` is the same without
them. So zeros count as nothing but zeros of their shape, and what only they need is left out, but
only if that holds no weights and adds nothing to the loss: with weights, the network would be
another one to train and to store. Where a shape is not known, or a mask may be passed on, a layer
of zeros is one like any other.
"""

from collections.abc import Sequence

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, Shapes
from hypernets.domain.architecture.signature.label import MASKED, Label
from hypernets.domain.error import BuildError

__all__ = ["shape_of", "zeros_of"]


def zeros_of(
    graph: LayerGraph, nodes: Sequence[LayerNode], labels: Sequence[Label | None]
) -> dict[str, Shapes]:
    """Return the layers that count as nothing but zeros: name → shape.

    Args:
        graph: the network.
        nodes: those that its outputs need, in topological order, and its inputs.
        labels: theirs; `None` for a layer of which nothing is known.
    """
    known = {node.name: label for node, label in zip(nodes, labels, strict=True)}
    if any(label is None or label.adds & MASKED for label in labels):
        return {}
    makers = [name for name, label in known.items() if label is not None and label.is_zero]
    needed = _needed(graph, graph.outputs, stop=set(makers))
    found = {}
    for name in makers:
        only = _needed(graph, graph[name].inputs, stop=needed) - needed
        shape = shape_of(graph[name])
        if shape is not None and all(_is_silent(known[other]) for other in only):
            found[name] = shape
    return found


def shape_of(node: LayerNode) -> Shapes | None:
    """Return what a node puts out; `None` where that is not known or the shapes do not fit."""
    try:
        return node.shape
    except BuildError:
        return None


def _is_silent(label: Label | None) -> bool:
    return label is not None and label.silent


def _needed(graph: LayerGraph, ends: Sequence[str], stop: set[str]) -> set[str]:
    """Return the names of some nodes and of all that feeds them, but nothing behind `stop`."""
    found, waiting = set(ends), list(ends)
    while waiting:
        name = waiting.pop()
        if name not in stop:
            fresh = set(graph[name].inputs) - found
            found |= fresh
            waiting.extend(fresh)
    return found
