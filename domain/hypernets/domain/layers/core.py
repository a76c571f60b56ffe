"""Rules of the inputs and of the dense layers: `Input`, `Dense`, `Embedding`."""

import math
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import (
    known_product,
    known_size,
    only_input,
    ranked_input,
    whole,
)
from hypernets.domain.layers.rule import (
    Arguments,
    LayerRule,
    Weights,
    failure,
    make_rule,
    outside,
    single,
)

__all__ = ["RULES"]


def _input_shape(
    inputs: tuple[Shape, ...], shape: Any, batch_size: Any, batch_shape: Any, tensor: Any
) -> Shape:
    """Return the shape that an input declares."""
    if inputs:
        raise failure(
            "Input",
            "it begins a network and takes no input",
            f"{len(inputs)} of shapes {inputs}",
            "connect it only to what comes after it",
        )
    if tensor is not None:
        raise outside("Input", "inputs given by shape", "a tensor")
    if (shape is None) == (batch_shape is None) or (
        batch_shape is not None and batch_size is not None
    ):
        raise failure(
            "Input",
            "it needs either shape, with batch_size at will, or batch_shape",
            f"shape={shape!r}, batch_size={batch_size!r}, batch_shape={batch_shape!r}",
            "give shape alone",
        )
    declared = batch_shape if shape is None else shape
    if not isinstance(declared, tuple | list):
        declared = (declared,)  # shape=5 is read as shape=(5,), as when the model is built
    sizes = tuple(_declared_size(size) for size in declared)
    return sizes if shape is None else (_declared_size(batch_size), *sizes)


def _declared_size(size: Any) -> int | None:
    return None if size is None else whole("Input", "a size", size, 0)


def _dense_shape(inputs: tuple[Shape, ...], units: Any) -> Shape:
    """Return the shape of a matrix product along the last axis."""
    n_units = whole("Dense", "units", units, 1)
    given = ranked_input("Dense", inputs, 2, math.inf)
    known_size("Dense", given, -1)
    return (*given[:-1], n_units)


def _dense_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    units = single(_DENSE.shape(arguments, inputs))[-1] or 0
    features = known_size("Dense", inputs[0], -1)
    biases = units if arguments.get("use_bias", True) else 0
    if not arguments.get("lora_rank"):
        return Weights(features * units + biases)
    lora = whole("Dense", "lora_rank", arguments["lora_rank"], 1)
    return Weights((features + units) * lora + biases, features * units)


def _dense_multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
    out = single(_DENSE.shape(arguments, inputs))
    return known_product("Dense", out[1:], out) * known_size("Dense", inputs[0], -1)


def _embedding_shape(inputs: tuple[Shape, ...], input_dim: Any, output_dim: Any) -> Shape:
    """Return the shape of a vector for every index."""
    whole("Embedding", "input_dim", input_dim, 1)
    return (*only_input("Embedding", inputs), whole("Embedding", "output_dim", output_dim, 1))


def _embedding_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    _EMBEDDING.shape(arguments, inputs)
    rows = whole("Embedding", "input_dim", arguments.get("input_dim"), 1)
    columns = whole("Embedding", "output_dim", arguments.get("output_dim"), 1)
    if not arguments.get("lora_rank"):
        return Weights(rows * columns)
    lora = whole("Embedding", "lora_rank", arguments["lora_rank"], 1)
    return Weights((rows + columns) * lora, rows * columns)


_DENSE = make_rule(
    "Dense",
    _dense_shape,
    ("units",),
    defaults=MappingProxyType(
        {
            "activation": None,
            "use_bias": True,
            "kernel_initializer": "glorot_uniform",
            "bias_initializer": "zeros",
            "kernel_regularizer": None,
            "bias_regularizer": None,
            "activity_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
            "lora_rank": None,
            "lora_alpha": None,
            "quantization_config": None,
        }
    ),
    integers=("units", "lora_rank"),
    weights=_dense_weights,
    multiply_adds=_dense_multiply_adds,
)
_EMBEDDING = make_rule(
    "Embedding",
    _embedding_shape,
    ("input_dim", "output_dim"),
    defaults=MappingProxyType(
        {
            "embeddings_initializer": "uniform",
            "embeddings_regularizer": None,
            "embeddings_constraint": None,
            "mask_zero": False,
            "weights": None,
            "lora_rank": None,
            "lora_alpha": None,
            "quantization_config": None,
        }
    ),
    integers=("input_dim", "output_dim", "lora_rank"),
    weights=_embedding_weights,
)
RULES: tuple[LayerRule, ...] = (
    make_rule(
        "Input",
        _input_shape,
        ("shape", "batch_size", "batch_shape", "tensor"),
        defaults=MappingProxyType(
            {
                "shape": None,
                "batch_size": None,
                "dtype": None,
                "sparse": None,
                "ragged": None,
                "batch_shape": None,
                "tensor": None,
                "optional": False,
            }
        ),
        integers=("shape", "batch_size", "batch_shape"),
    ),
    _DENSE,
    _EMBEDDING,
)
"""The rules of this family."""
