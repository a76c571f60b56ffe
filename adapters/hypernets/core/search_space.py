"""Published names of the search space."""

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
]
