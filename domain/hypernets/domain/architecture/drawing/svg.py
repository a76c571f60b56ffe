"""A picture of a network as SVG: self-contained, readable on a light and on a dark page.

Boxes carry their own light ground and dark text; lines and titles stand on the page itself, in
greys that both pages show. There are no style sheets and no identifiers, which would reach beyond
the picture when it is put into a page.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hypernets.domain.architecture.drawing.caption import (
    TIMES,
    kind_of,
    long_arguments,
    shape_text,
    short_arguments,
    shortened,
)
from hypernets.domain.architecture.drawing.grouping import edges_of, groups_of
from hypernets.domain.architecture.drawing.layout import Frame, Layout, Point, layout_of
from hypernets.domain.architecture.graph import LayerGraph, LayerNode

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["COLOURS", "svg_of"]

COLOURS = {
    "input": ("#e8eaed", "#5f6b7a"),
    "convolution": ("#d6e6fb", "#2f6fba"),
    "dense": ("#e3dcf8", "#6b4fbb"),
    "recurrent": ("#e3dcf8", "#6b4fbb"),
    "attention": ("#f3d9f0", "#a03f94"),
    "pooling": ("#d5efdc", "#2e8b57"),
    "normalization": ("#d3eff0", "#23858a"),
    "activation": ("#fcebc8", "#b97e12"),
    "regularization": ("#f0e6dd", "#8a6d55"),
    "merge": ("#fbdcd6", "#c2503c"),
    "reshaping": ("#e9edc9", "#74842a"),
    "other": ("#f1f1f1", "#777777"),
}
"""By kind of layer, the ground of its box and the line around it."""

_LINE = "#8b949e"
_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_INK = "#1b1f24"
_TEXT_LIMIT = 34
_WIDTHS = {  # of letters in ems, in a wide font, so that narrower ones fit as well
    **dict.fromkeys("ijl.,:;'|! ", 0.34),
    **dict.fromkeys("frtI-/()[]", 0.46),
    **dict.fromkeys("mwMW", 0.98),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ" + TIMES, 0.76),
}
_MEDIUM, _BOLDER = 0.63, 1.12
_TITLE, _SMALL, _SMALLEST = 12.5, 11, 10.5  # sizes of fonts
_SPACE = 5.0  # between a layer and its arguments
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg_of(architecture: "Architecture") -> str:
    """Return the picture of the network of an architecture.

    Boxes tell the layer, the arguments that make a difference, and the shape that is put out; the
    name of a layer and all its arguments show when the pointer rests on it.

    Raises:
        BuildError: the decisions do not make a network.
    """
    graph = architecture.graph
    groups = groups_of(architecture)
    captions = [_caption(node) for node in graph]
    layout = layout_of(
        [_size(caption) for caption in captions], edges_of(graph), [g.members for g in groups]
    )
    width, height = layout.width, layout.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" font-family="{_FONT}">',
        f"<title>A network of {len(graph)} layers</title>",
    ]
    for group, frame in zip(groups, layout.frames, strict=True):
        parts.append(_framed(group.title, frame))
    parts.extend(_edges(layout))
    for node, caption, centre in zip(graph, captions, layout.centres, strict=True):
        parts.append(_box(graph, node, caption, centre))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _caption(node: LayerNode) -> tuple[str, str, str]:
    shared = f" (weights of {node.weights})" if node.weights != node.name else ""
    return (
        shortened(node.layer, _TEXT_LIMIT),
        shortened(short_arguments(node) + shared, _TEXT_LIMIT),
        shortened(shape_text(node), _TEXT_LIMIT),
    )


def _size(caption: tuple[str, str, str]) -> tuple[float, float]:
    """Return width and height of a box."""
    shape = caption[2]
    inner = max(sum(_line_widths(caption)), _width(shape, _SMALLEST))
    return inner + 20, 25.0 + 14.0 * bool(shape)


def _box(graph: LayerGraph, node: LayerNode, caption: tuple[str, str, str], centre: Point) -> str:
    x, y = centre
    layer, arguments, shape = map(_escaped, caption)
    width, height = _size(caption)
    left, top = x - width / 2, y - height / 2
    ground, line = COLOURS[kind_of(node.layer)]
    stroke = 2.6 if node.name in graph.outputs else 1.2
    tip = _escaped(f"{node.name}: {node.layer}({long_arguments(node.arguments)})")
    first, second = _line_widths(caption)
    split = x + (first - second) / 2  # both texts start here, so that no font makes them overlap
    parts = [
        f"<g><title>{tip}</title>",
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" '
        f'fill="{ground}" stroke="{line}" stroke-width="{stroke}"/>',
    ]
    if arguments:
        parts.append(_text(split, top + 17, _TITLE, layer, "end", "bold"))
        parts.append(_text(split + _SPACE, top + 17, _SMALL, arguments, "start"))
    else:
        parts.append(_text(x, top + 17, _TITLE, layer, "middle", "bold"))
    if shape:
        parts.append(_text(x, top + 32, _SMALLEST, shape, "middle"))
    return "".join(parts) + "</g>"


def _line_widths(caption: tuple[str, str, str]) -> tuple[float, float]:
    """Return the widths of the two texts of the first line of a box, the gap in the second."""
    layer, arguments, _ = caption
    first = _width(layer, _TITLE) * _BOLDER
    return first, _SPACE + _width(arguments, _SMALL) if arguments else 0.0


def _width(text: str, size: float) -> float:
    """Return about how wide a text is in a font of that size."""
    return size * sum(_WIDTHS.get(letter, _MEDIUM) for letter in text)


def _text(x: float, y: float, size: float, text: str, anchor: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'fill="{_INK}" text-anchor="{anchor}">{text}</text>'
    )


def _framed(title: str, frame: Frame) -> str:
    return (
        f'<rect x="{frame.x:.1f}" y="{frame.y:.1f}" width="{frame.width:.1f}" '
        f'height="{frame.height:.1f}" rx="10" fill="{_LINE}" fill-opacity="0.10" '
        f'stroke="{_LINE}" stroke-opacity="0.7" stroke-dasharray="5 4"/>'
        f'<text x="{frame.x + 10:.1f}" y="{frame.y + 16:.1f}" font-size="12" '
        f'font-weight="bold" fill="{_LINE}">{_escaped(shortened(title, _TEXT_LIMIT))}</text>'
    )


def _edges(layout: Layout) -> list[str]:
    lines, heads = [], []
    for route in layout.routes:
        lines.append(_path(route))
        x, y = route[-1]
        heads.append(f"M{x:.1f} {y:.1f}l-3.5 -7h7z")
    if not lines:
        return []
    return [
        f'<path d="{" ".join(lines)}" fill="none" stroke="{_LINE}" stroke-width="1.5" '
        'stroke-linejoin="round"/>',
        f'<path d="{"".join(heads)}" fill="{_LINE}"/>',
    ]


def _path(route: Sequence[Point]) -> str:
    """Return an edge: straight within rows, smooth between them."""
    (x, y), *rest = route
    parts = [f"M{x:.1f} {y:.1f}"]
    for number, (next_x, next_y) in enumerate(rest):
        if number % 2 == 0 or abs(next_x - x) < 0.05:
            parts.append(f"L{next_x:.1f} {next_y:.1f}")
        else:
            middle = (y + next_y) / 2
            parts.append(
                f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}"
            )
        x, y = next_x, next_y
    return "".join(parts)


def _escaped(text: str) -> str:
    """Return the text as it may stand in HTML and in XML, in content and in attributes."""
    text = _ILLEGAL.sub("\ufffd", text)
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(letter, entity)
    return text.replace("'", "&#39;")
