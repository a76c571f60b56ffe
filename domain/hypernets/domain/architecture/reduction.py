"""From a network to the structure that decides what it computes.

What the outputs do not need is left out (inputs stay, they are the interface), and so are layers
that give their input back. Names are gone. A layer used at several places, and a layer that is an
argument of several, becomes a vertex of its own, a hub, that feeds those places. Where a layer has
no weights, using it twice is no different from having two of them.

A merge with one input gives it back only if that input is one tensor. This is certain of layers
that have a rule; after another, the merge is kept, so that no two functions are taken for one.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import attrs

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, LayerSpec
from hypernets.domain.architecture.layer_text import is_weightless, layer_text, plain_key, rule_of
from hypernets.domain.architecture.structure import Structure, digest_of
from hypernets.domain.layers import LayerRule

__all__ = ["reduced"]

_REMEMBERED = 4096  # layers with plain arguments; a space has far fewer different ones
_HUB = digest_of(b"one layer at several places")


@attrs.frozen(slots=True)
class _Label:
    """What there is to know of a layer apart from its place.

    Attributes:
        digest: of its text.
        references: names of the shared layers that the text refers to, in order.
        is_input: whether it is an input of the network.
        commutative: whether the order of its inputs is irrelevant.
        gives_back: whether it puts out what it is fed with, given one tensor.
        takes_many: whether one layer may feed it several tensors.
        gives_one: whether it certainly puts out one tensor.
        weightless: whether it makes no difference that it is used at several places.
    """

    digest: bytes
    references: tuple[str, ...]
    is_input: bool
    commutative: bool
    gives_back: bool
    takes_many: bool
    gives_one: bool
    weightless: bool


_known: dict[Hashable, _Label] = {}


def reduced(graph: LayerGraph) -> Structure:
    """Return the structure of a network.

    Raises:
        BuildError: an argument of a layer does not say what it is made of.
    """
    return _Reduction(graph).run()


class _Reduction:
    def __init__(self, graph: LayerGraph) -> None:
        self._graph = graph
        self._structure = Structure()
        self._position: dict[str, int] = {}  # of a node, or of what stands in its place
        self._hubs: dict[str, int] = {}  # name of a layer used at several places → its hub
        self._arguments: dict[str, int] = {}  # name of an argument of several layers → its hub
        self._gives_one: dict[int, bool] = {}

    def run(self) -> Structure:
        nodes = self._live_nodes()
        keys = [plain_key(node) for node in nodes]
        if None in keys:
            self._add_arguments([n for n, key in zip(nodes, keys, strict=True) if key is None])
        labels = [
            _label_of(node, key, self._arguments) for node, key in zip(nodes, keys, strict=True)
        ]
        self._add_hubs(nodes, labels)
        for node, label in zip(nodes, labels, strict=True):
            self._place(node, label)
        self._mark_ends()
        return self._structure

    def _live_nodes(self) -> list[LayerNode]:
        """Return the inputs, and the nodes that the outputs need, in topological order."""
        live = {*self._graph.outputs, *self._graph.inputs}
        found = []
        for node in reversed(self._graph.nodes):
            if node.name in live:
                live.update(node.inputs)
                found.append(node)
        found.reverse()
        return found

    def _add_arguments(self, nodes: list[LayerNode]) -> None:
        """Add a hub for every layer that stands among arguments more than once."""
        seen: set[str] = set()
        layers = {node.weights: node for node in nodes}.values()
        found = [spec for node in layers for spec in _within(node.arguments, seen)]
        counts = Counter(spec.name for spec in found)
        repeated = {spec.name: spec for spec in found if spec.name and counts[spec.name] > 1}
        for name in repeated:
            self._add_argument(name, repeated)

    def _add_argument(self, name: str, repeated: Mapping[str, LayerSpec]) -> None:
        if name in self._arguments:
            return
        spec = repeated[name]
        for inner in _within(spec.arguments, set()):
            if inner.name is not None and inner.name in repeated:
                self._add_argument(inner.name, repeated)
        text, references = _told(spec, self._arguments)
        hubs = [self._arguments[reference] for reference in references]
        self._arguments[name] = self._structure.add(digest_of(b"argument", text.encode()), hubs)

    def _add_hubs(self, nodes: list[LayerNode], labels: list[_Label]) -> None:
        """Add a hub for every layer with weights that is used at several places."""
        if all(node.weights == node.name for node in nodes):
            return
        counts = Counter(
            node.weights for node, label in zip(nodes, labels, strict=True) if not label.weightless
        )
        for name, count in counts.items():
            if count > 1:
                self._hubs[name] = self._structure.add(_HUB)

    def _place(self, node: LayerNode, label: _Label) -> None:
        position = self._position
        if label.is_input and node.weights in position:  # an input used again is the same tensor
            position[node.name] = position[node.weights]
            return
        sources = [position[name] for name in node.inputs]
        if (
            label.gives_back
            and len(sources) == 1
            and (not label.takes_many or self._gives_one[sources[0]])
        ):
            position[node.name] = sources[0]
            return
        hubs = [self._arguments[name] for name in label.references]
        if not label.weightless and node.weights in self._hubs:
            hubs.append(self._hubs[node.weights])
        if label.commutative:
            vertex = self._structure.add(label.digest, hubs, sources)
        else:
            vertex = self._structure.add(label.digest, hubs + sources)
        self._gives_one[vertex] = label.gives_one
        position[node.name] = vertex
        if label.is_input:
            position[node.weights] = vertex

    def _mark_ends(self) -> None:
        for place, name in enumerate(self._graph.inputs):
            self._structure.mark(self._position[name], b"input %d" % place)
        for place, name in enumerate(self._graph.outputs):
            self._structure.mark(self._position[name], b"output %d" % place)


def _label_of(node: LayerNode, key: Hashable | None, arguments: Mapping[str, int]) -> _Label:
    if key is None:
        return _make_label(node, arguments, plain=False)
    label = _known.get(key)
    if label is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        label = _known[key] = _make_label(node, {}, plain=True)
    return label


def _make_label(node: LayerNode, arguments: Mapping[str, int], *, plain: bool) -> _Label:
    rule = rule_of(node)
    text, references = _told(node, arguments)
    gives_back = rule is not None and rule.is_identity(node.arguments, 1)
    is_input = rule is not None and rule.layer == "Input"
    return _Label(
        digest_of(text.encode()),
        references,
        is_input,
        rule is not None and rule.commutative,
        gives_back,
        rule is not None and rule.takes_many,
        rule is not None and _gives_one(rule, node.arguments),
        is_input or gives_back or (plain and is_weightless(rule)),
    )


def _told(spec: Any, arguments: Mapping[str, int]) -> tuple[str, tuple[str, ...]]:
    """Return the text of a layer, and the names of the hubs it refers to, in order."""
    references: list[str] = []

    def nested(inner: LayerSpec) -> str:
        if inner.name is not None and inner.name in arguments:
            references.append(inner.name)
            return "<hub>"
        return layer_text(inner, nested)

    return layer_text(spec, nested), tuple(references)


def _gives_one(rule: LayerRule, arguments: Mapping[str, Any]) -> bool:
    """Say whether a layer certainly puts out one tensor, whatever feeds it."""
    return (
        rule.layer != "Identity"
        and not arguments.get("return_state")
        and next(_within(arguments, set()), None) is None  # a wrapper gives what it wraps gives
    )


def _within(value: Any, seen: set[str]) -> Iterator[LayerSpec]:
    """Yield the layers in an argument, and those within them, but within a named one once only."""
    if isinstance(value, LayerSpec):
        yield value
        if value.name not in seen:
            if value.name is not None:
                seen.add(value.name)
            yield from _within(value.arguments, seen)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _within(item, seen)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _within(item, seen)
