"""The macros of ENAS cells: layers that depend on the shapes of what feeds them.

Source: Pham et al. (2018), "Efficient Neural Architecture Search via Parameter Sharing", section
2.4, with the factorized reduction of its published implementation.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.error import BuildError
from hypernets.domain.space.hyperparameter import ParameterSpace
from hypernets.domain.space.macro import Emitter, MacroModule, Tensor

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["CalibrateSize", "FactorizedReduction", "SafeConcatenate"]


class CalibrateSize(MacroModule):
    """Brings one of the two inputs of a cell to the cell's size.

    Args:
        no: which input: 0 is reduced where its width is twice that of input 1; either is aligned
            by a 1x1 convolution where its channels differ from `filters`; else nothing is added.
        filters: channels of the cell.
        name_prefix: what the names of its layers begin with.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self,
        no: int,
        filters: int | ParameterSpace,
        name_prefix: str,
        data_format: str | None = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        self.no = no
        self.name_prefix = name_prefix
        arguments = {"filters": filters, "data_format": data_format}
        super().__init__(arguments, name=name, space=space)

    def expand(
        self, emit: Emitter, inputs: Sequence[Tensor], arguments: Mapping[str, Any]
    ) -> Sequence[Tensor]:
        """Emit a reduction, an alignment, or nothing."""
        if not 1 <= len(inputs) <= 2:
            raise BuildError(
                f"{self.name!r} must be fed by one or two tensors; received {len(inputs)}; "
                "call it on the two inputs of the cell"
            )
        filters, data_format = arguments["filters"], arguments["data_format"]
        number = self.no if len(inputs) == 2 else 0
        chosen = inputs[number]
        if number == 0 and len(inputs) == 2:
            width, other = (_width(emit.shape(tensor), data_format) for tensor in inputs)
            if width is not None and other is not None and width == 2 * other:
                prefix = f"{self.name_prefix}input0_factorized_reduction_"
                return _reduce(emit, chosen, filters, self.name_prefix, prefix, data_format)
        if _channels(emit.shape(chosen), data_format) == filters:
            return [chosen]
        return _align(emit, chosen, filters, f"{self.name_prefix}input{number}_", data_format)


class FactorizedReduction(MacroModule):
    """Halves height and width without losing every other pixel: two shifted branches, joined.

    Args:
        filters: channels put out, half of them from each branch.
        name_prefix: what the names of its layers begin with.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self,
        filters: int | ParameterSpace,
        name_prefix: str,
        data_format: str | None = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        self.name_prefix = name_prefix
        arguments = {"filters": filters, "data_format": data_format}
        super().__init__(arguments, name=name, space=space)

    def expand(
        self, emit: Emitter, inputs: Sequence[Tensor], arguments: Mapping[str, Any]
    ) -> Sequence[Tensor]:
        """Emit the two branches and their concatenation."""
        if len(inputs) != 1:
            raise BuildError(
                f"{self.name!r} must be fed by one tensor; received {len(inputs)}; merge them first"
            )
        prefix = f"{self.name_prefix}reduction_"
        filters, data_format = arguments["filters"], arguments["data_format"]
        return _reduce(emit, inputs[0], filters, self.name_prefix, prefix, data_format)


class SafeConcatenate(MacroModule):
    """Concatenates several inputs; passes a single one on.

    Args:
        filters: channels of the cell; kept for the reader.
        name_prefix: what the names of the cell's layers begin with; kept for the reader.
        name: name of the concatenation.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self,
        filters: int | ParameterSpace,
        name_prefix: str,
        name: str | None = None,
        data_format: str | None = None,
        *,
        space: "HyperSpace | None" = None,
    ) -> None:
        self.name_prefix = name_prefix
        arguments = {"filters": filters, "data_format": data_format}
        super().__init__(arguments, name=name, space=space)

    def expand(
        self, emit: Emitter, inputs: Sequence[Tensor], arguments: Mapping[str, Any]
    ) -> Sequence[Tensor]:
        """Emit a concatenation where there is something to concatenate."""
        if len(inputs) <= 1:
            return inputs
        axis = {"axis": 1} if arguments["data_format"] == "channels_first" else {}
        return [emit.layer("Concatenate", axis, inputs, self.name)]


def _format(data_format: str | None) -> dict[str, Any]:
    return {} if data_format is None else {"data_format": data_format}


def _normalization(data_format: str | None) -> dict[str, Any]:
    return {"axis": 1} if data_format == "channels_first" else {}


def _channels(shape: Shape, data_format: str | None) -> int | None:
    return shape[1] if data_format == "channels_first" else shape[-1]


def _width(shape: Shape, data_format: str | None) -> int | None:
    if len(shape) != 4:
        raise BuildError(
            f"a cell must be fed by images, (batch, height, width, channels); received {shape}"
        )
    return shape[3] if data_format == "channels_first" else shape[2]


def _align(
    emit: Emitter, tensor: Tensor, filters: int, prefix: str, data_format: str | None
) -> Sequence[Tensor]:
    prefix = f"{prefix}filters_aligning_"
    x = emit.layer("ReLU", {}, [tensor], f"{prefix}relu_")
    convolution = {"filters": filters, "kernel_size": (1, 1), **_format(data_format)}
    x = emit.layer("Conv2D", convolution, [x], f"{prefix}conv2d_")
    x = emit.layer("BatchNormalization", _normalization(data_format), [x], f"{prefix}bn_")
    return [x]


def _reduce(
    emit: Emitter,
    tensor: Tensor,
    filters: int,
    name_prefix: str,
    prefix: str,
    data_format: str | None,
) -> Sequence[Tensor]:
    layout = _format(data_format)
    pooling = {"pool_size": (1, 1), "strides": (2, 2), "padding": "valid", **layout}
    convolution = {"filters": filters // 2, "kernel_size": (1, 1), **layout}
    relu = emit.layer("ReLU", {}, [tensor], f"{name_prefix}relu_")
    a = emit.layer("AveragePooling2D", pooling, [relu], f"{prefix}avepool2d_a_")
    a = emit.layer("Conv2D", convolution, [a], f"{prefix}conv2d_a_")
    # branch b looks at the image shifted by one pixel, so that no pixel is lost
    shift = {"padding": ((0, 1), (0, 1)), **layout}
    b = emit.layer("ZeroPadding2D", shift, [relu], f"{prefix}zeropad2d_b_")
    crop = {"cropping": ((1, 0), (1, 0)), **layout}
    b = emit.layer("Cropping2D", crop, [b], f"{prefix}crop2d_b_")
    b = emit.layer("AveragePooling2D", pooling, [b], f"{prefix}avepool2d_b_")
    b = emit.layer("Conv2D", convolution, [b], f"{prefix}conv2d_b_")
    axis = _normalization(data_format)
    x = emit.layer("Concatenate", axis, [a, b], f"{prefix}concat_")
    return [emit.layer("BatchNormalization", axis, [x], f"{prefix}bn_")]
