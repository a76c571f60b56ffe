"""Layers of Keras that cannot stand in a functional model as they are."""

from typing import Any

import keras

__all__ = ["REPAIRED", "Equalization"]


@keras.saving.register_keras_serializable(package="hypernets")
class Equalization(keras.layers.Equalization):  # type: ignore[misc]  # Keras is untyped here
    """`Equalization` of Keras, whose symbolic output is its input: a cycle in any model."""

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        """Return a tensor of its own for the output."""
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)


REPAIRED: dict[str, type[keras.Layer]] = {"Equalization": Equalization}
"""Name in `keras.layers` → what to make instead."""
