"""The resolved form of an architecture: a directed acyclic graph of layers, as data.

A `LayerGraph` knows nothing of the space it came from and nothing of a framework: a layer is a
class name and arguments. It is what an estimator builds, a signature digests and a drawing shows.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from hypernets.domain.error import BuildError

if TYPE_CHECKING:
    from hypernets.domain.layers.rule import Weights

__all__ = ["LayerGraph", "LayerNode", "LayerSpec", "Origin", "Shape", "Shapes", "each_shape"]

Shape = tuple[int | None, ...]
"""Sizes of one tensor, the batch first: `(None, 28, 28, 1)`. `None` is a size not known yet."""
Shapes = Shape | tuple[Shape, ...]
"""What a layer puts out: one shape, or a tuple of shapes where it has several outputs."""


def each_shape(shapes: Shapes) -> Iterator[Shape]:
    """Yield one shape for each tensor that a layer puts out."""
    if shapes and isinstance(shapes[0], tuple):
        yield from shapes
    else:
        yield shapes  # type: ignore[misc]  # one shape, not several


@attrs.frozen(slots=True)
class LayerSpec:
    """A layer to be made: its class and its arguments, all of them decided.

    Attributes:
        layer: class name as the framework calls it, `"Conv2D"`.
        arguments: the arguments that were given (defaults are left to the framework); a value may
            be another `LayerSpec`, also inside a list, tuple or dict (wrappers, recurrent cells).
        name: the layer's name, or `None` for one that the framework may name.
        factory: for a layer of the user's own, the class or function that makes it; `None` for a
            layer of the framework, which is found by `layer`.
    """

    layer: str
    arguments: Mapping[str, Any] = attrs.field(factory=dict)
    name: str | None = None
    factory: Any = None


@attrs.frozen(slots=True)
class Origin:
    """Where a node of a `LayerGraph` comes from.

    Attributes:
        node: index of the node of the frozen space.
        place: position among the layers that this node emitted (0 unless it is a macro).
    """

    node: int
    place: int = 0


class ShapeSource(Protocol):
    """What answers for the shapes of a graph, by position of the node."""

    def shape(self, index: int) -> Shapes:
        """Return what node `index` puts out."""

    def weights(self, index: int, inputs: tuple[Shape, ...]) -> "Weights":
        """Return the numbers of weights of node `index`."""


@attrs.frozen(slots=True, eq=False)
class LayerNode:
    """One use of a layer.

    Attributes:
        name: unique in its graph.
        layer: class name, `"Conv2D"`; `"Input"` is an input of the network.
        arguments: the decided arguments that were given, without the name.
        inputs: names of the nodes that feed it, in order; one name may occur twice.
        weights: name of the node whose layer (and so whose weights) this one uses; its own name
            unless the layer is shared.
        origin: the frozen node it came from.
        factory: see `LayerSpec.factory`.
    """

    name: str
    layer: str
    arguments: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: str
    origin: Origin
    factory: Any = None
    _shapes: ShapeSource | None = attrs.field(default=None, repr=False)
    _index: int = attrs.field(default=-1, repr=False)

    @property
    def spec(self) -> LayerSpec:
        """The layer to be made for this node."""
        return LayerSpec(self.layer, self.arguments, self.weights, self.factory)

    @property
    def shape(self) -> Shapes:
        """What it puts out, the batch first, inferred when first asked for.

        Raises:
            BuildError: the shapes do not fit, at this node or before it.
        """
        if self._shapes is None:
            raise BuildError(f"the shape of {self.name!r} is not known: its graph has no shapes")
        return self._shapes.shape(self._index)

    def count_weights(self, inputs: tuple[Shape, ...]) -> "Weights":
        """Return the numbers of weights of its layer, made for inputs of these shapes.

        Raises:
            BuildError: the shapes do not fit, or nothing knows the layer.
        """
        if self._shapes is None:
            raise BuildError(f"the weights of {self.name!r} are not known: its graph has no shapes")
        return self._shapes.weights(self._index, inputs)


@attrs.frozen(slots=True, eq=False)
class LayerGraph:
    """A network: its layers in topological order, and its ends.

    Attributes:
        nodes: every layer, each after those that feed it.
        inputs: names of the `"Input"` nodes, in the order of the model's inputs.
        outputs: names of the nodes whose values are the model's outputs.
    """

    nodes: tuple[LayerNode, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    _by_name: dict[str, LayerNode] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {node.name: node for node in self.nodes})

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.nodes)

    def __iter__(self) -> Iterator[LayerNode]:
        """Iterate over the nodes in topological order."""
        return iter(self.nodes)

    def __getitem__(self, name: str) -> LayerNode:
        """Return the node of that name.

        Raises:
            KeyError: there is none.
        """
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        """Say whether a node of that name is in the graph."""
        return name in self._by_name
