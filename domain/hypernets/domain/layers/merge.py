"""Rules of the layers that merge a list of inputs into one."""

from functools import partial
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import axis_within, known_product, known_size
from hypernets.domain.layers.rule import Arguments, LayerRule, failure, make_rule, single

__all__ = ["RULES"]


def _merge_batches(layer: str, inputs: tuple[Shape, ...]) -> int | None:
    """Return the batch size that all inputs agree on, `None` where none is known."""
    known = {shape[0] for shape in inputs} - {None}
    if len(known) > 1:
        raise failure(
            layer, "its inputs must have one batch size", f"shapes {inputs}", "use one batch size"
        )
    return known.pop() if known else None


def _broadcast(layer: str, one: Shape, other: Shape, inputs: tuple[Shape, ...]) -> Shape:
    """Return the shape of two inputs combined element by element, the batch left out.

    The shorter shape is aligned at the end; a size of 1 stretches; an unknown size stays unknown.
    """
    if len(one) < len(other):
        one, other = other, one
    lead = len(one) - len(other)
    sizes = list(one[:lead])
    for left, right in zip(one[lead:], other, strict=True):
        if left is None or right is None:
            sizes.append(None)
        elif left == right or right == 1:
            sizes.append(left)
        elif left == 1:
            sizes.append(right)
        else:
            raise failure(
                layer,
                "its inputs must have equal shapes, or sizes of 1 that stretch",
                f"shapes {inputs}",
                "give both branches the same strides, padding and filters",
            )
    return tuple(sizes)


def _elementwise_shape(layer: str, exactly: int | None, inputs: tuple[Shape, ...]) -> Shape:
    """Return the shape of inputs that are combined element by element."""
    if not inputs or (exactly is not None and len(inputs) != exactly):
        raise failure(
            layer,
            f"it takes {'at least 1' if exactly is None else f'exactly {exactly}'} input(s)",
            f"{len(inputs)} of shapes {inputs}",
            "connect as many layers",
        )
    if not all(inputs):
        raise failure(layer, "its inputs must have a batch", f"shapes {inputs}", "use tensors")
    batch = _merge_batches(layer, inputs)
    merged = inputs[0][1:]
    for shape in inputs[1:]:
        merged = _broadcast(layer, merged, shape[1:], inputs)
    return (batch, *merged)


def _concatenated_shape(inputs: tuple[Shape, ...], axis: Any) -> Shape:
    """Return the shape of inputs put side by side along an axis."""
    layer = "Concatenate"
    if not inputs:
        raise failure(layer, "it takes at least 1 input", "none", "connect a layer to it")
    place = axis_within(layer, axis, inputs[0])
    rests = [shape[:place] + shape[place + 1 :] for shape in inputs]
    if len({len(shape) for shape in inputs}) != 1 or any(
        len(set(sizes) - {None}) > 1 for sizes in zip(*rests, strict=True)
    ):
        raise failure(
            layer,
            f"its inputs must have equal shapes except along axis {axis}",
            f"shapes {inputs}",
            "give the branches the same strides and padding, or choose another axis",
        )
    lengths = [shape[place] for shape in inputs]
    total = None if None in lengths else sum(length for length in lengths if length is not None)
    return (*inputs[0][:place], total, *inputs[0][place + 1 :])


def _contracted_axes(inputs: tuple[Shape, ...], axes: Any) -> tuple[int, int]:
    """Return the axis of either input that a `Dot` sums over, counted from the front."""
    if len(inputs) != 2:
        raise failure(
            "Dot",
            "it takes exactly 2 inputs",
            f"{len(inputs)} of shapes {inputs}",
            "connect two layers",
        )
    pair = tuple(axes) if isinstance(axes, tuple | list) else (axes, axes)
    if len(pair) != 2:
        raise failure("Dot", "axes must be one axis or two", repr(axes), "correct axes")
    first = axis_within("Dot", pair[0], inputs[0], "axes")
    second = axis_within("Dot", pair[1], inputs[1], "axes")
    if first == 0 or second == 0 or inputs[0][first] != inputs[1][second]:
        raise failure(
            "Dot",
            "the axes that are summed over must have equal sizes and not be the batch",
            f"axes={axes!r} for shapes {inputs}",
            "choose other axes",
        )
    return first, second


def _dot_shape(inputs: tuple[Shape, ...], axes: Any) -> Shape:
    """Return the shape of a product of tensors."""
    first, second = _contracted_axes(inputs, axes)
    one, other = inputs
    left = one[:first] + one[first + 1 :]
    out = left + other[1:second] + other[second + 1 :]
    return out if len(out) > 1 else (*out, 1)


def _dot_multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
    """Return the products of a `Dot`."""
    out = single(_DOT.shape(arguments, inputs))
    first, _ = _contracted_axes(inputs, arguments.get("axes"))
    return known_product("Dot", out[1:], out) * known_size("Dot", inputs[0], first)


def _is_alone(arguments: Arguments, n_inputs: int) -> bool:
    """Say whether a merge has nothing to merge, and gives its one input back."""
    return (
        n_inputs == 1
        and arguments.get("dtype") is None
        and arguments.get("activity_regularizer") is None
    )


def _elementwise(
    layer: str, exactly: int | None = None, *, associative: bool = False, drops_zeros: bool = False
) -> LayerRule:
    """Return the rule of a merge of elements."""
    return make_rule(
        layer,
        partial(_elementwise_shape, layer, exactly),
        commutative=exactly is None,
        associative=associative,
        takes_many=True,
        is_identity=_is_alone if exactly is None else None,
        drops_zeros=drops_zeros,
    )


_DOT = make_rule(
    "Dot",
    _dot_shape,
    ("axes",),
    defaults=MappingProxyType({"normalize": False}),
    integers=("axes",),
    multiply_adds=_dot_multiply_adds,
    takes_many=True,
)
RULES: tuple[LayerRule, ...] = (
    _elementwise("Add", associative=True, drops_zeros=True),
    *(_elementwise(layer, associative=True) for layer in ("Multiply", "Maximum", "Minimum")),
    _elementwise("Average"),
    _elementwise("Subtract", exactly=2),
    make_rule(
        "Concatenate",
        _concatenated_shape,
        ("axis",),
        defaults=MappingProxyType({"axis": -1}),
        integers=("axis",),
        associative=True,
        takes_many=True,
        is_identity=_is_alone,
    ),
    _DOT,
)
"""The rules of this family."""
