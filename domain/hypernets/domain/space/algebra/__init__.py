"""Space algebra: spaces made of a space by taking values away, and architectures carried over."""

from hypernets.domain.space.algebra.space_algebra import SpaceAlgebra

__all__ = ["SpaceAlgebra"]
