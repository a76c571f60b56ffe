"""The geometry of a window that slides over an image: shared by convolutions and pooling."""

from typing import Any

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.layers.argument import channels_first, ranked_input
from hypernets.domain.layers.rule import failure

__all__ = ["join_channels", "slide", "split_channels"]


def split_channels(
    layer: str, inputs: tuple[Shape, ...], rank: int, data_format: Any
) -> tuple[Shape, int | None]:
    """Return the `rank` spatial sizes of the one input, and its channels.

    Raises:
        ShapeError: there is not one input of rank + 2 dimensions.
    """
    given = ranked_input(layer, inputs, rank + 2)
    if channels_first(layer, data_format):
        return given[2:], given[1]
    return given[1:-1], given[-1]


def join_channels(
    layer: str, batch: int | None, spatial: Shape, channels: int | None, data_format: Any
) -> Shape:
    """Return a whole shape, the channels where the format has them."""
    if channels_first(layer, data_format):
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


def slide(
    layer: str,
    spatial: Shape,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    *,
    padded: bool,
) -> Shape:
    """Return the numbers of places where a window stands, per spatial axis.

    Args:
        layer: class name, for the error.
        spatial: sizes of what it slides over; `None` stays so.
        window: sizes of the window, the gaps of a dilated one included.
        strides: steps, per axis.
        padded: whether the borders are padded (`"same"`, `"causal"`).

    Raises:
        ShapeError: the window is larger than what it slides over.
    """
    places: list[int | None] = []
    for size, extent, stride in zip(spatial, window, strides, strict=True):
        if size is None:
            places.append(None)
            continue
        place = (size - (1 if padded else extent)) // stride + 1
        if place <= 0 and not padded:
            raise failure(
                layer,
                "with padding='valid' its window must fit into its input",
                f"a window of {window} over sizes {spatial}",
                "use padding='same', a smaller window, or fewer reductions before it",
            )
        places.append(place)
    return tuple(places)
