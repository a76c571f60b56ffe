"""Rules of the layers that normalize."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import axis_within, known_size, only_input, whole
from hypernets.domain.layers.rule import Arguments, LayerRule, Weights, failure, make_rule

__all__ = ["RULES"]

_AFFINE: Mapping[str, Any] = {
    "axis": -1,
    "epsilon": 0.001,
    "center": True,
    "scale": True,
    "beta_initializer": "zeros",
    "gamma_initializer": "ones",
    "beta_regularizer": None,
    "gamma_regularizer": None,
    "beta_constraint": None,
    "gamma_constraint": None,
}
_BATCH: Mapping[str, Any] = {
    **_AFFINE,
    "momentum": 0.99,
    "moving_mean_initializer": "zeros",
    "moving_variance_initializer": "ones",
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "synchronized": False,
}


def _axes(layer: str, axis: Any, given: Shape) -> list[int]:
    """Return the axes that are named, counted from the front."""
    named = axis if isinstance(axis, tuple | list) else (axis,)
    return [axis_within(layer, each, given) for each in named]


def _affine_parts(arguments: Arguments) -> int:
    """Return how many weights there are per normalized size: a scale, a shift, both or none."""
    return bool(arguments.get("scale", True)) + bool(arguments.get("center", True))


def _counted_size(layer: str, arguments: Arguments, given: Shape) -> int:
    """Return the number of normalized sizes, which must be known."""
    size = 1
    for axis in _axes(layer, arguments.get("axis", -1), given):
        size *= known_size(layer, given, axis)
    return size


def _batch_shape(inputs: tuple[Shape, ...], axis: Any) -> Shape:
    given = only_input("BatchNormalization", inputs)
    known_size("BatchNormalization", given, axis_within("BatchNormalization", axis, given))
    return given


def _batch_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    size = _counted_size("BatchNormalization", arguments, only_input("BatchNormalization", inputs))
    moving = 5 if arguments.get("renorm") else 2
    return Weights(_affine_parts(arguments) * size, moving * size)


def _layer_shape(inputs: tuple[Shape, ...], axis: Any, center: Any, scale: Any) -> Shape:
    given = only_input("LayerNormalization", inputs)
    for place in _axes("LayerNormalization", axis, given):
        if center or scale:
            known_size("LayerNormalization", given, place)
    return given


def _layer_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    _LAYER.shape(arguments, inputs)
    parts = 1 if arguments.get("rms_scaling") else _affine_parts(arguments)
    return Weights(
        parts * _counted_size("LayerNormalization", arguments, inputs[0]) if parts else 0
    )


def _group_shape(inputs: tuple[Shape, ...], axis: Any, groups: Any) -> Shape:
    layer = "GroupNormalization"
    given = only_input(layer, inputs)
    size = known_size(layer, given, axis_within(layer, axis, given))
    n_groups = whole(layer, "groups", groups)
    if n_groups != -1 and (n_groups < 1 or size % n_groups or size < n_groups):
        raise failure(
            layer,
            "groups must divide the size of the normalized axis, or be -1",
            f"groups={groups!r} for size {size}",
            "choose a divisor of it",
        )
    return given


def _group_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    _GROUP.shape(arguments, inputs)
    size = _counted_size("GroupNormalization", arguments, inputs[0])
    return Weights(_affine_parts(arguments) * size)


def _rms_shape(inputs: tuple[Shape, ...], axis: Any) -> Shape:
    given = only_input("RMSNormalization", inputs)
    for place in _axes("RMSNormalization", axis, given):
        known_size("RMSNormalization", given, place)
    return given


def _rms_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    given = only_input("RMSNormalization", inputs)
    return Weights(_counted_size("RMSNormalization", arguments, given))


def _unit_shape(inputs: tuple[Shape, ...], axis: Any) -> Shape:
    given = only_input("UnitNormalization", inputs)
    _axes("UnitNormalization", axis, given)
    return given


def _feature_axes(axis: Any, given: Shape) -> list[int]:
    """Return the axes along which features have statistics of their own."""
    return [] if axis is None else _axes("Normalization", axis, given)


def _feature_shape(inputs: tuple[Shape, ...], axis: Any) -> Shape:
    given = only_input("Normalization", inputs)
    for place in _feature_axes(axis, given):
        known_size("Normalization", given, place)
    return given


def _feature_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    """Count the mean and the variance per feature and the number of examples seen."""
    _FEATURE.shape(arguments, inputs)
    if arguments.get("mean") is not None:
        return Weights()
    size = 1
    for place in _feature_axes(arguments.get("axis", -1), inputs[0]):
        size *= known_size("Normalization", inputs[0], place)
    return Weights(0, 2 * size + 1)


def _normalizing(
    layer: str,
    shape: Callable[..., Shape],
    reads: tuple[str, ...],
    defaults: Mapping[str, Any],
    weights: Callable[[Arguments, tuple[Shape, ...]], Weights] | None = None,
) -> LayerRule:
    """Return a rule of this family."""
    return make_rule(
        layer,
        shape,
        reads,
        defaults=MappingProxyType(defaults),
        integers=("axis", "groups") if "groups" in defaults else ("axis",),
        weights=weights,
    )


_LAYER = _normalizing(
    "LayerNormalization", _layer_shape, ("axis", "center", "scale"), _AFFINE, _layer_weights
)
_GROUP = _normalizing(
    "GroupNormalization",
    _group_shape,
    ("axis", "groups"),
    {**_AFFINE, "groups": 32},
    _group_weights,
)
_FEATURE = _normalizing(
    "Normalization",
    _feature_shape,
    ("axis",),
    {"axis": -1, "mean": None, "variance": None, "invert": False},
    _feature_weights,
)
RULES: tuple[LayerRule, ...] = (
    _normalizing("BatchNormalization", _batch_shape, ("axis",), _BATCH, _batch_weights),
    _LAYER,
    _GROUP,
    _normalizing(
        "RMSNormalization", _rms_shape, ("axis",), {"axis": -1, "epsilon": 1e-6}, _rms_weights
    ),
    _normalizing("UnitNormalization", _unit_shape, ("axis",), {"axis": -1}),
    _FEATURE,
)
"""The rules of this family."""
