"""Published name of the ENAS micro search space."""

from hypernets.adapters.keras.spaces.enas_micro import enas_micro_search_space

__all__ = ["enas_micro_search_space"]
