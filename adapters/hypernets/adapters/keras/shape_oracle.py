"""Keras's own inference behind the `ShapeOracle` port, without a weight in memory."""

import math
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from hypernets.domain.architecture.graph import LayerSpec, Shape, Shapes
from hypernets.domain.error import BuildError
from hypernets.domain.layers import Weights

T = TypeVar("T")

__all__ = ["KerasShapeOracle"]

_READS_TEXT = frozenset({"StringLookup", "TextVectorization"})


class KerasShapeOracle:
    """Asks Keras what a layer would put out, and how many weights it would have.

    The layer is made and called on symbols inside `keras.StatelessScope`, where weights have a
    shape and no value. Keras is imported by the first question, not before.

    Keras counts names and lists weights without a value in a state that each thread has for
    itself. So a question runs in a thread of its own, which leaves nothing behind: neither memory
    nor another name for the next layer. Classes registered with Keras are known there, those of a
    `custom_object_scope` around the question are not.
    """

    def infer(self, layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> Shapes:
        """Return the output shape, or a tuple of them where the layer has several outputs.

        Args:
            layer: the layer; descriptions among its arguments are made layers too.
            input_shapes: shapes of what feeds it, in order, the batch first.

        Raises:
            BuildError: Keras has no such layer, or refuses its arguments or its inputs.
        """
        return _alone(_inferred, layer, input_shapes)

    def weights(self, layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> Weights:
        """Return the numbers of weights that the layer would have.

        Args:
            layer: the layer; descriptions among its arguments are made layers too.
            input_shapes: shapes of what feeds it, in order, the batch first.

        Raises:
            BuildError: Keras has no such layer, or refuses its arguments or its inputs.
        """
        return _alone(_counted, layer, input_shapes)


def _alone(question: Callable[..., T], layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> T:
    """Return the answer to a question that is asked in a thread of its own."""
    outcome: list[T | BaseException] = []

    def ask() -> None:
        try:
            outcome.append(question(layer, input_shapes))
        except BaseException as error:  # raised again where the question was asked
            outcome.append(error)

    asking = threading.Thread(target=ask, name="shape-oracle", daemon=True)
    asking.start()
    asking.join()
    (answer,) = outcome
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _inferred(layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> Shapes:
    """Return the shapes that Keras infers."""
    _, shapes = _tried(layer, input_shapes)
    return shapes[0] if len(shapes) == 1 else shapes


def _counted(layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> Weights:
    """Return the numbers of weights that Keras would make."""
    made, _ = _tried(layer, input_shapes)
    if made is None:
        return Weights()

    def count(variables: Any) -> int:
        return sum(math.prod(variable.shape) for variable in variables)

    return Weights(count(made.trainable_weights), count(made.non_trainable_weights))


def _tried(layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> tuple[Any, tuple[Shape, ...]]:
    """Return a layer that was called on symbols (none for an input), and what it put out."""
    import keras

    from hypernets.adapters.keras.layer_call import call_layer, make_layer

    with keras.StatelessScope(initialize_variables=False):
        try:
            if layer.layer in ("Input", "InputLayer") and layer.factory is None:
                return None, (_shape_of(keras.Input(**layer.arguments)),)
            made = make_layer(layer)
            dtype = "string" if layer.layer in _READS_TEXT else "float32"
            tensors = [keras.KerasTensor(shape, dtype) for shape in input_shapes]
            outputs = call_layer(made, tensors)
        except BuildError:
            raise
        except Exception as error:
            if _needs_values(error) and len(input_shapes) == 1:
                made = make_layer(layer)
                return made, _declared(made, input_shapes[0])
            raise BuildError(_refusal(layer, input_shapes, error)) from error
    return made, tuple(_shape_of(tensor) for tensor in outputs)


def _needs_values(error: Exception) -> bool:
    """Say whether building failed because a variable was made from a value.

    A stateful recurrent layer makes its states so, after its input was found to fit.
    """
    return isinstance(error, ValueError) and "while in a stateless scope" in str(error)


def _declared(made: Any, shape: Shape) -> tuple[Shape, ...]:
    """Return what a layer says that it puts out, unbuilt."""
    told = made.compute_output_shape(shape)
    if all(size is None or isinstance(size, int) for size in told):
        return (tuple(told),)
    return tuple(tuple(each) for each in told)


def _shape_of(tensor: Any) -> Shape:
    """Return the shape of a symbolic tensor."""
    return tuple(tensor.shape)


def _refusal(layer: LayerSpec, input_shapes: tuple[Shape, ...], error: Exception) -> str:
    """Return the message about a layer that Keras refuses to call."""
    where = layer.layer if layer.name is None else f"{layer.name!r}: the layer {layer.layer}"
    received = ", ".join(map(str, input_shapes)) or "no input"
    return (
        f"{where} must suit its inputs; received inputs of shape {received} and arguments "
        f"{dict(layer.arguments)!r}; change them as Keras's reason says: {error}"
    )
