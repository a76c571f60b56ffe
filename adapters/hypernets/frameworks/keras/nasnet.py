"""Import name of the NASNet search space."""

from hypernets.adapters.keras.spaces.nasnet import nasnet_search_space

__all__ = ["nasnet_search_space"]
