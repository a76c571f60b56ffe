"""Published names of the space of convolutional networks."""

from hypernets.adapters.keras.spaces.cnn import cnn_search_space, conv_block

__all__ = ["cnn_search_space", "conv_block"]
