"""Rules of the transposed convolutions."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import (
    channels_first,
    known_product,
    known_size,
    whole,
    whole_tuple,
)
from hypernets.domain.layers.rule import Arguments, LayerRule, Weights, failure, make_rule
from hypernets.domain.layers.window import join_channels, split_channels

__all__ = ["RULES"]

_DEFAULTS: Mapping[str, Any] = {
    "padding": "valid",
    "output_padding": None,
    "data_format": "channels_last",
    "activation": None,
    "use_bias": True,
    "kernel_initializer": "glorot_uniform",
    "bias_initializer": "zeros",
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}
_READS = (
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "output_padding",
    "data_format",
    "dilation_rate",
)


def _stretch(size: int | None, window: int, stride: int, extra: int | None, valid: bool) -> Any:
    """Return one spatial size of the output; `extra` is its output padding, if given."""
    if size is None:
        return None
    if valid:
        more = max(window, stride) - window if extra is None else extra
        return (size - 1) * stride + window + more
    if extra is None:
        return size * stride
    return (size - 1) * stride + window % 2 + extra


def _transposed(layer: str, rank: int) -> LayerRule:
    """Return the rule of a transposed convolution."""

    def channels(inputs: tuple[Shape, ...], data_format: Any) -> int:
        split_channels(layer, inputs, rank, data_format)
        return known_size(layer, inputs[0], 1 if channels_first(layer, data_format) else -1)

    def extras(output_padding: Any, steps: tuple[int, ...]) -> tuple[int | None, ...]:
        if output_padding is None:
            return (None,) * rank
        found = whole_tuple(layer, "output_padding", output_padding, rank, 0)
        if any(extra >= step for extra, step in zip(found, steps, strict=True)):
            raise failure(
                layer,
                "output_padding must be below strides on every axis",
                f"output_padding={output_padding!r} with strides={steps}",
                "lower output_padding or leave it out",
            )
        return found

    def shape(
        inputs: tuple[Shape, ...],
        filters: Any,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        output_padding: Any,
        data_format: Any,
        dilation_rate: Any,
    ) -> Shape:
        n_filters = whole(layer, "filters", filters, 1)
        kernel = whole_tuple(layer, "kernel_size", kernel_size, rank, 1)
        steps = whole_tuple(layer, "strides", strides, rank, 1)
        gaps = whole_tuple(layer, "dilation_rate", dilation_rate, rank, 1)
        if max(steps) > 1 and max(gaps) > 1:
            raise failure(
                layer,
                "strides and dilation_rate must not both be above 1",
                f"strides={strides!r} and dilation_rate={dilation_rate!r}",
                "keep one of them at 1",
            )
        read = padding.lower() if isinstance(padding, str) else padding
        if read not in ("valid", "same"):
            raise failure(
                layer, "padding must be 'valid' or 'same'", repr(padding), "correct padding"
            )
        channels(inputs, data_format)
        spatial, _ = split_channels(layer, inputs, rank, data_format)
        axes = zip(spatial, kernel, gaps, steps, extras(output_padding, steps), strict=True)
        sizes = tuple(
            _stretch(size, gap * (extent - 1) + 1, step, extra, read == "valid")
            for size, extent, gap, step, extra in axes
        )
        return join_channels(layer, inputs[0][0], sizes, n_filters, data_format)

    def kernel_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
        kernel = whole_tuple(layer, "kernel_size", arguments.get("kernel_size"), rank, 1)
        found = channels(inputs, arguments.get("data_format"))
        return math.prod(kernel) * found * whole(layer, "filters", arguments.get("filters"), 1)

    def weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
        rule.shape(arguments, inputs)
        biases = int(arguments["filters"]) if arguments.get("use_bias", True) else 0
        return Weights(kernel_weights(arguments, inputs) + biases)

    def multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
        """Count the whole kernel once for each place of the input, which it spreads."""
        rule.shape(arguments, inputs)
        spatial, _ = split_channels(layer, inputs, rank, arguments.get("data_format"))
        return known_product(layer, spatial, inputs[0]) * kernel_weights(arguments, inputs)

    ones = 1 if rank == 1 else (1,) * rank
    rule = make_rule(
        layer,
        shape,
        _READS,
        defaults=MappingProxyType({"strides": ones, "dilation_rate": ones, **_DEFAULTS}),
        integers=("filters", "kernel_size", "strides", "output_padding", "dilation_rate"),
        weights=weights,
        multiply_adds=multiply_adds,
    )
    return rule


RULES: tuple[LayerRule, ...] = tuple(
    _transposed(f"Conv{rank}DTranspose", rank) for rank in (1, 2, 3)
)
"""The rules of this family."""
