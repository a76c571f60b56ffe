"""Rules of the layers that move the borders of an image: padding, cropping, enlarging."""

from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import whole, whole_tuple
from hypernets.domain.layers.rule import LayerRule, failure, make_rule
from hypernets.domain.layers.window import join_channels, split_channels

__all__ = ["RULES"]

_CHANNELS = {"data_format": "channels_last"}


def _borders(layer: str, name: str, value: Any, rank: int) -> tuple[tuple[int, ...], ...]:
    """Return how much lies before and after each spatial axis.

    One integer stands for every border. A sequence has an entry per axis, each one integer for
    both of its borders or a pair; for the one axis of a sequence it is the pair itself.
    """
    if isinstance(value, tuple | list) and rank > 1:
        if len(value) != rank:
            raise failure(
                layer,
                f"{name} must be one integer or {rank} entries",
                repr(value),
                f"give {name} {rank} entries",
            )
        return tuple(whole_tuple(layer, name, entry, 2, 0) for entry in value)
    return (whole_tuple(layer, name, value, 2, 0),) * rank


def _padding(layer: str, rank: int) -> LayerRule:
    """Return the rule of padding with zeros."""

    def shape(inputs: tuple[Shape, ...], padding: Any, data_format: Any) -> Shape:
        borders = _borders(layer, "padding", padding, rank)
        spatial, channels = split_channels(layer, inputs, rank, data_format)
        sizes = tuple(
            None if size is None else size + sum(border)
            for size, border in zip(spatial, borders, strict=True)
        )
        return join_channels(layer, inputs[0][0], sizes, channels, data_format)

    default: Any = {1: 1, 2: (1, 1), 3: ((1, 1), (1, 1), (1, 1))}[rank]
    return make_rule(
        layer,
        shape,
        ("padding", "data_format"),
        defaults=MappingProxyType({"padding": default, **_CHANNELS}),
        integers=("padding",),
    )


def _cropping(layer: str, rank: int) -> LayerRule:
    """Return the rule of cutting borders off."""

    def shape(inputs: tuple[Shape, ...], cropping: Any, data_format: Any) -> Shape:
        borders = _borders(layer, "cropping", cropping, rank)
        spatial, channels = split_channels(layer, inputs, rank, data_format)
        sizes = tuple(
            None if size is None else size - sum(border)
            for size, border in zip(spatial, borders, strict=True)
        )
        if any(size is not None and size <= 0 for size in sizes):
            raise failure(
                layer,
                "cropping must leave at least one place on every axis",
                f"cropping={cropping!r} for shape {inputs[0]}",
                "crop less, or put fewer reductions before it",
            )
        return join_channels(layer, inputs[0][0], sizes, channels, data_format)

    default: Any = {1: (1, 1), 2: ((0, 0), (0, 0)), 3: ((1, 1), (1, 1), (1, 1))}[rank]
    return make_rule(
        layer,
        shape,
        ("cropping", "data_format"),
        defaults=MappingProxyType({"cropping": default} | (_CHANNELS if rank > 1 else {})),
        integers=("cropping",),
    )


def _enlarging(layer: str, rank: int) -> LayerRule:
    """Return the rule of repeating or interpolating places."""

    def shape(inputs: tuple[Shape, ...], size: Any, data_format: Any) -> Shape:
        factors = (
            (whole(layer, "size", size, 1),)
            if rank == 1
            else whole_tuple(layer, "size", size, rank, 1)
        )
        spatial, channels = split_channels(layer, inputs, rank, data_format)
        sizes = tuple(
            None if length is None else length * factor
            for length, factor in zip(spatial, factors, strict=True)
        )
        return join_channels(layer, inputs[0][0], sizes, channels, data_format)

    defaults: dict[str, Any] = {"size": 2 if rank == 1 else (2,) * rank}
    if rank > 1:
        defaults |= _CHANNELS
    if rank == 2:
        defaults["interpolation"] = "nearest"
    return make_rule(
        layer,
        shape,
        ("size", "data_format"),
        defaults=MappingProxyType(defaults),
        integers=("size",),
    )


_RANKS = (1, 2, 3)
RULES: tuple[LayerRule, ...] = (
    *(_padding(f"ZeroPadding{rank}D", rank) for rank in _RANKS),
    *(_cropping(f"Cropping{rank}D", rank) for rank in _RANKS),
    *(_enlarging(f"UpSampling{rank}D", rank) for rank in _RANKS),
)
"""The rules of this family."""
