"""Rules of the layers that order the same values anew."""

import math
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import channels_first, ranked_input, whole
from hypernets.domain.layers.rule import LayerRule, failure, make_rule

__all__ = ["RULES"]


def _flattened(inputs: tuple[Shape, ...], data_format: Any) -> Shape:
    """Return the shape of one row of values an example."""
    channels_first("Flatten", data_format)
    batch, *sizes = ranked_input("Flatten", inputs, 1, math.inf)
    known = [size for size in sizes if size is not None]
    return (batch, math.prod(known) if len(known) == len(sizes) else None)


def _reshaped(inputs: tuple[Shape, ...], target_shape: Any) -> Shape:
    """Return the target shape, its -1 worked out."""
    batch, *sizes = ranked_input("Reshape", inputs, 1, math.inf)
    if not isinstance(target_shape, tuple | list):
        raise failure(
            "Reshape",
            "target_shape must be a sequence of integers",
            repr(target_shape),
            "give the sizes without the batch",
        )
    target = [
        None if size is None else whole("Reshape", "target_shape", size, -1)
        for size in target_shape
    ]
    if target.count(-1) > 1:
        raise failure(
            "Reshape", "target_shape may have one -1", repr(target_shape), "give the other sizes"
        )
    if None in sizes or None in target:
        return (batch, *(None if size == -1 else size for size in target))
    return (batch, *_resolved(sizes, target, inputs[0]))


def _resolved(sizes: list[int | None], target: list[int | None], given: Shape) -> list[int]:
    """Return a target whose -1 is replaced by what is left; all sizes are known."""
    total = math.prod(size for size in sizes if size is not None)
    fixed = math.prod(size for size in target if size is not None and size != -1)
    fits = fixed == total if -1 not in target else fixed > 0 and total % fixed == 0
    if not fits:
        raise failure(
            "Reshape",
            "target_shape must hold as many values as its input",
            f"target_shape={tuple(target)} for shape {given}",
            "correct target_shape, or give -1 for one of its sizes",
        )
    return [total // fixed if size == -1 else size for size in target if size is not None]


def _permuted(inputs: tuple[Shape, ...], dims: Any) -> Shape:
    """Return the shape with its axes in another order."""
    if not isinstance(dims, tuple | list) or sorted(
        order := [whole("Permute", "dims", axis) for axis in dims]
    ) != list(range(1, len(dims) + 1)):
        raise failure(
            "Permute",
            "dims must hold each of 1 ... n once",
            repr(dims),
            "name every axis but the batch once, counted from 1",
        )
    given = ranked_input("Permute", inputs, len(order) + 1)
    return (given[0], *(given[axis] for axis in order))


def _repeated(inputs: tuple[Shape, ...], n: Any) -> Shape:
    """Return the shape of a sequence of one vector over and over."""
    times = whole("RepeatVector", "n", n, 1)
    batch, features = ranked_input("RepeatVector", inputs, 2)
    return (batch, times, features)


RULES: tuple[LayerRule, ...] = (
    make_rule(
        "Flatten",
        _flattened,
        ("data_format",),
        defaults=MappingProxyType({"data_format": "channels_last"}),
    ),
    make_rule("Reshape", _reshaped, ("target_shape",), integers=("target_shape",)),
    make_rule("Permute", _permuted, ("dims",), integers=("dims",)),
    make_rule("RepeatVector", _repeated, ("n",), integers=("n",)),
)
"""The rules of this family."""
