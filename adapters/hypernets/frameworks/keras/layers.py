"""The layers of Keras, and the user's own, as modules of a search space."""

from hypernets.adapters.keras import layers as _layers
from hypernets.adapters.keras.custom_layer import Function, custom
from hypernets.adapters.keras.layers import *  # noqa: F403 - the vocabulary, named by its `__all__`

__all__ = ["Function", "custom"]
__all__ += _layers.__all__
