"""Hyperparameters: the things that a search decides, and those that follow from them.

A *decision* is a hyperparameter with more than one value (`Choice`, `Bool`, `Int`, `Real`,
`MultipleChoice`). `Constant`, `Dynamic` and `Cascade` are no decisions: their value follows.
Every decision is sampled uniformly over its values (`Real` uniformly over its range, or over the
logarithm of its range).
"""

from hypernets.domain.space.hyperparameter.choice import Bool, Choice, MultipleChoice
from hypernets.domain.space.hyperparameter.derived import Cascade, Dynamic
from hypernets.domain.space.hyperparameter.number import Int, Real
from hypernets.domain.space.hyperparameter.parameter import (
    Constant,
    Decision,
    ParameterSpace,
    Rng,
)

__all__ = [
    "Bool",
    "Cascade",
    "Choice",
    "Constant",
    "Decision",
    "Dynamic",
    "Int",
    "MultipleChoice",
    "ParameterSpace",
    "Real",
    "Rng",
]
