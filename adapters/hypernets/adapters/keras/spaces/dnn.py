"""A space of dense networks for tabular data."""

import itertools
from collections.abc import Sequence
from typing import Any

from hypernets.adapters.keras.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Input,
)
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Bool, Choice, Dynamic, Real
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import Optional, Permutation, Repeat, Sequential

__all__ = ["dnn_block", "dnn_search_space"]


def dnn_block(
    hp_dnn_units: Any,
    hp_reduce_factor: Any,
    hp_seq: Any,
    hp_use_bn: Any,
    hp_dropout: Any,
    hp_activation: Any,
    step: int,
) -> ModuleSpace:
    """Return a dense layer followed by activation, normalization and dropout in some order.

    Every block is `hp_reduce_factor` times as wide as the one before it.
    """
    units = Dynamic(
        lambda units, factor: units * factor**step, units=hp_dnn_units, factor=hp_reduce_factor
    )
    activation = Activation(activation=hp_activation)
    normalization = Optional(BatchNormalization(), keep_link=True, hp_opt=hp_use_bn)
    dropout = Dropout(rate=hp_dropout)
    order = Permutation([activation, normalization, dropout], hp_seq=hp_seq)
    return Sequential([Dense(units=units), order])


def dnn_search_space(
    input_shape: int | tuple[int, ...],
    output_units: int,
    output_activation: str,
    units_choices: Sequence[int] = (200, 500, 1000),
    reduce_facotr_choices: Sequence[float] = (1, 0.8, 0.5),
    layer_num_choices: Sequence[int] = (2, 3, 4),
    activation_choices: Sequence[str] = ("relu", "tanh"),
) -> HyperSpace:
    """Return the space; 3,888 assignments with the defaults.

    Args:
        input_shape: of one example: the number of features, or a shape.
        output_units: size of the output.
        output_activation: activation of the output.
        units_choices: width of the first block.
        reduce_facotr_choices: width of each block relative to the one before (published spelling).
        layer_num_choices: number of blocks.
        activation_choices: activation of all blocks.
    """
    space = HyperSpace()
    with space.as_default():
        units = Choice(units_choices)
        reduce_factor = Choice(reduce_facotr_choices)
        use_bn = Bool()
        activation = Choice(activation_choices)
        dropout = Real(0.0, 0.5, step=0.1)
        order = Choice(list(itertools.permutations(range(3))))

        features = Input(shape=input_shape)
        blocks = Repeat(
            lambda step: dnn_block(units, reduce_factor, order, use_bn, dropout, activation, step),
            repeat_num_choices=layer_num_choices,
        )(features)
        Dense(units=output_units, activation=output_activation)(blocks)
    return space
