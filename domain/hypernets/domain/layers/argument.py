"""Reading the arguments and the input shapes of a layer, with errors that say what is wrong."""

import operator
from collections.abc import Iterable
from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.rule import failure

__all__ = [
    "axis_within",
    "channels_first",
    "known_product",
    "known_size",
    "only_input",
    "ranked_input",
    "whole",
    "whole_tuple",
]


def whole(layer: str, name: str, value: Any, minimum: int | None = None) -> int:
    """Return the value of an argument that is a whole number.

    A float that is whole counts as that integer, as it does everywhere in a space.

    Raises:
        ShapeError: it is not one, or is below `minimum`.
    """
    number: int | None
    try:
        number = operator.index(value)
    except TypeError:
        number = int(value) if isinstance(value, float) and value.is_integer() else None
    if number is None or (minimum is not None and number < minimum):
        least = "" if minimum is None else f" >= {minimum}"
        raise failure(layer, f"{name} must be an integer{least}", repr(value), f"correct {name}")
    return number


def whole_tuple(layer: str, name: str, value: Any, count: int, minimum: int) -> tuple[int, ...]:
    """Return the value of an argument that is one whole number for all, or one for each.

    Raises:
        ShapeError: it is neither, its length is not `count`, or one is below `minimum`.
    """
    if not isinstance(value, tuple | list):
        return (whole(layer, name, value, minimum),) * count
    if len(value) != count:
        raise failure(
            layer,
            f"{name} must be one integer or {count} of them",
            repr(value),
            f"give {name} {count} values",
        )
    return tuple(whole(layer, name, each, minimum) for each in value)


def channels_first(layer: str, data_format: Any) -> bool:
    """Say whether the channels come before the spatial sizes.

    Raises:
        ShapeError: the format is none that is known.
    """
    read = data_format.lower() if isinstance(data_format, str) else data_format
    if read is None or read == "channels_last":
        return False
    if read == "channels_first":
        return True
    raise failure(
        layer,
        "data_format must be 'channels_last' or 'channels_first'",
        repr(data_format),
        "correct data_format",
    )


def only_input(layer: str, inputs: tuple[Shape, ...]) -> Shape:
    """Return the shape of the one input.

    Raises:
        ShapeError: there is none, or there are several.
    """
    if len(inputs) != 1:
        raise failure(
            layer,
            "it takes one input",
            f"{len(inputs)} of shapes {inputs}",
            "connect one layer, or merge several before it",
        )
    return inputs[0]


def ranked_input(
    layer: str, inputs: tuple[Shape, ...], rank: int, highest: float | None = None
) -> Shape:
    """Return the shape of the one input, whose rank (the batch counted) lies within bounds.

    Args:
        layer: class name, for the error.
        inputs: shapes of the inputs.
        rank: the rank, or the lowest one where `highest` is given.
        highest: the highest rank allowed; `math.inf` for any.

    Raises:
        ShapeError: there is not one input, or its rank is another.
    """
    given = only_input(layer, inputs)
    if not rank <= len(given) <= (rank if highest is None else highest):
        least = "at least " if highest is not None else ""
        raise failure(
            layer,
            f"its input must have {least}{rank} dimensions, the batch counted",
            f"shape {given}",
            "put a Reshape, Flatten or pooling layer that fits before it",
        )
    return given


def axis_within(layer: str, axis: Any, shape: Shape, name: str = "axis") -> int:
    """Return an axis counted from the front.

    Raises:
        ShapeError: the shape has no such axis.
    """
    place = whole(layer, name, axis)
    if not -len(shape) <= place < len(shape):
        raise failure(
            layer,
            f"{name} must be an axis of its input",
            f"{name}={axis!r} for shape {shape}",
            f"choose {name} between {-len(shape)} and {len(shape) - 1}",
        )
    return place % len(shape)


def known_size(layer: str, shape: Shape, axis: int) -> int:
    """Return a size that must be known.

    Raises:
        ShapeError: it is `None`.
    """
    size = shape[axis]
    if size is None:
        raise failure(
            layer,
            f"the size of axis {axis % len(shape)} of its input must be known",
            f"shape {shape}",
            "give this size in the shape of Input",
        )
    return size


def known_product(layer: str, sizes: Iterable[int | None], shape: Shape) -> int:
    """Return the product of sizes that must all be known.

    Args:
        layer: class name, for the error.
        sizes: the factors.
        shape: where they come from, for the error.

    Raises:
        ShapeError: one of them is `None`.
    """
    product = 1
    for size in sizes:
        if size is None:
            raise failure(
                layer,
                "the sizes of its input must be known to count multiply-adds",
                f"shape {shape}",
                "give these sizes in the shape of Input",
            )
        product *= size
    return product
