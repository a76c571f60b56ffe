"""Published names of the parts of ENAS networks."""

from hypernets.adapters.keras.spaces.enas_cell import (
    add,
    auxiliary_head,
    avgpooling3x3,
    classfication,
    conv_cell,
    conv_layer,
    conv_node,
    identity,
    maxpooling3x3,
    sepconv2d_bn,
    sepconv3x3,
    sepconv5x5,
    stem_op,
)

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
