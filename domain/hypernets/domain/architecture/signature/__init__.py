"""Signatures, and how they are made: reduction, canonical form, and the coarser expression."""

from hypernets.domain.architecture.signature.signature import (
    VERSION,
    signature_of,
    signature_of_decisions,
)

__all__ = ["VERSION", "signature_of", "signature_of_decisions"]
