"""Verifying a space before training: whether every architecture can be built, and why not."""

from hypernets.domain.architecture.verification.report import (
    Counterexample,
    DeadOption,
    LayerCoverage,
    VerificationReport,
)
from hypernets.domain.architecture.verification.verifier import InputShapes, verify

__all__ = [
    "Counterexample",
    "DeadOption",
    "InputShapes",
    "LayerCoverage",
    "VerificationReport",
    "verify",
]
