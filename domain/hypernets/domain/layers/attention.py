"""Rules of the attention layers."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import known_product, known_size, whole
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

_HEADS = "MultiHeadAttention"
_HEADS_DEFAULTS: Mapping[str, Any] = {
    "value_dim": None,
    "dropout": 0.0,
    "use_bias": True,
    "output_shape": None,
    "attention_axes": None,
    "sliding_window": None,
    "flash_attention": None,
    "kernel_initializer": "glorot_uniform",
    "bias_initializer": "zeros",
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
    "use_gate": False,
    "seed": None,
}


def _query_value_key(layer: str, inputs: tuple[Shape, ...]) -> tuple[Shape, Shape, Shape]:
    """Return the shapes of query, value and key; without a key, the value is the key."""
    if len(inputs) not in (2, 3) or any(len(shape) < 3 for shape in inputs):
        raise failure(
            layer,
            "it takes [query, value] or [query, value, key], each of 3 dimensions or more",
            f"shapes {inputs}",
            "connect it to two or three sequences; give one twice for attention to itself",
        )
    return inputs[0], inputs[1], inputs[-1]


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _attended(layer: str, inputs: tuple[Shape, ...]) -> Shape:
    """Return the shape of values weighted per step of the query."""
    query, value, key = _query_value_key(layer, inputs)
    if _differ(query[-1], key[-1]) or _differ(value[-2], key[-2]):
        raise failure(
            layer,
            "query and key must have equal features, value and key equal steps",
            f"shapes {inputs}",
            "put a Dense layer before the query or the key",
        )
    return (*query[:-1], value[-1])


def _dot_products_shape(inputs: tuple[Shape, ...], score_mode: Any) -> Shape:
    if score_mode not in ("dot", "concat"):
        raise failure(
            "Attention",
            "score_mode must be 'dot' or 'concat'",
            repr(score_mode),
            "correct score_mode",
        )
    return _attended("Attention", inputs)


def _additive_shape(inputs: tuple[Shape, ...], use_scale: Any) -> Shape:
    out = _attended("AdditiveAttention", inputs)
    if use_scale:
        known_size("AdditiveAttention", inputs[0], -1)
    return out


def _scores(layer: str, inputs: tuple[Shape, ...]) -> tuple[int, int, int]:
    """Return the number of scores of one example, and the features of query and value."""
    query, value, _ = _query_value_key(layer, inputs)
    pairs = known_product(layer, (*query[1:-1], value[-2]), query)
    return pairs, known_size(layer, query, -1), known_size(layer, value, -1)


def _dot_products_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    _DOT_PRODUCTS.shape(arguments, inputs)
    concat = arguments.get("score_mode", "dot") == "concat"
    return Weights(bool(arguments.get("use_scale", False)) + concat)


def _dot_products_multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
    """Count the scores, where they are products, and the weighting of the values."""
    _DOT_PRODUCTS.shape(arguments, inputs)
    pairs, features, values = _scores("Attention", inputs)
    scored = features if arguments.get("score_mode", "dot") == "dot" else 0
    return pairs * (scored + values)


def _additive_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    _ADDITIVE.shape(arguments, inputs)
    scaled = arguments.get("use_scale", True)
    return Weights(known_size("AdditiveAttention", inputs[0], -1) if scaled else 0)


def _additive_multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
    """Count the scaled sums that give the scores, and the weighting of the values."""
    _ADDITIVE.shape(arguments, inputs)
    pairs, features, values = _scores("AdditiveAttention", inputs)
    return pairs * ((features if arguments.get("use_scale", True) else 0) + values)


def _output_sizes(output_shape: Any, query: Shape) -> tuple[int, ...]:
    """Return the sizes that stand in place of the features of the query."""
    if not output_shape:
        return (known_size(_HEADS, query, -1),)
    sizes = output_shape if isinstance(output_shape, tuple | list) else (output_shape,)
    return tuple(whole(_HEADS, "output_shape", size, 1) for size in sizes)


def _heads_shape(
    inputs: tuple[Shape, ...], num_heads: Any, key_dim: Any, value_dim: Any, output_shape: Any
) -> Shape:
    query, value, key = _query_value_key(_HEADS, inputs)
    whole(_HEADS, "num_heads", num_heads, 1)
    whole(_HEADS, "key_dim", key_dim, 1)
    if value_dim is not None:
        whole(_HEADS, "value_dim", value_dim, 1)
    if value[1:-1] != key[1:-1]:
        raise failure(
            _HEADS,
            "value and key must have equal steps",
            f"shapes {inputs}",
            "take both from one sequence",
        )
    for shape in (query, value, key):
        known_size(_HEADS, shape, -1)
    return (*query[:-1], *_output_sizes(output_shape, query))


def _heads_projections(
    arguments: Arguments, inputs: tuple[Shape, ...]
) -> dict[str, tuple[int, int]]:
    """Return, per projection, the features that go in and those that come out."""
    query, value, key = _query_value_key(_HEADS, inputs)
    heads = whole(_HEADS, "num_heads", arguments.get("num_heads"), 1)
    keys = heads * whole(_HEADS, "key_dim", arguments.get("key_dim"), 1)
    value_dim = arguments.get("value_dim")
    values = heads * whole(_HEADS, "value_dim", value_dim, 1) if value_dim else keys
    out = math.prod(_output_sizes(arguments.get("output_shape"), query))
    found = {
        "query": (known_size(_HEADS, query, -1), keys),
        "key": (known_size(_HEADS, key, -1), keys),
        "value": (known_size(_HEADS, value, -1), values),
        "output": (values, out),
    }
    if arguments.get("use_gate"):
        found["gate"] = (known_size(_HEADS, query, -1), values)
    return found


def _heads_weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    _MULTI_HEAD.shape(arguments, inputs)
    biased = 1 if arguments.get("use_bias", True) else 0
    projections = _heads_projections(arguments, inputs).values()
    return Weights(sum((into + biased) * out for into, out in projections))


def _heads_multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
    """Count the projections at every step, the scores and the weighting of the values."""
    if arguments.get("attention_axes") is not None:
        raise outside(_HEADS, "attention over all axes in between", "attention_axes")
    single(_MULTI_HEAD.shape(arguments, inputs))
    query, value, _ = _query_value_key(_HEADS, inputs)
    asking = known_product(_HEADS, query[1:-1], query)
    answering = known_product(_HEADS, value[1:-1], value)
    found = _heads_projections(arguments, inputs)
    projected = sum(
        (answering if name in ("key", "value") else asking) * into * out
        for name, (into, out) in found.items()
    )
    return projected + asking * answering * (found["key"][1] + found["value"][1])


_DOT_PRODUCTS = make_rule(
    "Attention",
    _dot_products_shape,
    ("score_mode",),
    defaults=MappingProxyType(
        {"use_scale": False, "score_mode": "dot", "dropout": 0.0, "seed": None}
    ),
    weights=_dot_products_weights,
    multiply_adds=_dot_products_multiply_adds,
    takes_many=True,
)
_ADDITIVE = make_rule(
    "AdditiveAttention",
    _additive_shape,
    ("use_scale",),
    defaults=MappingProxyType({"use_scale": True, "dropout": 0.0}),
    weights=_additive_weights,
    multiply_adds=_additive_multiply_adds,
    takes_many=True,
)
_MULTI_HEAD = make_rule(
    _HEADS,
    _heads_shape,
    ("num_heads", "key_dim", "value_dim", "output_shape"),
    defaults=MappingProxyType(dict(_HEADS_DEFAULTS)),
    integers=("num_heads", "key_dim", "value_dim", "output_shape", "attention_axes"),
    weights=_heads_weights,
    multiply_adds=_heads_multiply_adds,
)
RULES: tuple[LayerRule, ...] = (_DOT_PRODUCTS, _ADDITIVE, _MULTI_HEAD)
"""The rules of this family."""
