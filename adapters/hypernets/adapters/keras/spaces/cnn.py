"""A space of convolutional networks in the manner of VGG.

Source of the pattern: Simonyan & Zisserman (2015), "Very Deep Convolutional Networks for
Large-Scale Image Recognition", table 1.
"""

import itertools
from collections.abc import Sequence
from typing import Any

from hypernets.adapters.keras.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    Input,
    MaxPooling2D,
)
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Bool, Choice, Dynamic
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import Optional, Or, Permutation, Repeat, Sequential

__all__ = ["cnn_search_space", "conv_block"]


def conv_block(
    block_no: int,
    hp_pooling: Any,
    hp_filters: Any,
    hp_kernel_size: Any,
    hp_bn_act: Any,
    hp_use_bn: Any,
    hp_activation: Any,
    strides: tuple[int, int] = (1, 1),
) -> ModuleSpace:
    """Return a block: convolutions, each with activation and normalization, then a pooling.

    The first two blocks hold two convolutions, a later one three to five and twice the filters of
    the block before it.
    """
    early = block_no < 2
    multiplier = 1 if early else 2 ** (block_no - 1)
    filters = Dynamic(lambda filters: filters * multiplier, filters=hp_filters)

    def convolution(step: int) -> ModuleSpace:
        layer = Conv2D(filters=filters, kernel_size=hp_kernel_size, strides=strides, padding="same")
        activation = Activation(activation=hp_activation)
        normalization = Optional(BatchNormalization(), keep_link=True, hp_opt=hp_use_bn)
        order = Permutation([normalization, activation], hp_seq=hp_bn_act)
        return Sequential([layer, order])

    convolutions = Repeat(convolution, repeat_num_choices=[2] if early else [3, 4, 5])
    pooling = Or([MaxPooling2D(padding="same"), AveragePooling2D(padding="same")], hp_or=hp_pooling)
    return Sequential([convolutions, pooling])


def cnn_search_space(
    input_shape: tuple[int, ...],
    output_units: int,
    output_activation: str = "softmax",
    block_num_choices: Sequence[int] = (2, 3, 4, 5, 6),
    activation_choices: Sequence[str] = ("relu",),
    filters_choices: Sequence[int] = (32, 64),
    kernel_size_choices: Sequence[tuple[int, int]] = ((1, 1), (3, 3)),
    fc_units_choices: Sequence[int] = (1024, 2048, 4096),
) -> HyperSpace:
    """Return the space; 11,616 assignments with the defaults.

    Args:
        input_shape: of one image, without the batch.
        output_units: size of the output.
        output_activation: activation of the output.
        block_num_choices: number of blocks.
        activation_choices: activation of all layers but the last.
        filters_choices: filters of the first block.
        kernel_size_choices: kernel of every convolution.
        fc_units_choices: width of the two dense layers before the output.
    """
    space = HyperSpace()
    with space.as_default():
        use_bn = Bool()
        pooling = Choice([0, 1])
        filters = Choice(filters_choices)
        kernel_size = Choice(kernel_size_choices)
        fc_units = Choice(fc_units_choices)
        activation = Choice(activation_choices)
        order = Choice(list(itertools.permutations(range(2))))

        image = Input(shape=input_shape)
        blocks = Repeat(
            lambda step: conv_block(
                block_no=step,
                hp_pooling=pooling,
                hp_filters=filters,
                hp_kernel_size=kernel_size,
                hp_bn_act=order,
                hp_use_bn=use_bn,
                hp_activation=activation,
            ),
            repeat_num_choices=block_num_choices,
        )(image)
        x: ModuleSpace = Flatten()(blocks)
        x = Dense(units=fc_units, activation=activation, name="fc1")(x)
        x = Dense(units=fc_units, activation=activation, name="fc2")(x)
        Dense(output_units, activation=output_activation, name="predictions")(x)
    return space
