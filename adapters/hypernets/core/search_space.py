"""Published names of the search space."""

from hypernets.domain.architecture import Architecture, diff
from hypernets.domain.space import (
    Bool,
    Cascade,
    Choice,
    Constant,
    Dynamic,
    HyperSpace,
    Int,
    ModuleSpace,
    MultipleChoice,
    ParameterSpace,
    Real,
)

__all__ = [
    "Architecture",
    "Bool",
    "Cascade",
    "Choice",
    "Constant",
    "Dynamic",
    "HyperSpace",
    "Int",
    "ModuleSpace",
    "MultipleChoice",
    "ParameterSpace",
    "Real",
    "diff",
]
