"""The shapes that one layer or macro puts out, under decisions made as far as they matter."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypernets.domain.architecture.evaluation import Evaluation
from hypernets.domain.architecture.graph import LayerSpec, Shape, Shapes, each_shape
from hypernets.domain.architecture.verification.value import (
    Fault,
    LazyArguments,
    NeededError,
    Unknown,
    Value,
    deciding,
)
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.layers import ShapeOracle, infer_shape, rule_for
from hypernets.domain.layers.rule import OutsideRuleError
from hypernets.domain.space.frozen import Layer, Macro

__all__ = ["layer_value", "macro_value"]


class _UnknownError(Exception):
    """Nothing can tell a shape."""


def layer_value(
    position: int, node: Layer, given: Value, evaluation: Evaluation, data: Shape | None
) -> Value | Fault | Unknown:
    """Return what a layer puts out for what it is given.

    Args:
        position: of the frozen node.
        node: the layer.
        given: what feeds it.
        evaluation: the decisions made so far.
        data: for an input of the network, the shape of the data, without the batch.

    Raises:
        NeededError: a decision that matters has not been made.
    """
    module = node.module
    inputs = tuple(shape for shapes in given.shapes for shape in each_shape(shapes))

    def fault(reason: str) -> Fault:
        return Fault(position, module.name, inputs, reason)

    if not given.shapes and not module.is_input:
        return fault("a layer must be fed; what feeds it is cut off; use keep_link=True before it")
    decide = deciding(evaluation)
    arguments = LazyArguments(node.template, decide)
    try:
        arguments.check()
        spec = LayerSpec(module.layer, arguments, module.name, module.factory)
        try:
            shapes = _inferred(spec, inputs, None)
        except (_UnknownError, OutsideRuleError):  # the framework reads all arguments
            spec = LayerSpec(
                module.layer, node.template.fill(decide), module.original.name, module.factory
            )
            shapes = _inferred(spec, inputs, module.oracle)
    except (_UnknownError, OutsideRuleError) as error:
        return Unknown(str(error))
    except (BuildError, SpaceError) as error:
        return fault(str(error))
    if data is None:
        return Value((shapes,))
    (declared,) = each_shape(shapes)
    fitted = _fitted(declared, data)
    if fitted is None:
        return fault(
            f"the data must have the shape that {module.name!r} declares, {declared[1:]}; "
            f"received {data}; declare the shape of the data"
        )
    return Value((fitted,))


def macro_value(
    position: int,
    node: Macro,
    given: Value,
    evaluation: Evaluation,
    oracle: ShapeOracle | None,
    names: dict[str, set[int]],
    emitted: list[tuple[LayerSpec, tuple[Shape, ...]]] | None = None,
) -> Value | Fault | Unknown:
    """Return what a macro puts out for what it is given.

    Args:
        position: of the frozen node.
        node: the macro.
        given: what feeds it.
        evaluation: the decisions made so far.
        oracle: who knows the shapes of layers without a rule.
        names: name of an emitted layer → positions of the macros that emit it; filled up.
        emitted: the layers that it emits, each with the shapes that feed it; filled up.

    Raises:
        NeededError: a decision that matters has not been made.
    """
    emitter = _ShapeEmitter(position, given.shapes, oracle, names, node.module.name)
    emitter.emitted = emitted
    try:
        arguments = node.template.fill(deciding(evaluation))
        tensors = node.module.expand(emitter, range(len(given.shapes)), arguments)
        return Value(tuple(emitter.shapes[tensor] for tensor in tensors))
    except NeededError:
        raise
    except (_UnknownError, OutsideRuleError) as error:
        return Unknown(str(error))
    except Exception as error:
        named = str(error) if isinstance(error, BuildError) else f"{type(error).__name__}: {error}"
        return Fault(position, emitter.at, emitter.inputs, named)


class _ShapeEmitter:
    """Serves a macro with shapes alone (see `hypernets.domain.space.macro.Emitter`)."""

    def __init__(
        self,
        position: int,
        given: tuple[Shapes, ...],
        oracle: ShapeOracle | None,
        names: dict[str, set[int]],
        at: str,
    ) -> None:
        self.shapes: list[Shapes] = list(given)
        self.at = at
        self.emitted: list[tuple[LayerSpec, tuple[Shape, ...]]] | None = None
        self.inputs = tuple(shape for shapes in given for shape in each_shape(shapes))
        self._position = position
        self._oracle = oracle
        self._names = names
        self._own: set[str] = set()

    def shape(self, tensor: int) -> Shape:
        found = list(each_shape(self.shapes[tensor]))
        if len(found) != 1:
            raise BuildError(
                f"a macro must be fed by layers with one output; received one with {len(found)}"
            )
        return found[0]

    def layer(
        self, layer: str, arguments: Mapping[str, Any], inputs: Sequence[int], name: str
    ) -> int:
        self.at = name
        self.inputs = tuple(s for tensor in inputs for s in each_shape(self.shapes[tensor]))
        if name in self._own:
            raise BuildError(
                f"layers must have names of their own; received {name!r} twice from one macro"
            )
        self._own.add(name)
        self._names.setdefault(name, set()).add(self._position)
        spec = LayerSpec(layer, arguments, name)
        self.shapes.append(_inferred(spec, self.inputs, self._oracle))
        if self.emitted is not None:
            self.emitted.append((spec, self.inputs))
        return len(self.shapes) - 1


def _inferred(spec: LayerSpec, inputs: tuple[Shape, ...], oracle: ShapeOracle | None) -> Shapes:
    if oracle is None and (spec.factory is not None or rule_for(spec.layer) is None):
        raise _UnknownError(
            f"{spec.name!r} has no rule and no framework that could be asked for its shape"
        )
    return infer_shape(spec, inputs, oracle)


def _fitted(declared: Shape, data: Shape) -> Shape | None:
    """Return a declared shape with the sizes of the data filled in, or `None` if they differ."""
    if len(declared) != len(data) + 1:
        return None
    sizes = list(zip(declared[1:], data, strict=True))
    if any(a is not None and b is not None and a != b for a, b in sizes):
        return None
    return (declared[0], *(b if a is None else a for a, b in sizes))
