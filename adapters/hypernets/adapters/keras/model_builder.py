"""From a `LayerGraph` to a functional `keras.Model`, on Keras 3's neutral API.

The names of layers are those of the graph, so nothing depends on how many models this process
has built before.
"""

import gc
from typing import Any

import keras

from hypernets.adapters.keras.fault import reason_of
from hypernets.adapters.keras.layer_call import call_layer, make_layer, shown_arguments
from hypernets.domain.architecture.graph import LayerGraph, LayerNode
from hypernets.domain.error import BuildError

__all__ = ["build_model", "call_layer", "make_layer", "release"]

_COMPILED_STEPS = ("train_function", "test_function", "predict_function")
_LARGE_PARAMETERS = 4_000_000  # 16 MB of weights, thrice that with Adam


def build_model(architecture: Any, name: str = "model") -> keras.Model:
    """Return the Keras model of an architecture, weights initialised, not compiled.

    One input or output is a tensor, several are a list in the order of the graph. A shared layer
    is made once. A node that puts out several tensors feeds all of them on.

    Args:
        architecture: a `LayerGraph`, or anything that has one as `.graph`.
        name: name of the model.

    Raises:
        BuildError: a layer does not accept its arguments or its inputs, or the ends of the graph
            make no model; the message names the layer and holds Keras's own reason.
    """
    graph: LayerGraph = getattr(architecture, "graph", architecture)
    layers: dict[str, keras.Layer] = {}
    nested: dict[str, keras.Layer] = {}
    values: dict[str, tuple[Any, ...]] = {}
    for node in graph:
        if node.layer == "Input" and node.factory is None:
            # an input used again is the same tensor
            values[node.name] = values.get(node.weights) or (_make_input(node),)
            continue
        tensors = [tensor for source in node.inputs for tensor in _fed(node, source, values)]
        layer = layers.get(node.weights)
        if layer is None:
            layer = layers[node.weights] = make_layer(node.spec, nested)
        values[node.name] = _call(node, layer, tensors)
    return _closed(graph, values, name)


def release(model: keras.Model) -> None:
    """Let go of what a model compiled; it can be used on, and compiles that anew.

    A model and its layers refer to each other, so their memory comes back when Python collects
    cycles. That takes a sixth of a second beside TensorFlow: for small models it is left to
    Python, for large ones it is done here and reaches those released before.
    """
    drop_steps(model)
    if model.count_params() >= _LARGE_PARAMETERS:
        gc.collect()


def drop_steps(model: keras.Model) -> None:
    """Let go of the compiled steps alone, as soon as they are of no more use."""
    for step in _COMPILED_STEPS:
        setattr(model, step, None)


def _make_input(node: LayerNode) -> Any:
    arguments = dict(node.arguments)
    if isinstance(arguments.get("shape"), int):
        arguments["shape"] = (arguments["shape"],)
    try:
        return keras.Input(**arguments, name=node.weights)
    except Exception as error:
        raise BuildError(
            f"{node.name!r}: an Input must be given arguments that Keras accepts; received "
            f"{shown_arguments(arguments)}; change them as Keras's reason says: {reason_of(error)}"
        ) from error


def _fed(node: LayerNode, source: str, values: dict[str, tuple[Any, ...]]) -> tuple[Any, ...]:
    if source not in values:
        raise BuildError(
            f"{node.name!r}: every input of a layer must stand before it in the graph; received "
            f"{source!r}, which does not; put the nodes in topological order"
        )
    return values[source]


def _call(node: LayerNode, layer: keras.Layer, tensors: list[Any]) -> tuple[Any, ...]:
    if not tensors:
        raise BuildError(
            f"{node.name!r}: the layer {node.layer} must be fed by at least one layer; received "
            "no input; connect one into it"
        )
    try:
        return call_layer(layer, tensors)
    except Exception as error:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
        raise BuildError(
            f"{node.name!r}: the layer {node.layer} must suit its inputs; received inputs of shape "
            f"{shapes} from {', '.join(map(repr, node.inputs))} and "
            f"{shown_arguments(node.arguments)}; change them as its own reason says: "
            f"{reason_of(error)}"
        ) from error


def _closed(graph: LayerGraph, values: dict[str, tuple[Any, ...]], name: str) -> keras.Model:
    missing = [end for end in (*graph.inputs, *graph.outputs) if end not in values]
    if missing or not graph.inputs or not graph.outputs:
        raise BuildError(
            f"{name!r}: a model must have inputs and outputs that are nodes of its graph; received "
            f"inputs {graph.inputs}, outputs {graph.outputs} and {len(graph)} nodes"
            + (f", {missing[0]!r} not among them" if missing else "")
        )
    inputs = [values[end][0] for end in graph.inputs]
    outputs = [tensor for end in graph.outputs for tensor in values[end]]
    try:
        return keras.Model(_alone(inputs), _alone(outputs), name=name)
    except Exception as error:
        raise BuildError(
            f"{name!r}: the inputs and outputs must make a model; received inputs {graph.inputs} "
            f"and outputs {graph.outputs}; connect them as Keras's reason says: {reason_of(error)}"
        ) from error


def _alone(tensors: list[Any]) -> Any:
    # a list of one would make Keras warn about every bare array
    return tensors[0] if len(tensors) == 1 else tensors
