"""The NASNet search space: a network of normal and reduction cells with thirteen operations.

Source: Zoph, Vasudevan, Shlens & Le (2018), "Learning Transferable Architectures for Scalable Image
Recognition", section 3 and figures 2 and 3.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hypernets.adapters.keras.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Input,
    MaxPooling2D,
)
from hypernets.adapters.keras.spaces.enas_cell import (
    classfication,
    identity,
    sepconv2d_bn,
    stem_op,
)
from hypernets.adapters.keras.spaces.enas_macro import (
    CalibrateSize,
    FactorizedReduction,
    SafeConcatenate,
)
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice, MultipleChoice
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import ConnectLooseEnd, InputChoice, Or

__all__ = ["OPERATIONS", "nasnet_search_space"]


def _convolutions(*sizes: tuple[int, int], dilation: int = 1) -> Callable[[str, int], ModuleSpace]:
    """Return what makes ReLU, convolution and normalization, once for each kernel size."""

    def make(prefix: str, filters: int) -> ModuleSpace:
        x: Any = None
        for rows, columns in sizes:
            suffix = f"{rows}x{columns}"
            relu = Activation(activation="relu", name=f"{prefix}relu_{suffix}")
            x = relu if x is None else relu(x)
            x = Conv2D(
                filters,
                (rows, columns),
                padding="same",
                dilation_rate=dilation,
                use_bias=False,
                name=f"{prefix}conv_{suffix}",
            )(x)
            x = BatchNormalization(name=f"{prefix}bn_{suffix}")(x)
        return x  # type: ignore[no-any-return]

    return make


def _separable(size: int) -> Callable[[str, int], ModuleSpace]:
    """Return what makes a depthwise-separable convolution, which is applied twice."""

    def make(prefix: str, filters: int) -> ModuleSpace:
        first = sepconv2d_bn(0, prefix, (size, size), filters)
        return sepconv2d_bn(1, prefix, (size, size), filters, x=first)

    return make


def _pooling(kind: type[Any], size: int) -> Callable[[str, int], ModuleSpace]:
    def make(prefix: str, filters: int) -> ModuleSpace:
        return kind(  # type: ignore[no-any-return]
            pool_size=(size, size), strides=(1, 1), padding="same", name=f"{prefix}pool"
        )

    return make


OPERATIONS: dict[str, Callable[[str, int], ModuleSpace]] = {
    "identity": lambda prefix, filters: identity(prefix),
    "conv_1x3_3x1": _convolutions((1, 3), (3, 1)),
    "conv_1x7_7x1": _convolutions((1, 7), (7, 1)),
    "dil_conv_3x3": _convolutions((3, 3), dilation=2),
    "avg_pool_3x3": _pooling(AveragePooling2D, 3),
    "max_pool_3x3": _pooling(MaxPooling2D, 3),
    "max_pool_5x5": _pooling(MaxPooling2D, 5),
    "max_pool_7x7": _pooling(MaxPooling2D, 7),
    "conv_1x1": _convolutions((1, 1)),
    "conv_3x3": _convolutions((3, 3)),
    "sep_conv_3x3": _separable(3),
    "sep_conv_5x5": _separable(5),
    "sep_conv_7x7": _separable(7),
}
"""Name of an operation → what makes it, from the beginning of its layers' names and the filters."""


def nasnet_search_space(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    filters: int = 32,
    cells: int = 2,
    blocks: int = 5,
    stages: int = 3,
    operations: Sequence[str] = tuple(OPERATIONS),
) -> HyperSpace:
    """Return the space; the defaults are the published search on CIFAR-10.

    A stem, then stages of normal cells with a reduction cell between them, which halves height and
    width and doubles the filters. A cell makes its blocks one after another: each takes two of what
    is there (the outputs of the two cells before, and the blocks before it), applies an operation
    to either, and adds or concatenates the results. What no block has taken is concatenated. All
    cells of a kind have the same choices.

    In the paper, the operations that take the inputs of a reduction cell have a stride of 2; here
    these inputs are halved before. A concatenation is brought back to the filters by a 1x1
    convolution.

    Args:
        input_shape: of one image, `(height, width, channels)`.
        classes: size of the softmax output.
        filters: of the cells of the first stage.
        cells: normal cells in a stage.
        blocks: of a cell.
        stages: number of stages.
        operations: names, of `OPERATIONS`.

    Raises:
        SpaceError: an argument is out of range.
    """
    for name, value in (("cells", cells), ("blocks", blocks), ("stages", stages)):
        if type(value) is not int or value < 1:
            raise SpaceError(
                f"nasnet_search_space: {name} must be an integer >= 1; received {value!r}"
            )
    if len(operations) < 2 or not set(operations) <= set(OPERATIONS):
        raise SpaceError(
            "nasnet_search_space: operations must be at least two of "
            f"{', '.join(map(repr, OPERATIONS))}; received {tuple(operations)!r}"
        )
    kinds = ["normal"] * cells + (["reduction"] + ["normal"] * cells) * (stages - 1)
    space = HyperSpace()
    with space.as_default():
        choices = {kind: _choices(kind, blocks, len(operations)) for kind in sorted(set(kinds))}
        image = Input(shape=input_shape, name="0_input")
        older: ModuleSpace = stem_op(image, filters)
        newer = older
        for number, kind in enumerate(kinds, start=1):
            prefix = f"{number}_{kind}_"
            if kind == "reduction":
                filters *= 2
                older, newer = (
                    FactorizedReduction(filters, f"{prefix}before_{no}_")(each)
                    for no, each in enumerate((older, newer))
                )
            cell = _cell(choices[kind], prefix, older, newer, filters, operations)
            older, newer = newer, cell
        classfication(newer, classes)
        space.set_inputs(image)
    return space


Block = dict[str, Any]


def _choices(kind: str, blocks: int, n_operations: int) -> list[Block]:
    """Return the choices of each block of one kind of cell."""
    found = []
    for number in range(1, blocks + 1):
        prefix = f"{kind}_{number}_"
        block: Block = {}
        for side in ("left", "right"):
            name = f"{prefix}{side}_"
            block[f"{side}_input"] = MultipleChoice(list(range(number + 1)), 1, name=f"{name}input")
            block[f"{side}_operation"] = Choice(range(n_operations), name=f"{name}operation")
        block["combine"] = Choice([0, 1], name=f"{prefix}combine")
        found.append(block)
    return found


def _cell(
    choices: list[Block],
    prefix: str,
    older: ModuleSpace,
    newer: ModuleSpace,
    filters: int,
    operations: Sequence[str],
) -> ModuleSpace:
    """Return a cell: its blocks, and what none of them has taken, concatenated."""
    if older is newer:
        nodes: list[Any] = [CalibrateSize(0, filters, prefix)(older)] * 2
    else:
        nodes = [CalibrateSize(no, filters, prefix)([older, newer]) for no in (0, 1)]
    for number, block in enumerate(choices, start=1):
        here = f"{prefix}{number}_"
        branches = []
        for side in ("left", "right"):
            source = InputChoice(list(nodes), 1, hp_choice=block[f"{side}_input"])(list(nodes))
            made = [OPERATIONS[name](f"{here}{side}_{name}_", filters) for name in operations]
            branches.append(Or(made, hp_or=block[f"{side}_operation"])(source))
        joined = [Add(name=f"{here}add"), _concatenated(here, filters)]
        nodes.append(Or(joined, hp_or=block["combine"])(branches))
    ends = ConnectLooseEnd(nodes)(nodes)
    return SafeConcatenate(filters, prefix, name=f"{prefix}concat")(ends)


def _concatenated(prefix: str, filters: int) -> ModuleSpace:
    both = Concatenate(name=f"{prefix}concat")
    convolution = Conv2D(filters, (1, 1), use_bias=False, name=f"{prefix}concat_conv")(both)
    return BatchNormalization(name=f"{prefix}concat_bn")(convolution)
