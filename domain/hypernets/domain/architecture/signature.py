"""Signatures: a digest of the function that a network computes.

Names do not matter, nor does the order of the inputs of a commutative merge. The digest is stable
across processes and machines, and carries a version.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, LayerSpec
from hypernets.domain.layers import rule_for

__all__ = ["VERSION", "signature_of", "signature_of_decisions"]

VERSION = 1


def signature_of(graph: LayerGraph) -> str:
    """Return the signature of a network, 32 hexadecimal digits after the version."""
    above: dict[str, str] = {}
    for node in graph.nodes:
        fed = [above[name] for name in node.inputs]
        rule = None if node.factory is not None else rule_for(node.layer)
        if rule is not None and rule.commutative:
            fed.sort()
        above[node.name] = _digest(_layer_text(node), *fed)
    below = {node.name: [] for node in graph.nodes}
    for place, name in enumerate(graph.outputs):
        below[name].append(f"output {place}")
    seen_from: dict[str, str] = {}
    for node in reversed(graph.nodes):
        seen_from[node.name] = _digest(above[node.name], *sorted(below[node.name]))
        for name in node.inputs:
            below[name].append(seen_from[node.name])
    return f"{VERSION}-{_digest(*sorted(seen_from.values()))}"


def signature_of_decisions(decisions: Mapping[str, Any]) -> str:
    """Return a signature of decisions, for a space without layers."""
    return f"{VERSION}-{_digest('decisions', _text(dict(decisions)))}"


def _layer_text(node: LayerNode) -> str:
    shared = "" if node.weights == node.name else "shared"
    return f"{node.layer}{_text(dict(node.arguments))}{_text(node.factory)}{shared}"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k!r}:{_text(value[k])}" for k in sorted(value, key=str)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, LayerSpec):
        return f"{value.layer}{_text(dict(value.arguments))}{_text(value.factory)}"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    if isinstance(value, type) or callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value)}"
    return repr(value)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
