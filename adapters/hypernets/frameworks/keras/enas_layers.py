"""Published names of the layers of ENAS cells."""

from hypernets.adapters.keras.spaces.enas_macro import (
    CalibrateSize,
    FactorizedReduction,
    SafeConcatenate,
)
from hypernets.domain.space import Identity

__all__ = ["CalibrateSize", "FactorizedReduction", "Identity", "SafeConcatenate"]
