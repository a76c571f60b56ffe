"""The parts of an ENAS network: operations, nodes, cells, stem and head.

Source: Pham et al. (2018), "Efficient Neural Architecture Search via Parameter Sharing", section
2.4 (the micro search space). Each function creates modules in the current space and returns the
last of them.
"""

from collections.abc import Sequence
from typing import Any

from hypernets.adapters.keras.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConv2D,
)
from hypernets.adapters.keras.spaces.enas_macro import CalibrateSize, SafeConcatenate
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import ConnectLooseEnd, Identity, InputChoice, Or

__all__ = [
    "add",
    "auxiliary_head",
    "avgpooling3x3",
    "classfication",
    "conv_cell",
    "conv_layer",
    "conv_node",
    "identity",
    "maxpooling3x3",
    "sepconv2d_bn",
    "sepconv3x3",
    "sepconv5x5",
    "stem_op",
]


def sepconv2d_bn(
    no: int,
    name_prefix: str,
    kernel_size: tuple[int, int],
    filters: int,
    strides: tuple[int, int] = (1, 1),
    data_format: str | None = None,
    x: ModuleSpace | None = None,
) -> ModuleSpace:
    """Return ReLU, separable convolution and batch normalization, fed by `x` if given."""
    relu = Activation(activation="relu", name=f"{name_prefix}relu_{no}_")
    if x is not None:
        relu(x)
    convolution = SeparableConv2D(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding="same",
        data_format=data_format,
        name=f"{name_prefix}sepconv2d_{no}",
    )(relu)
    return _normalization(f"{name_prefix}bn_{no}_", data_format)(convolution)


def sepconv3x3(
    name_prefix: str,
    filters: int,
    strides: tuple[int, int] = (1, 1),
    data_format: str | None = None,
) -> ModuleSpace:
    """Return two 3x3 separable convolutions in a row."""
    return _twice(f"{name_prefix}sepconv3x3_", (3, 3), filters, strides, data_format)


def sepconv5x5(
    name_prefix: str,
    filters: int,
    strides: tuple[int, int] = (1, 1),
    data_format: str | None = None,
) -> ModuleSpace:
    """Return two 5x5 separable convolutions in a row."""
    return _twice(f"{name_prefix}sepconv5x5_", (5, 5), filters, strides, data_format)


def maxpooling3x3(
    name_prefix: str,
    filters: int,
    strides: tuple[int, int] = (1, 1),
    data_format: str | None = None,
) -> ModuleSpace:
    """Return a 3x3 max pooling; `filters` is what its input has."""
    return MaxPooling2D(
        pool_size=(3, 3),
        strides=strides,
        padding="same",
        data_format=data_format,
        name=f"{name_prefix}maxpooling3x3_pool_",
    )


def avgpooling3x3(
    name_prefix: str,
    filters: int,
    strides: tuple[int, int] = (1, 1),
    data_format: str | None = None,
) -> ModuleSpace:
    """Return a 3x3 average pooling; `filters` is what its input has."""
    return AveragePooling2D(
        pool_size=(3, 3),
        strides=strides,
        padding="same",
        data_format=data_format,
        name=f"{name_prefix}avgpooling3x3_pool_",
    )


def identity(name_prefix: str) -> ModuleSpace:
    """Return what passes its input on."""
    return Identity(name=f"{name_prefix}identity")


def add(x1: ModuleSpace, x2: ModuleSpace, name_prefix: str, filters: int) -> ModuleSpace:
    """Return the sum of two modules; `filters` is what both have."""
    return Add(name=f"{name_prefix}add_")([x1, x2])


def conv_cell(
    hp_dict: dict[str, Any],
    type: str,  # noqa: A002 - a published name
    cell_no: int,
    node_no: int,
    left_or_right: str,
    inputs: Sequence[ModuleSpace],
    filters: int,
    is_reduction: bool = False,
    data_format: str | None = None,
) -> ModuleSpace:
    """Return one of the two branches of a node: one earlier node, then one of five operations.

    The choices are shared, through `hp_dict`, by all cells of one type.
    """
    name_prefix = f"{type}_C{cell_no}_N{node_no}_{left_or_right}_"
    key = f"{type[2:]}_N{node_no}_{left_or_right}"
    input_key, op_key = f"{key}_input_choice", f"{key}_op_choice"
    source = InputChoice(inputs, 1, hp_choice=hp_dict.get(input_key))(list(inputs))
    hp_dict.setdefault(input_key, source.hp_choice)
    operation = Or(
        [
            sepconv5x5(name_prefix, filters, data_format=data_format),
            sepconv3x3(name_prefix, filters, data_format=data_format),
            avgpooling3x3(name_prefix, filters, data_format=data_format),
            maxpooling3x3(name_prefix, filters, data_format=data_format),
            identity(name_prefix),
        ],
        hp_or=hp_dict.get(op_key),
    )(source)
    hp_dict.setdefault(op_key, operation.hp_or)
    return operation


def conv_node(
    hp_dict: dict[str, Any],
    type: str,  # noqa: A002 - a published name
    cell_no: int,
    node_no: int,
    inputs: Sequence[ModuleSpace],
    filters: int,
    is_reduction: bool = False,
    data_format: str | None = None,
) -> ModuleSpace:
    """Return a node of a cell: the sum of two branches."""
    left, right = (
        conv_cell(hp_dict, type, cell_no, node_no, side, inputs, filters, is_reduction, data_format)
        for side in "LR"
    )
    return add(left, right, f"{type}_C{cell_no}_N{node_no}_", filters)


def conv_layer(
    hp_dict: dict[str, Any],
    type: str,  # noqa: A002 - a published name
    cell_no: int,
    inputs: Sequence[ModuleSpace],
    filters: int,
    node_num: int,
    is_reduction: bool = False,
    data_format: str | None = None,
) -> ModuleSpace:
    """Return a cell: its nodes that no other node uses, concatenated."""
    name_prefix = f"{type}_C{cell_no}_"
    first, second = inputs
    nodes: list[ModuleSpace]
    if first is second:
        nodes = [CalibrateSize(0, filters, name_prefix, data_format)(first)] * 2
    else:
        nodes = [
            CalibrateSize(no, filters, name_prefix, data_format)([first, second]) for no in (0, 1)
        ]
    for node_no in range(node_num):
        nodes.append(
            conv_node(hp_dict, type, cell_no, node_no, nodes, filters, is_reduction, data_format)
        )
    ends = ConnectLooseEnd(nodes)(nodes)
    return SafeConcatenate(
        filters, name_prefix, name=f"{name_prefix}concat_", data_format=data_format
    )(ends)


def stem_op(input: ModuleSpace, filters: int, data_format: str | None = None) -> ModuleSpace:  # noqa: A002
    """Return the stem: a 3x3 convolution to three times the filters, normalized."""
    convolution = Conv2D(
        filters=filters * 3,
        kernel_size=(3, 3),
        strides=(1, 1),
        padding="same",
        data_format=data_format,
        name="0_stem_conv2d",
    )(input)
    return _normalization("0_stem_bn", data_format)(convolution)


def auxiliary_head() -> None:
    """Return nothing: the published space has no auxiliary head."""


def classfication(
    x: ModuleSpace, classes: int, dropout_rate: float = 0, data_format: str | None = None
) -> ModuleSpace:
    """Return the head: ReLU, global average pooling, dropout if any, softmax over the classes."""
    x = Activation("relu")(x)
    x = GlobalAveragePooling2D(data_format=data_format)(x)
    if dropout_rate > 0:
        x = Dropout(dropout_rate)(x)
    return Dense(classes, activation="softmax")(x)


def _twice(
    name_prefix: str,
    kernel_size: tuple[int, int],
    filters: int,
    strides: tuple[int, int],
    data_format: str | None,
) -> ModuleSpace:
    first = sepconv2d_bn(0, name_prefix, kernel_size, filters, strides, data_format)
    return sepconv2d_bn(1, name_prefix, kernel_size, filters, strides, data_format, x=first)


def _normalization(name: str, data_format: str | None) -> BatchNormalization:
    if data_format == "channels_first":
        return BatchNormalization(axis=1, name=name)
    return BatchNormalization(name=name)
