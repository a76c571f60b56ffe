"""From a network to the structure that decides what it computes.

What the outputs do not need is left out (inputs stay, they are the interface), and so are layers
that give their input back, and zeros that are added. Nested merges of one kind become one. Names
are gone. A layer used at several places, and a layer that is an argument of several, becomes a
vertex of its own, a hub, that feeds those places. Where a layer has no weights, using it twice is
no different from having two of them.

A merge with one input gives it back only if that input is one tensor, and nested merges are one
only if what the inner one merges is certainly floats without a mask. This is certain of layers that
have a rule; after another, the merge is kept, so that no two functions are taken for one.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, LayerSpec, Shapes
from hypernets.domain.architecture.signature.association import flattened
from hypernets.domain.architecture.signature.label import (
    Label,
    label_of,
    layers_within,
    plain_label,
    told,
)
from hypernets.domain.architecture.signature.structure import Structure, digest_of
from hypernets.domain.architecture.signature.zero import shape_of, zeros_of

__all__ = ["reduced"]

_HUB = digest_of(b"one layer at several places")


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
        self._doubts: dict[int, int] = {}  # about what a vertex puts out
        self._associative: set[int] = set()  # merges that may give way to what feeds them
        self._nested: set[int] = set()  # those of them that feed a merge like them
        self._zeros: dict[str, Shapes] = {}  # name of what counts as zeros → their shape
        self._zero_of: dict[Shapes, int] = {}  # shape → zeros that something reads

    def run(self) -> Structure:
        nodes = self._live_nodes()
        plain = [plain_label(node) for node in nodes]
        if any(label is not None and label.is_zero for label in plain):
            self._zeros = zeros_of(self._graph, nodes, plain)
            nodes = self._live_nodes(self._zeros)
            plain = [plain_label(node) for node in nodes]
        if None in plain:
            self._add_arguments([n for n, known in zip(nodes, plain, strict=True) if known is None])
        labels = [
            label_of(node, self._arguments) if known is None else known
            for node, known in zip(nodes, plain, strict=True)
        ]
        self._add_hubs(nodes, labels)
        for node, label in zip(nodes, labels, strict=True):
            self._place(node, label)
        ends = {self._vertex(name) for name in self._graph.outputs}
        if self._nested:
            self._flatten(ends)
        self._mark_ends()
        return self._structure

    def _live_nodes(self, sources: Collection[str] = ()) -> list[LayerNode]:
        """Return the inputs, and the nodes that the outputs need, in topological order.

        Args:
            sources: names of nodes that need nothing themselves.
        """
        live = {*self._graph.outputs, *self._graph.inputs}
        found = []
        for node in reversed(self._graph.nodes):
            if node.name in live:
                found.append(node)
                if node.name not in sources:
                    live.update(node.inputs)
        found.reverse()
        return found

    def _add_arguments(self, nodes: list[LayerNode]) -> None:
        """Add a hub for every layer that stands among arguments more than once."""
        seen: set[str] = set()
        layers = {node.weights: node for node in nodes}.values()
        found = [spec for node in layers for spec in layers_within(node.arguments, seen)]
        counts = Counter(spec.name for spec in found)
        repeated = {spec.name: spec for spec in found if spec.name and counts[spec.name] > 1}
        for name in repeated:
            self._add_argument(name, repeated)

    def _add_argument(self, name: str, repeated: Mapping[str, LayerSpec]) -> None:
        if name in self._arguments:
            return
        spec = repeated[name]
        for inner in layers_within(spec.arguments, set()):
            if inner.name is not None and inner.name in repeated:
                self._add_argument(inner.name, repeated)
        text, references = told(spec, self._arguments)
        hubs = [self._arguments[reference] for reference in references]
        self._arguments[name] = self._structure.add(digest_of(b"argument", text.encode()), hubs)

    def _add_hubs(self, nodes: list[LayerNode], labels: list[Label]) -> None:
        """Add a hub for every layer with weights that is used at several places."""
        if all(node.weights == node.name for node in nodes):
            return
        counts = Counter(
            node.weights for node, label in zip(nodes, labels, strict=True) if not label.weightless
        )
        for name, count in counts.items():
            if count > 1:
                self._hubs[name] = self._structure.add(_HUB)

    def _place(self, node: LayerNode, label: Label) -> None:
        position = self._position
        if label.is_input and node.weights in position:  # an input used again is the same tensor
            position[node.name] = position[node.weights]
            return
        if node.name in self._zeros:
            return
        names: Sequence[str] = node.inputs
        if self._zeros:
            if label.drops_zeros:
                names = self._without_zeros(node)
            if label.gives_back and len(names) == 1 and names[0] in self._zeros:
                self._zeros[node.name] = self._zeros[names[0]]
                return
        sources = [self._vertex(name) for name in names]
        if (
            label.gives_back
            and len(sources) == 1
            and (not label.takes_many or self._gives_one[sources[0]])
        ):
            position[node.name] = sources[0]
            return
        vertex = position[node.name] = self._add(node, label, sources)
        if label.is_input:
            position[node.weights] = vertex

    def _add(self, node: LayerNode, label: Label, sources: list[int]) -> int:
        """Add the vertex of a layer and note what is certain of it."""
        hubs = [self._arguments[name] for name in label.references]
        if not label.weightless and node.weights in self._hubs:
            hubs.append(self._hubs[node.weights])
        if label.commutative:
            vertex = self._structure.add(label.digest, hubs, sources)
        else:
            vertex = self._structure.add(label.digest, hubs + sources)
        self._gives_one[vertex] = label.gives_one
        doubts = 0
        for source in sources:
            doubts |= self._doubts[source]
        self._doubts[vertex] = label.adds | (label.passes & doubts)
        if label.associative:
            self._note_nested(label, sources)
            if not doubts:
                self._associative.add(vertex)
        return vertex

    # --- nested merges --------------------------------------------------------

    def _note_nested(self, label: Label, sources: list[int]) -> None:
        for source in sources:
            if source in self._associative and self._structure.labels[source] == label.digest:
                self._nested.add(source)

    def _flatten(self, ends: AbstractSet[int]) -> None:
        self._structure, number = flattened(self._structure, self._nested, ends)
        self._position = {
            name: number[vertex] for name, vertex in self._position.items() if vertex in number
        }

    # --- zeros ----------------------------------------------------------------

    def _vertex(self, name: str) -> int:
        """Return the vertex of a node; zeros of one shape are all the same one."""
        if name not in self._position:
            shape = self._zeros[name]
            if shape not in self._zero_of:
                vertex = self._structure.add(digest_of(b"zeros", repr(shape).encode()))
                self._zero_of[shape] = vertex
                self._gives_one[vertex], self._doubts[vertex] = True, 0
            self._position[name] = self._zero_of[shape]
        return self._position[name]

    def _without_zeros(self, node: LayerNode) -> list[str]:
        """Return what feeds a sum without zeros that only give it the shape it has anyway.

        Of zeros alone, one is left.
        """
        shape, graph = shape_of(node), self._graph
        others = [name for name in node.inputs if name not in self._zeros]
        full = [name for name in node.inputs if shape_of(graph[name]) == shape]
        if shape is not None and any(name in others for name in full):
            return others
        if shape is not None and full and not others:
            return full[:1]
        return list(node.inputs)

    def _mark_ends(self) -> None:
        for place, name in enumerate(self._graph.inputs):
            self._structure.mark(self._position[name], b"input %d" % place)
        for place, name in enumerate(self._graph.outputs):
            self._structure.mark(self._position[name], b"output %d" % place)
