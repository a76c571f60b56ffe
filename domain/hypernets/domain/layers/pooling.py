"""Rules of pooling: over windows, and over everything."""

from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import whole_tuple
from hypernets.domain.layers.rule import LayerRule, failure, make_rule
from hypernets.domain.layers.window import join_channels, slide, split_channels

__all__ = ["RULES"]


def _pooling(layer: str, rank: int) -> LayerRule:
    """Return the rule of pooling over windows."""

    def shape(
        inputs: tuple[Shape, ...], pool_size: Any, strides: Any, padding: Any, data_format: Any
    ) -> Shape:
        window = whole_tuple(layer, "pool_size", pool_size, rank, 1)
        steps = window if strides is None else whole_tuple(layer, "strides", strides, rank, 1)
        if padding not in ("valid", "same"):
            raise failure(
                layer, "padding must be 'valid' or 'same'", repr(padding), "correct padding"
            )
        spatial, channels = split_channels(layer, inputs, rank, data_format)
        places = slide(layer, spatial, window, steps, padded=padding == "same")
        return join_channels(layer, inputs[0][0], places, channels, data_format)

    defaults: dict[str, Any] = {
        "strides": None,
        "padding": "valid",
        "data_format": "channels_last",
    }
    if layer.startswith("Max"):  # averages have no default
        defaults["pool_size"] = 2 if rank == 1 else (2,) * rank
    return make_rule(
        layer,
        shape,
        ("pool_size", "strides", "padding", "data_format"),
        defaults=MappingProxyType(defaults),
        integers=("pool_size", "strides"),
    )


def _global_pooling(layer: str, rank: int) -> LayerRule:
    """Return the rule of pooling over all places."""

    def shape(inputs: tuple[Shape, ...], keepdims: Any, data_format: Any) -> Shape:
        _, channels = split_channels(layer, inputs, rank, data_format)
        if not keepdims:
            return (inputs[0][0], channels)
        return join_channels(layer, inputs[0][0], (1,) * rank, channels, data_format)

    return make_rule(
        layer,
        shape,
        ("keepdims", "data_format"),
        defaults=MappingProxyType({"keepdims": False, "data_format": "channels_last"}),
    )


_RANKS = (1, 2, 3)
RULES: tuple[LayerRule, ...] = (
    *(_pooling(f"{kind}Pooling{rank}D", rank) for kind in ("Max", "Average") for rank in _RANKS),
    *(
        _global_pooling(f"Global{kind}Pooling{rank}D", rank)
        for kind in ("Max", "Average")
        for rank in _RANKS
    ),
)
"""The rules of this family."""
