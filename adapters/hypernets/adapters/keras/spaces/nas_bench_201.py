"""The space of NAS-Bench-201: networks of one cell with an operation on each of its six edges.

Source: Dong & Yang (2020), "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture
Search", section 2 and figure 1; the layers as in its published code.

The operation `none` is a layer that puts out zeros, `Rescaling(0.0)`, as published, and no cut:
an edge cut off would leave what comes after it without an input wherever it is the only one, and a
network whose output gets nothing could not be built. With zeros it has every layer that its code
names, and as many weights as published.
"""

from collections.abc import Callable
from typing import Any

from hypernets.adapters.keras.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    Rescaling,
    ZeroPadding2D,
)
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice, Dynamic
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import Identity, Or

__all__ = [
    "EDGES",
    "OPERATIONS",
    "nas_bench_201_cell_space",
    "nas_bench_201_decisions",
    "nas_bench_201_search_space",
]

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The edges of the cell, `(from, to)`, in the benchmark's order."""
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""What an edge may do, by the benchmark's names."""


def nas_bench_201_search_space(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    filters: int = 16,
    stages: int = 3,
    cells_per_stage: int = 5,
) -> HyperSpace:
    """Return the space, 15,625 assignments; the defaults are the published network on CIFAR-10.

    A stem, then stages of equal cells; between stages, a residual block halves height and width and
    doubles the channels. All cells have the same choices, `edge_0_1` to `edge_2_3`. The published
    counts of parameters are those of the trainable ones.

    Args:
        input_shape: of one image, `(height, width, channels)`.
        classes: size of the softmax output.
        filters: channels of the stem and of the first stage.
        stages: number of stages.
        cells_per_stage: number of cells in each.

    Raises:
        SpaceError: an argument is out of range.
    """
    _require("filters", filters)
    _require("stages", stages)
    _require("cells_per_stage", cells_per_stage)
    space = HyperSpace()
    with space.as_default():
        build = _cell()
        x: ModuleSpace = Input(shape=input_shape, name="image")
        x = _convolution(filters, 3, "stem_conv")(x)
        x = _normalization("stem_bn")(x)
        for stage in range(stages):
            channels = filters * 2**stage
            if stage:
                x = _residual_block(x, channels, f"stage{stage}_reduction")
            for number in range(cells_per_stage):
                x = build(x, channels, f"stage{stage}_cell{number}")
        x = _normalization("last_bn")(x)
        x = Activation("relu", name="last_relu")(x)
        x = GlobalAveragePooling2D(name="pool")(x)
        Dense(classes, activation="softmax", name="predictions")(x)
    return space


def nas_bench_201_cell_space(input_shape: tuple[int, ...] = (32, 32, 16)) -> HyperSpace:
    """Return the space of one bare cell, from its input to its output; 15,625 assignments.

    Args:
        input_shape: of what feeds the cell, `(height, width, channels)`; it keeps the channels.
    """
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=input_shape, name="input")
        _cell()(x, input_shape[-1], "cell")
    return space


def nas_bench_201_decisions(ops: Any) -> dict[str, str]:
    """Return the decisions that build a cell of the benchmark.

    Args:
        ops: the operation of each edge, in the order of `EDGES`.

    Raises:
        SpaceError: there are not six of them.
    """
    if len(ops) != len(EDGES):
        raise SpaceError(
            f"nas_bench_201_decisions: ops must hold an operation for each of {len(EDGES)} edges; "
            f"received {len(ops)}"
        )
    return {f"edge_{a}_{b}": op for (a, b), op in zip(EDGES, ops, strict=True)}


def _cell() -> Callable[[ModuleSpace, int, str], ModuleSpace]:
    """Return what builds a cell, of its input, its channels and a prefix for its names."""
    choices = {edge: Choice(OPERATIONS, name=f"edge_{edge[0]}_{edge[1]}") for edge in EDGES}
    selectors = {
        edge: Dynamic(lambda op: OPERATIONS.index(op), op=op) for edge, op in choices.items()
    }

    def build(x: ModuleSpace, channels: int, prefix: str) -> ModuleSpace:
        nodes = [x]
        for target in (1, 2, 3):
            edges: list[ModuleSpace] = [
                Or(
                    _operations(channels, f"{prefix}_edge{source}{target}"),
                    hp_or=selectors[source, target],
                )(node)
                for source, node in enumerate(nodes)
            ]
            merged = edges[0] if len(edges) == 1 else Add(name=f"{prefix}_node{target}")(edges)
            nodes.append(merged)
        return nodes[-1]

    return build


def _operations(channels: int, prefix: str) -> list[ModuleSpace]:
    """Return what an edge may do, in the order of `OPERATIONS`."""
    return [
        Rescaling(0.0, name=f"{prefix}_none"),
        Identity(name=f"{prefix}_skip"),
        _relu_conv_bn(None, channels, 1, f"{prefix}_1x1"),
        _relu_conv_bn(None, channels, 3, f"{prefix}_3x3"),
        AveragePooling2D(3, strides=1, padding="same", name=f"{prefix}_pool"),
    ]


def _relu_conv_bn(
    x: ModuleSpace | None, channels: int, kernel_size: int, prefix: str
) -> ModuleSpace:
    relu = Activation("relu", name=f"{prefix}_relu")
    if x is not None:
        relu(x)
    convolution = _convolution(channels, kernel_size, f"{prefix}_conv")(relu)
    return _normalization(f"{prefix}_bn")(convolution)


def _residual_block(x: ModuleSpace, channels: int, prefix: str) -> ModuleSpace:
    """Return the block between stages: two convolutions, and past them a pooling and one of 1x1."""
    relu = Activation("relu", name=f"{prefix}_a_relu")(x)
    # as published: a border all around, where "same" with a stride of 2 has one on two sides
    padded = ZeroPadding2D(1, name=f"{prefix}_a_pad")(relu)
    strided = Conv2D(channels, 3, strides=2, use_bias=False, name=f"{prefix}_a_conv")(padded)
    a = _normalization(f"{prefix}_a_bn")(strided)
    b = _relu_conv_bn(a, channels, 3, f"{prefix}_b")
    pool = AveragePooling2D(2, strides=2, padding="same", name=f"{prefix}_pool")(x)
    shortcut = _convolution(channels, 1, f"{prefix}_shortcut")(pool)
    return Add(name=f"{prefix}_add")([shortcut, b])


def _convolution(channels: int, kernel_size: int, name: str) -> Conv2D:
    return Conv2D(channels, kernel_size, padding="same", use_bias=False, name=name)


def _normalization(name: str) -> BatchNormalization:
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)


def _require(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SpaceError(f"nas_bench_201: {name} must be an integer >= 1; received {value!r}")
