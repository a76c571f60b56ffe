"""Rules of the layers that keep the shape: activations, dropout and noise, scaling, masking."""

import math
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import known_product, ranked_input
from hypernets.domain.layers.rule import Arguments, LayerRule, Weights, failure, make_rule, outside

__all__ = ["RULES"]


def _kept(layer: str, lowest: int, highest: float, inputs: tuple[Shape, ...]) -> Shape:
    """Return the shape of the one input."""
    return ranked_input(layer, inputs, lowest, highest)


def _changes_nothing_else(arguments: Arguments) -> bool:
    """Say whether no argument that any layer has makes it more than its own function."""
    return arguments.get("dtype") is None and arguments.get("activity_regularizer") is None


def _is_linear(arguments: Arguments, n_inputs: int) -> bool:
    return arguments.get("activation", "") in (None, "linear") and _changes_nothing_else(arguments)


def _has_no_rate(name: str, arguments: Arguments, n_inputs: int) -> bool:
    return arguments.get(name) == 0 and _changes_nothing_else(arguments)


def _is_identity(arguments: Arguments, n_inputs: int) -> bool:
    return _changes_nothing_else(arguments)


def _scales_to_zero(arguments: Arguments) -> bool:
    both = (arguments.get("scale"), arguments.get("offset", 0))
    return all(_is_nought(value) for value in both) and _changes_nothing_else(arguments)


def _is_nought(value: Any) -> bool:
    return isinstance(value, int | float) and value == 0


def _slope_shape(given: Shape, shared_axes: Any) -> list[int | None]:
    """Return the shape of the slopes that a `PReLU` learns."""
    shared = shared_axes if isinstance(shared_axes, tuple | list) else (shared_axes,)
    sizes = list(given[1:])
    for axis in shared:
        if axis is None:
            continue
        if not isinstance(axis, int) or axis < 1:
            raise outside("PReLU", "shared_axes counted from 1", repr(shared_axes))
        if axis > len(sizes):
            raise failure(
                "PReLU",
                "shared_axes must be axes of its input",
                f"shared_axes={shared_axes!r} for shape {given}",
                f"choose axes between 1 and {len(sizes)}",
            )
        sizes[axis - 1] = 1
    return sizes


def _slopes(given: Shape, shared_axes: Any) -> int:
    return known_product("PReLU", _slope_shape(given, shared_axes), given)


def _prelu_shape(inputs: tuple[Shape, ...], shared_axes: Any) -> Shape:
    given = ranked_input("PReLU", inputs, 1, math.inf)
    _slopes(given, shared_axes)
    return given


def _prelu_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    given = ranked_input("PReLU", inputs, 1, math.inf)
    return Weights(_slopes(given, arguments.get("shared_axes")))


def _keeping(
    layer: str,
    defaults: Mapping[str, Any] | None = None,
    *,
    rank: int | None = None,
    integers: tuple[str, ...] = (),
    is_identity: Any = None,
    is_zero: Any = None,
) -> LayerRule:
    """Return the rule of a layer that keeps the shape and has no weights."""
    lowest, highest = (0, math.inf) if rank is None else (rank, rank)
    return make_rule(
        layer,
        partial(_kept, layer, lowest, highest),
        defaults=MappingProxyType(dict(defaults or {})),
        integers=integers,
        is_identity=is_identity,
        is_zero=is_zero,
    )


_no_rate = partial(_has_no_rate, "rate")
_SPATIAL = {"data_format": "channels_last", "seed": None}
_ACTIVATIONS = (
    _keeping("Activation", is_identity=_is_linear),
    _keeping("ReLU", {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}),
    _keeping("LeakyReLU", {"negative_slope": 0.3}),
    _keeping("ELU", {"alpha": 1.0}),
    _keeping("Softmax", {"axis": -1}, integers=("axis",)),
    make_rule(
        "PReLU",
        _prelu_shape,
        ("shared_axes",),
        defaults=MappingProxyType(
            {
                "alpha_initializer": "Zeros",
                "alpha_regularizer": None,
                "alpha_constraint": None,
                "shared_axes": None,
            }
        ),
        integers=("shared_axes",),
        weights=_prelu_weights,
    ),
)
_NOISE = (
    _keeping("Dropout", {"noise_shape": None, "seed": None}, is_identity=_no_rate),
    _keeping("AlphaDropout", {"noise_shape": None, "seed": None}, is_identity=_no_rate),
    _keeping("GaussianDropout", {"seed": None}, is_identity=_no_rate),
    _keeping("GaussianNoise", {"seed": None}, is_identity=partial(_has_no_rate, "stddev")),
    _keeping("SpatialDropout1D", {"seed": None}, rank=3, is_identity=_no_rate),
    _keeping("SpatialDropout2D", _SPATIAL, rank=4, is_identity=_no_rate),
    _keeping("SpatialDropout3D", _SPATIAL, rank=5, is_identity=_no_rate),
)
_OTHERS = (
    _keeping("Identity", is_identity=_is_identity),
    _keeping("Masking", {"mask_value": 0.0}),
    _keeping("ActivityRegularization", {"l1": 0.0, "l2": 0.0}),
    _keeping("Rescaling", {"offset": 0.0}, is_zero=_scales_to_zero),
)
RULES: tuple[LayerRule, ...] = (*_ACTIVATIONS, *_NOISE, *_OTHERS)
"""The rules of this family."""
