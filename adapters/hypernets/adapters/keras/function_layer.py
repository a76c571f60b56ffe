"""The Keras layer behind `Function`: a `Lambda` that hands several inputs on by position."""

import inspect
from typing import Any

import keras

__all__ = ["FunctionLayer"]


@keras.saving.register_keras_serializable(package="hypernets")
class FunctionLayer(keras.layers.Lambda):  # type: ignore[misc]  # Keras is untyped here
    """Applies a function to its inputs, each of them one positional argument."""

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Return what the function makes of the tensors."""
        if not isinstance(inputs, (list, tuple)):
            return super().call(inputs, mask=mask, training=training)
        arguments = dict(self.arguments)
        if "training" in inspect.signature(self.function).parameters:
            arguments["training"] = training
        return self.function(*inputs, **arguments)
