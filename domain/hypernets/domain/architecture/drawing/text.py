"""A network as text: one line a layer, in columns."""

from hypernets.domain.architecture.drawing.caption import long_arguments, shape_text, shortened
from hypernets.domain.architecture.graph import LayerGraph

__all__ = ["text_of"]

_LIMIT = 60


def text_of(graph: LayerGraph) -> str:
    """Return the layers of a network, each after those that feed it.

    The columns are name, layer with its arguments, shape that is put out, and who feeds it. The
    line at the end tells the inputs and outputs.
    """
    rows = [("name", "layer", "shape", "fed by")]
    for node in graph:
        layer = f"{node.layer}({long_arguments(node.arguments)})"
        if node.weights != node.name:
            layer += f" with the weights of {node.weights}"
        rows.append((node.name, shortened(layer, _LIMIT), shape_text(node), ", ".join(node.inputs)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join((*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]))
        for row in rows
    ]
    plural = "" if len(graph) == 1 else "s"
    lines.append(
        f"{len(graph)} layer{plural}, from {', '.join(graph.inputs) or 'nothing'} "
        f"to {', '.join(graph.outputs) or 'nothing'}"
    )
    return "\n".join(line.rstrip() for line in lines) + "\n"
