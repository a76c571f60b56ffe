"""A network as a Mermaid flowchart, which many viewers of Markdown draw."""

from typing import TYPE_CHECKING

from hypernets.domain.architecture.drawing.caption import (
    TIMES,
    kind_of,
    shape_text,
    short_arguments,
)
from hypernets.domain.architecture.drawing.grouping import edges_of, groups_of
from hypernets.domain.architecture.drawing.svg import COLOURS
from hypernets.domain.architecture.graph import LayerNode

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["mermaid_of"]

_PLAIN = frozenset(" _-.,:=/+?…" + TIMES)


def mermaid_of(architecture: "Architecture") -> str:
    """Return the flowchart of the network of an architecture, groups as subgraphs.

    Raises:
        BuildError: the decisions do not make a network.
    """
    graph = architecture.graph
    lines = ["flowchart TD"]
    boxes = [f'    n{i}["{_label(node)}"]:::{kind_of(node.layer)}' for i, node in enumerate(graph)]
    grouped: set[int] = set()
    for number, group in enumerate(groups_of(architecture)):
        lines.append(f'    subgraph g{number}["{_escaped(group.title)}"]')
        lines.extend(f"    {boxes[i]}" for i in group.members)
        lines.append("    end")
        grouped.update(group.members)
    lines.extend(box for i, box in enumerate(boxes) if i not in grouped)
    lines.extend(f"    n{a} --> n{b}" for a, b in edges_of(graph))
    for kind in dict.fromkeys(kind_of(node.layer) for node in graph):
        ground, line = COLOURS[kind]
        lines.append(f"    classDef {kind} fill:{ground},stroke:{line},color:#1b1f24")
    return "\n".join(lines) + "\n"


def _label(node: LayerNode) -> str:
    parts = (f"{node.layer} {short_arguments(node)}", shape_text(node))
    return "<br/>".join(_escaped(part) for part in parts if part)


def _escaped(text: str) -> str:
    """Return the text with what means something to Mermaid or to HTML written as its number."""
    return "".join(
        letter if letter.isalnum() or letter in _PLAIN else f"#{ord(letter)};"
        for letter in " ".join(text.split())
    )
