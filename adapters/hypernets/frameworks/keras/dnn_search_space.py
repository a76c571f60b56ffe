"""Published names of the space of dense networks."""

from hypernets.adapters.keras.spaces.dnn import dnn_block, dnn_search_space

__all__ = ["dnn_block", "dnn_search_space"]
