"""Rules of the convolutions: plain, separable and depthwise."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import (
    channels_first,
    known_product,
    known_size,
    whole,
    whole_tuple,
)
from hypernets.domain.layers.rule import (
    Arguments,
    LayerRule,
    Weights,
    failure,
    make_rule,
    single,
)
from hypernets.domain.layers.window import join_channels, slide, split_channels

__all__ = ["RULES"]

_SLIDING: Mapping[str, Any] = {
    "padding": "valid",
    "data_format": "channels_last",
    "activation": None,
    "use_bias": True,
    "bias_initializer": "zeros",
    "bias_regularizer": None,
    "activity_regularizer": None,
    "bias_constraint": None,
}
_PLAIN: Mapping[str, Any] = {
    **_SLIDING,
    "groups": 1,
    "kernel_initializer": "glorot_uniform",
    "kernel_regularizer": None,
    "kernel_constraint": None,
}
_DEPTHWISE: Mapping[str, Any] = {
    **_SLIDING,
    "depth_multiplier": 1,
    "depthwise_initializer": "glorot_uniform",
    "depthwise_regularizer": None,
    "depthwise_constraint": None,
}
_SEPARABLE: Mapping[str, Any] = {
    **_DEPTHWISE,
    "pointwise_initializer": "glorot_uniform",
    "pointwise_regularizer": None,
    "pointwise_constraint": None,
}
_GEOMETRY = ("kernel_size", "strides", "padding", "data_format", "dilation_rate")
_INTEGERS = ("kernel_size", "strides", "dilation_rate")


@attrs.frozen(slots=True)
class _Kernel:
    """The sliding of a kernel over the input, which all convolutions share.

    Attributes:
        layer: class name, for errors.
        rank: number of spatial axes.
        paddings: what the layer knows.
        strided_dilation: whether strides and dilation may both be above 1.
    """

    layer: str
    rank: int
    paddings: tuple[str, ...] = ("valid", "same")
    strided_dilation: bool = True

    def channels(self, inputs: tuple[Shape, ...], data_format: Any) -> int:
        """Return the channels of the input, which must be known."""
        split_channels(self.layer, inputs, self.rank, data_format)
        axis = 1 if channels_first(self.layer, data_format) else -1
        return known_size(self.layer, inputs[0], axis)

    def size(self, arguments: Arguments) -> int:
        """Return the number of points of the kernel in one channel."""
        return math.prod(self._positive("kernel_size", arguments.get("kernel_size")))

    def out(self, inputs: tuple[Shape, ...], filters: int, *geometry: Any) -> Shape:
        """Return the output shape; `geometry` are the values of `_GEOMETRY`."""
        kernel_size, strides, padding, data_format, dilation_rate = geometry
        kernel = self._positive("kernel_size", kernel_size)
        steps = self._positive("strides", strides)
        gaps = self._positive("dilation_rate", dilation_rate)
        if not self.strided_dilation and max(steps) > 1 and max(gaps) > 1:
            raise failure(
                self.layer,
                "strides and dilation_rate must not both be above 1",
                f"strides={strides!r} and dilation_rate={dilation_rate!r}",
                "keep one of them at 1",
            )
        window = tuple(gap * (size - 1) + 1 for gap, size in zip(gaps, kernel, strict=True))
        spatial, _ = split_channels(self.layer, inputs, self.rank, data_format)
        places = slide(self.layer, spatial, window, steps, padded=self._is_padded(padding))
        return join_channels(self.layer, inputs[0][0], places, filters, data_format)

    def places(self, arguments: Arguments, out: Shape) -> int:
        """Return at how many places of one example the kernel stands."""
        first = channels_first(self.layer, arguments.get("data_format"))
        return known_product(self.layer, out[2:] if first else out[1:-1], out)

    def _positive(self, name: str, value: Any) -> tuple[int, ...]:
        return whole_tuple(self.layer, name, value, self.rank, 1)

    def _is_padded(self, padding: Any) -> bool:
        read = padding.lower() if isinstance(padding, str) else padding
        if read not in self.paddings:
            raise failure(
                self.layer,
                f"padding must be one of {self.paddings}",
                repr(padding),
                "correct padding",
            )
        return bool(read != "valid")


def _defaults(rank: int, own: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the defaults of a class, in the form that Keras gives them."""
    ones = 1 if rank == 1 else (1,) * rank
    return MappingProxyType({"strides": ones, "dilation_rate": ones, **own})


def _biases(arguments: Arguments, filters: int) -> int:
    """Return the number of biases."""
    return filters if arguments.get("use_bias", True) else 0


def _convolution(layer: str, rank: int) -> LayerRule:
    """Return the rule of a plain convolution."""
    paddings = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
    kernel = _Kernel(layer, rank, paddings, strided_dilation=False)

    def shape(inputs: tuple[Shape, ...], filters: Any, groups: Any, *geometry: Any) -> Shape:
        n_filters = whole(layer, "filters", filters, 1)
        n_groups = whole(layer, "groups", groups, 1)
        channels = kernel.channels(inputs, geometry[3])
        if n_filters % n_groups or channels % n_groups:
            raise failure(
                layer,
                "groups must divide both filters and the channels of its input",
                f"groups={groups!r} with filters={filters!r} and {channels} channels",
                "choose a divisor of both",
            )
        return kernel.out(inputs, n_filters, *geometry)

    def measure(arguments: Arguments, inputs: tuple[Shape, ...]) -> tuple[int, int]:
        """Return the products per place and filter, and the filters."""
        filters = whole(layer, "filters", arguments.get("filters"), 1)
        groups = whole(layer, "groups", arguments.get("groups", 1), 1)
        channels = kernel.channels(inputs, arguments.get("data_format"))
        return kernel.size(arguments) * (channels // groups), filters

    def weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
        rule.shape(arguments, inputs)
        depth, filters = measure(arguments, inputs)
        biases = _biases(arguments, filters)
        if not arguments.get("lora_rank"):
            return Weights(depth * filters + biases)
        lora = whole(layer, "lora_rank", arguments["lora_rank"], 1)
        return Weights((depth + filters) * lora + biases, depth * filters)

    def multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
        out = single(rule.shape(arguments, inputs))
        depth, filters = measure(arguments, inputs)
        return depth * filters * kernel.places(arguments, out)

    rule = make_rule(
        layer,
        shape,
        ("filters", "groups", *_GEOMETRY),
        defaults=_defaults(rank, _PLAIN),
        integers=("filters", "groups", "lora_rank", *_INTEGERS),
        weights=weights,
        multiply_adds=multiply_adds,
    )
    return rule


def _separable(layer: str, rank: int) -> LayerRule:
    """Return the rule of a depthwise convolution that is followed by a pointwise one."""
    kernel = _Kernel(layer, rank)

    def shape(inputs: tuple[Shape, ...], filters: Any, depth: Any, *geometry: Any) -> Shape:
        n_filters = whole(layer, "filters", filters, 1)
        whole(layer, "depth_multiplier", depth, 1)
        kernel.channels(inputs, geometry[3])
        return kernel.out(inputs, n_filters, *geometry)

    def measure(arguments: Arguments, inputs: tuple[Shape, ...]) -> tuple[int, int]:
        """Return the products per place, and the filters."""
        filters = whole(layer, "filters", arguments.get("filters"), 1)
        depth = whole(layer, "depth_multiplier", arguments.get("depth_multiplier", 1), 1)
        channels = kernel.channels(inputs, arguments.get("data_format")) * depth
        return channels * (kernel.size(arguments) + filters), filters

    def weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
        rule.shape(arguments, inputs)
        products, filters = measure(arguments, inputs)
        return Weights(products + _biases(arguments, filters))

    def multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
        out = single(rule.shape(arguments, inputs))
        return measure(arguments, inputs)[0] * kernel.places(arguments, out)

    rule = make_rule(
        layer,
        shape,
        ("filters", "depth_multiplier", *_GEOMETRY),
        defaults=_defaults(rank, _SEPARABLE),
        integers=("filters", "depth_multiplier", *_INTEGERS),
        weights=weights,
        multiply_adds=multiply_adds,
    )
    return rule


def _depthwise(layer: str, rank: int) -> LayerRule:
    """Return the rule of a convolution of each channel by itself."""
    kernel = _Kernel(layer, rank)

    def filters_of(inputs: tuple[Shape, ...], depth: Any, data_format: Any) -> int:
        return kernel.channels(inputs, data_format) * whole(layer, "depth_multiplier", depth, 1)

    def shape(inputs: tuple[Shape, ...], depth: Any, *geometry: Any) -> Shape:
        return kernel.out(inputs, filters_of(inputs, depth, geometry[3]), *geometry)

    def measure(arguments: Arguments, inputs: tuple[Shape, ...]) -> tuple[int, int]:
        """Return the products per place, and the filters."""
        get = arguments.get
        filters = filters_of(inputs, get("depth_multiplier", 1), get("data_format"))
        return kernel.size(arguments) * filters, filters

    def weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
        rule.shape(arguments, inputs)
        products, filters = measure(arguments, inputs)
        return Weights(products + _biases(arguments, filters))

    def multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
        out = single(rule.shape(arguments, inputs))
        return measure(arguments, inputs)[0] * kernel.places(arguments, out)

    rule = make_rule(
        layer,
        shape,
        ("depth_multiplier", *_GEOMETRY),
        defaults=_defaults(rank, _DEPTHWISE),
        integers=("depth_multiplier", *_INTEGERS),
        weights=weights,
        multiply_adds=multiply_adds,
    )
    return rule


RULES: tuple[LayerRule, ...] = (
    *(_convolution(f"Conv{rank}D", rank) for rank in (1, 2, 3)),
    *(_separable(f"SeparableConv{rank}D", rank) for rank in (1, 2)),
    *(_depthwise(f"DepthwiseConv{rank}D", rank) for rank in (1, 2)),
)
"""The rules of this family."""
