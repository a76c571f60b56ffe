"""Authoring: the published language in which search spaces are written, and their frozen form."""

from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import (
    Bool,
    Cascade,
    Choice,
    Constant,
    Decision,
    Dynamic,
    Int,
    MultipleChoice,
    ParameterSpace,
    Real,
)
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.macro import MacroModule
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import (
    ConnectLooseEnd,
    HyperInput,
    Identity,
    InputChoice,
    Optional,
    Or,
    Permutation,
    Repeat,
    Sequential,
)

__all__ = [
    "Bool",
    "Cascade",
    "Choice",
    "ConnectLooseEnd",
    "Constant",
    "Decision",
    "Dynamic",
    "HyperInput",
    "HyperSpace",
    "Identity",
    "InputChoice",
    "Int",
    "LayerModule",
    "MacroModule",
    "ModuleSpace",
    "MultipleChoice",
    "Optional",
    "Or",
    "ParameterSpace",
    "Permutation",
    "Real",
    "Repeat",
    "Sequential",
]
