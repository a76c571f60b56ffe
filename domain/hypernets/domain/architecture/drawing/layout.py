"""The geometry of a drawing: where boxes, edges and frames stand, in pixels, y downwards.

An edge leaves a row straight and bends only between two rows, so it never runs through a box.
"""

from collections.abc import Sequence

import attrs

from hypernets.domain.architecture.drawing.layering import Band, Layering, layering_of
from hypernets.domain.architecture.drawing.ordering import Ordering, ordering_of
from hypernets.domain.architecture.drawing.placement import placement_of

__all__ = ["Frame", "Layout", "Point", "layout_of"]

Point = tuple[float, float]

_MARGIN = 16.0
_GAP = 22.0  # between two rows, at least
_WIDEST_GAP = 64.0
_SLOPE = 0.09  # gap needed for a pixel that an edge moves sideways
_PADDING = 12.0
_TITLE = 16.0
_PORT_GAP = 11.0


@attrs.frozen(slots=True)
class Frame:
    """A rectangle around a group: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


@attrs.frozen(slots=True)
class Layout:
    """Where everything stands.

    Attributes:
        centres: by vertex, the centre of its box.
        routes: by edge, the corners that it passes, from the box above to the box below: between
            the first two it is straight, between the next two it bends, and so on.
        frames: by group, its frame.
        width: of the drawing.
        height: of the drawing.
    """

    centres: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    frames: tuple[Frame, ...]
    width: float
    height: float


def layout_of(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    groups: Sequence[Sequence[int]] = (),
) -> Layout:
    """Return the geometry of a graph.

    Args:
        sizes: by vertex, width and height of its box; numbered in topological order.
        edges: who feeds whom; an edge may occur twice.
        groups: vertices to put a frame around, nothing between two of them.
    """
    layering = layering_of(len(sizes), edges, groups)
    ordering = ordering_of(layering, edges, groups)
    x = placement_of(ordering, [width for width, _ in sizes], groups)
    heights = [0.0] * layering.height
    for vertex, row in enumerate(layering.rows):
        heights[row] = max(heights[row], sizes[vertex][1])
    rows = _rows(layering, ordering, heights, x)
    middles = [rows[row].top + heights[row] / 2 for row in layering.rows]
    ports = _ports(ordering, edges, sizes, x)
    routes = []
    for (source, target), port in zip(edges, ports, strict=True):
        points = [(x[source], middles[source] + sizes[source][1] / 2)]
        points.append((x[source], rows[layering.rows[source]].leave))
        for item in ordering.route(source, target)[1:-1]:
            passed = rows[ordering.row_of[item]]
            points += [(x[item], passed.enter), (x[item], passed.leave)]
        points.append((port, rows[layering.rows[target]].enter))
        points.append((port, middles[target] - sizes[target][1] / 2))
        routes.append(points)
    frames = []
    for members, band in zip(groups, layering.bands, strict=True):
        low, high = _span(members, band, ordering, sizes, x)
        top = rows[band.first].enter
        frames.append(Frame(low, top, high - low, rows[band.last].leave - top))
    ends = [x[i] + side * size[0] / 2 for i, size in enumerate(sizes) for side in (-1, 1)]
    ends += [end for frame in frames for end in (frame.x, frame.x + frame.width)]
    ends += [corner for route in routes for corner, _ in route]
    left, right = min(ends, default=0.0), max(ends, default=0.0)
    shift = _MARGIN - left
    return Layout(
        tuple((x[i] + shift, middles[i]) for i in range(len(sizes))),
        tuple(tuple((px + shift, py) for px, py in route) for route in routes),
        tuple(attrs.evolve(frame, x=frame.x + shift) for frame in frames),
        right - left + 2 * _MARGIN,
        (rows[-1].leave if rows else _MARGIN) + _MARGIN,
    )


@attrs.frozen(slots=True)
class _Row:
    """Heights of a row: where edges become straight, where its boxes begin, where edges bend."""

    enter: float
    top: float
    leave: float


def _rows(
    layering: Layering, ordering: Ordering, heights: Sequence[float], x: Sequence[float]
) -> list[_Row]:
    """Return the rows from top to bottom, with room for the frames."""
    sideways = [0.0] * layering.height
    for a, b in ordering.links:
        row = ordering.row_of[a]
        sideways[row] = max(sideways[row], abs(x[a] - x[b]))
    begins = {band.first for band in layering.bands}
    ends = {band.last for band in layering.bands}
    rows: list[_Row] = []
    y = _MARGIN
    for row, height in enumerate(heights):
        top = y + (_TITLE + _PADDING if row in begins else 0)
        leave = top + height + (_PADDING if row in ends else 0)
        rows.append(_Row(y, top, leave))
        y = leave + min(max(_GAP, sideways[row] * _SLOPE), _WIDEST_GAP)
    return rows


def _ports(
    ordering: Ordering,
    edges: Sequence[tuple[int, int]],
    sizes: Sequence[tuple[float, float]],
    x: Sequence[float],
) -> list[float]:
    """Return where each edge enters its box: side by side, as they come from the left."""
    entering: dict[int, list[int]] = {}
    for number, (_, target) in enumerate(edges):
        entering.setdefault(target, []).append(number)
    ports = [0.0] * len(edges)
    for target, numbers in entering.items():
        numbers.sort(key=lambda number: (x[ordering.route(*edges[number])[-2]], number))
        room = sizes[target][0] - 16
        gap = min(_PORT_GAP, room / max(len(numbers) - 1, 1))
        for k, number in enumerate(numbers):
            ports[number] = x[target] + (k - (len(numbers) - 1) / 2) * gap
    return ports


def _span(
    members: Sequence[int],
    band: Band,
    ordering: Ordering,
    sizes: Sequence[tuple[float, float]],
    x: Sequence[float],
) -> tuple[float, float]:
    """Return the left and the right edge of a frame."""
    own = set(members)
    ends = [x[i] + side * sizes[i][0] / 2 for i in members for side in (-1, 1)]
    ends += [
        x[bend]
        for (source, row), bend in ordering.bends.items()
        if source in own and band.first <= row <= band.last
    ]
    return min(ends) - _PADDING, max(ends) + _PADDING
