"""Published name of the search of Keras models."""

from hypernets.adapters.keras.hyper_keras import HyperKeras

__all__ = ["HyperKeras"]
