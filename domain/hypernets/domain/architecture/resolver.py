"""Resolving: from decisions to the graph of layers.

The frozen nodes that the outputs need are visited once, inputs first. Each has a value, a tuple of
tensors; a tensor is the position of the graph node that makes it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.decided import active_inputs
from hypernets.domain.architecture.graph import (
    LayerGraph,
    LayerNode,
    LayerSpec,
    Origin,
    Shape,
    Shapes,
    each_shape,
)
from hypernets.domain.error import BuildError
from hypernets.domain.layers import ShapeOracle, Weights, count_weights, infer_shape
from hypernets.domain.space.frozen import FrozenSpace, Layer, Loose, Macro

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["resolve"]


def resolve(architecture: "Architecture") -> LayerGraph:
    """Return the network of an architecture.

    Raises:
        BuildError: its decisions do not make a network: a layer is left without input, an argument
            has no value that suits it, two layers have one name, shapes that a macro reads do not
            fit, or nothing reaches an output.
    """
    return _Resolution(architecture).run()


class ShapeTable:
    """Shapes of the nodes of one graph, inferred as they are asked for, each once."""

    def __init__(self) -> None:
        self._specs: list[tuple[LayerSpec, tuple[int, ...], ShapeOracle | None]] = []
        self._shapes: list[Shapes | None] = []

    def add(self, spec: LayerSpec, inputs: tuple[int, ...], oracle: ShapeOracle | None) -> None:
        """Take the next node in."""
        self._specs.append((spec, inputs, oracle))
        self._shapes.append(None)

    def shape(self, index: int) -> Shapes:
        """Return what node `index` puts out.

        Raises:
            BuildError: the shapes do not fit, at this node or before it.
        """
        shapes = self._shapes
        known = shapes[index]
        if known is not None:
            return known
        stack = [index]
        while stack:
            top = stack[-1]
            if shapes[top] is not None:
                stack.pop()
                continue
            spec, inputs, oracle = self._specs[top]
            missing = [i for i in inputs if shapes[i] is None]
            if missing:
                stack.extend(missing)
                continue
            shapes[top] = self._infer(spec, inputs, oracle)
            stack.pop()
        result = shapes[index]
        assert result is not None
        return result

    def weights(self, index: int, inputs: tuple[Shape, ...]) -> Weights:
        """Return the numbers of weights of node `index`.

        Raises:
            BuildError: the shapes do not fit, or nothing knows the layer.
        """
        spec, _, oracle = self._specs[index]
        return count_weights(spec, inputs, oracle)

    def _infer(
        self, spec: LayerSpec, inputs: tuple[int, ...], oracle: ShapeOracle | None
    ) -> Shapes:
        given: list[Shape] = []
        for i in inputs:
            shape = self._shapes[i]
            assert shape is not None
            given.extend(each_shape(shape))
        try:
            return infer_shape(spec, tuple(given), oracle)
        except BuildError as error:
            if spec.name and spec.name not in str(error):
                raise type(error)(f"at {spec.name!r}: {error}") from error
            raise


class _Resolution:
    def __init__(self, architecture: "Architecture") -> None:
        self._frozen: FrozenSpace = architecture.frozen
        self._evaluate = architecture.evaluation()
        self._nodes: list[LayerNode] = []
        self._taken: dict[str, int] = {}
        self._inputs: list[str] = []
        self._shapes = ShapeTable()
        self._values: dict[int, tuple[int, ...]] = {}
        # for ConnectLooseEnd: which of the inputs of any such op a node is computed from
        self._loose_bits = self._frozen.loose_bits
        self._sources: dict[int, int] = {}

    def run(self) -> LayerGraph:
        for position in self._frozen.inputs:  # all of them, used or not: the data stay the same
            self._visit(position, ())
        for position in self._frozen.outputs:
            self._walk(position)
        outputs: list[int] = []
        for position in self._frozen.outputs:
            value = self._values[self._frozen.sources[position]]
            if not value and self._nodes:
                raise BuildError(
                    f"an output must have a value; received none from "
                    f"{self._frozen.names[position]!r}, which this architecture has cut off; use "
                    "keep_link=True in the Optional before it"
                )
            outputs.extend(value)
        nodes = self._nodes
        return LayerGraph(
            tuple(nodes), tuple(self._inputs), tuple(nodes[tensor].name for tensor in outputs)
        )

    def _walk(self, output: int) -> None:
        """Visit what an output needs, inputs first, with a stack of its own."""
        values = self._values
        output = self._frozen.sources[output]
        if output in values:
            return
        stack = [(output, self._inputs_of(output))]
        while stack:
            position, ins = stack[-1]
            if position in values:
                stack.pop()
                continue
            missing = [i for i in ins if i not in values]
            if missing:
                missing.reverse()
                stack += [(i, self._inputs_of(i)) for i in missing]
            else:
                stack.pop()
                self._visit(position, ins)

    def _inputs_of(self, position: int) -> list[int]:
        sources = self._frozen.sources
        return [sources[i] for i in active_inputs(self._frozen, position, self._evaluate)]

    def _visit(self, position: int, ins: Sequence[int]) -> None:
        node = self._frozen.nodes[position]
        values = self._values
        if self._loose_bits:
            self._sources[position] = self._computed_from(ins)
        if isinstance(node, Loose):
            ins = self._loose_ends(ins)
        tensors = (
            values[ins[0]]
            if len(ins) == 1
            else tuple([tensor for i in ins for tensor in values[i]])
        )
        if isinstance(node, Layer):
            tensors = (self._emit_layer(position, node, tensors),)
        elif isinstance(node, Macro):
            tensors = self._expand(position, node, tensors)
        values[position] = tensors

    def _computed_from(self, ins: Sequence[int]) -> int:
        bits, sources = self._loose_bits, self._sources
        found = 0
        for i in ins:
            found |= sources[i] | bits.get(i, 0)
        return found

    def _loose_ends(self, ins: Sequence[int]) -> list[int]:
        """Return the inputs that no other one of them is computed from."""
        used = 0
        for i in ins:
            used |= self._sources[i]
        return [i for i in ins if not used & self._loose_bits[i]]

    def _emit_layer(self, position: int, node: Layer, tensors: tuple[int, ...]) -> int:
        module = node.module
        if not tensors and not module.is_input:
            raise BuildError(
                f"a layer must be fed; received {module.name!r} with what feeds it cut off in this "
                "architecture; use keep_link=True in the Optional before it, or merge after it"
            )
        arguments = node.template.fill(self._evaluate.decided)
        tensor = self._emit(
            LayerSpec(module.layer, arguments, module.original.name, module.factory),
            tensors,
            module.name,
            Origin(position),
            module.oracle,
        )
        if module.is_input:
            self._inputs.append(module.name)
        return tensor

    def _emit(
        self,
        spec: LayerSpec,
        inputs: tuple[int, ...],
        name: str,
        origin: Origin,
        oracle: ShapeOracle | None,
    ) -> int:
        nodes, taken = self._nodes, self._taken
        index = len(nodes)
        if name in taken:
            raise BuildError(
                f"layers must have names of their own; received {name!r} twice in one "
                "architecture; give the macros that emit it different prefixes"
            )
        taken[name] = index
        self._shapes.add(spec, inputs, oracle)
        nodes.append(
            LayerNode(
                name,
                spec.layer,
                spec.arguments,
                tuple([nodes[i].name for i in inputs]),
                spec.name or name,
                origin,
                spec.factory,
                self._shapes,
                index,
            )
        )
        return index

    def _expand(self, position: int, node: Macro, tensors: tuple[int, ...]) -> tuple[int, ...]:
        arguments = node.template.fill(self._evaluate.decided)
        emitter = _Emitter(self, position)
        return tuple(node.module.expand(emitter, tensors, arguments))


class _Emitter:
    """Serves one macro (see `hypernets.domain.space.macro.Emitter`)."""

    def __init__(self, resolution: _Resolution, position: int) -> None:
        self._resolution = resolution
        self._position = position
        self._place = 0

    def shape(self, tensor: int) -> Shape:
        shape = self._resolution._shapes.shape(tensor)
        if shape and isinstance(shape[0], tuple):
            raise BuildError(
                f"a macro must be fed by layers with one output; received "
                f"{self._resolution._nodes[tensor].name!r}, which has {len(shape)}"
            )
        return shape  # type: ignore[return-value]  # one shape, as checked

    def layer(
        self, layer: str, arguments: Mapping[str, Any], inputs: Sequence[int], name: str
    ) -> int:
        origin = Origin(self._position, self._place)
        self._place += 1
        spec = LayerSpec(layer, arguments, name)
        oracle = self._resolution._frozen.oracle
        return self._resolution._emit(spec, tuple(inputs), name, origin, oracle)
