"""Makes a Keras layer from its description, and calls it on tensors as that layer wants them."""

import inspect
from collections.abc import MutableMapping, Sequence
from typing import Any

import keras

from hypernets.adapters.keras.fault import reason_of
from hypernets.adapters.keras.repaired_layer import REPAIRED
from hypernets.domain.architecture.graph import LayerSpec
from hypernets.domain.error import BuildError

__all__ = ["call_layer", "make_layer", "shown_arguments"]

_MERGE = keras.layers.Add.__base__  # the class of every merge; Keras does not export it
_TAKES_LIST = (
    _MERGE,
    keras.layers.AdditiveAttention,
    keras.layers.Attention,
    keras.layers.HashedCrossing,
    keras.layers.Identity,
    keras.layers.Lambda,
)
_TAKES_STATE = (keras.layers.RNN, keras.layers.Bidirectional)
_TAKES_STATES = (
    keras.layers.GRUCell,
    keras.layers.LSTMCell,
    keras.layers.SimpleRNNCell,
    keras.layers.StackedRNNCells,
)
_NO_TENSORS = frozenset({"mask", "training"})


def make_layer(
    spec: LayerSpec, nested: MutableMapping[str, keras.Layer] | None = None
) -> keras.Layer:
    """Return the Keras layer that a description asks for, not built yet.

    Args:
        spec: the layer; arguments that are descriptions themselves become layers.
        nested: layers already made for arguments, by name; one name is one layer. Extended.

    Raises:
        BuildError: Keras has no such layer, or refuses the arguments.
    """
    where = f"{spec.name!r}: " if spec.name is not None else ""
    factory = spec.factory if spec.factory is not None else _layer_class(spec.layer, where)
    made = {} if nested is None else nested
    arguments = {key: _materialised(value, made) for key, value in spec.arguments.items()}
    try:
        if spec.name is None:
            return factory(**arguments)
        if _takes_name(factory):
            return factory(**arguments, name=spec.name)
        layer = factory(**arguments)
        layer.name = spec.name
    except Exception as error:
        raise BuildError(
            f"{where}the layer {spec.layer} must be given arguments that it accepts; received "
            f"{shown_arguments(spec.arguments)}; change them as its own reason says: "
            f"{reason_of(error)}"
        ) from error
    return layer


def call_layer(layer: keras.Layer, tensors: Sequence[Any]) -> tuple[Any, ...]:
    """Return what a layer puts out, flattened.

    Merges and attention take one list; recurrent layers the sequence and its initial states;
    a layer with several parameters for tensors (multi-head attention, custom ones) takes them by
    position; a custom layer with one parameter takes a list. Everything else takes one tensor.

    Args:
        layer: the layer.
        tensors: what feeds it, in order; at least one.

    Raises:
        TypeError: it takes one input and gets several.
    """
    return tuple(keras.tree.flatten(_called(layer, list(tensors))))


def _called(layer: keras.Layer, tensors: list[Any]) -> Any:
    if isinstance(layer, _MERGE):
        return layer(tensors)
    if isinstance(layer, _TAKES_STATES) and len(tensors) > 1:
        return layer(tensors[0], _packed_states(layer, tensors[1:]))
    if len(tensors) == 1:
        # attention is defined on a list even of one, and says itself what it lacks
        attends = isinstance(layer, (keras.layers.Attention, keras.layers.AdditiveAttention))
        return layer(tensors) if attends else layer(tensors[0])
    if isinstance(layer, _TAKES_STATE):
        return layer(tensors[0], initial_state=tensors[1:])
    if isinstance(layer, _TAKES_LIST):
        return layer(tensors)
    if _tensor_parameters(layer) > 1:
        return layer(*tensors)
    if type(layer).__module__.partition(".")[0] == "keras" and not isinstance(layer, keras.Model):
        raise TypeError(
            f"{type(layer).__name__} takes one input; received {len(tensors)}; "
            "merge them first, for example by Concatenate"
        )
    return layer(tensors)


def _packed_states(cell: keras.Layer, tensors: list[Any]) -> Any:
    """Return the states as the cell holds them: a list, or a list a cell for stacked ones."""
    return keras.tree.pack_sequence_as(cell.state_size, tensors) if _stacked(cell) else tensors


def _stacked(cell: keras.Layer) -> bool:
    return isinstance(cell, keras.layers.StackedRNNCells)


def _tensor_parameters(layer: keras.Layer) -> float:
    """Return how many tensors `call` takes by position."""
    count = 0
    for parameter in inspect.signature(layer.call).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return float("inf")
        positional = (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        if parameter.kind in positional and parameter.name not in _NO_TENSORS:
            count += not isinstance(parameter.default, bool)
    return count


def _layer_class(name: str, where: str) -> Any:
    found = REPAIRED.get(name) or getattr(keras.layers, name, None)
    if found is None:
        found = keras.saving.get_registered_object(name)
    if found is None:
        raise BuildError(
            f"{where}a layer must be one of keras.layers or registered with Keras; received "
            f"{name!r}; import the module that registers it, or give its class to `custom`"
        )
    return found


def _materialised(value: Any, nested: MutableMapping[str, keras.Layer]) -> Any:
    """Return an argument with every description in it made a layer, a live layer copied."""
    if isinstance(value, LayerSpec):
        if value.name is None:
            return make_layer(value, nested)
        if value.name not in nested:
            nested[value.name] = make_layer(value, nested)
        return nested[value.name]
    if isinstance(value, keras.Layer):
        # one given alive would carry its weights from model to model
        return type(value).from_config(value.get_config())
    if isinstance(value, list):
        return [_materialised(item, nested) for item in value]
    if isinstance(value, tuple):
        items = [_materialised(item, nested) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, dict):
        return {key: _materialised(item, nested) for key, item in value.items()}
    return value


def _takes_name(factory: Any) -> bool:
    # the `__new__` of Keras takes anything and would hide the signature of a class
    maker = factory.__init__ if inspect.isclass(factory) else factory
    parameters = inspect.signature(maker).parameters
    return "name" in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )


def shown_arguments(arguments: Any) -> str:
    """Return arguments as a message shows them."""
    return ", ".join(f"{key}={_shown(value)}" for key, value in arguments.items()) or "no arguments"


def _shown(value: Any) -> str:
    if isinstance(value, LayerSpec):
        inner = shown_arguments(value.arguments) if value.arguments else ""
        return f"{value.layer}({inner})"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_shown, value)) + "]"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
