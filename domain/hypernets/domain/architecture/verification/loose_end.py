"""What a `ConnectLooseEnd` passes on, as a diagram: inputs that no other of them is computed from.

Every input of such an op has a bit; a value carries the bits of the inputs that it comes from.
"""

from collections.abc import Iterable
from typing import Any

from hypernets.domain.architecture.verification.diagram import DiagramTable
from hypernets.domain.architecture.verification.value import Value, worse

__all__ = ["loose_ends", "sources_through"]


def sources_through(value: Value, own: int, kept: int, relevant: int) -> int:
    """Return the bits that a reader sees of a value.

    Args:
        value: what a node puts out.
        own: the bit of the node itself.
        kept: the bits of what goes on through it.
        relevant: the bits that matter to the reader or later.
    """
    return (own | value.sources & kept) & relevant


def loose_ends(table: DiagramTable, ins: Iterable[tuple[int, int, int]], relevant: int) -> int:
    """Return the diagram of the loose ones among some inputs.

    The fold holds the bits of the inputs in use, the sources, and each input with its bit.

    Args:
        table: holds the diagrams.
        ins: of each input the diagram, its own bit, and the bits of what goes on through it.
        relevant: the bits that matter to the op or later.
    """
    inputs = list(ins)
    whole = 0
    for _, own, _ in inputs:
        whole |= own
    state = table.leaf((0, 0, ()))
    for diagram, own, kept in inputs:

        def taken(state: Any, value: Any, own: int = own, kept: int = kept) -> Any:
            if not isinstance(state, tuple) or not isinstance(value, Value):
                return worse(state, value)
            used, sources, found = state
            used |= value.sources & whole
            sources |= sources_through(value, own, kept, relevant)
            return used, sources, (*found, (own, value.shapes))

        state = table.combine(taken, [state, diagram])

    def loose(state: Any) -> Any:
        if not isinstance(state, tuple):
            return state
        used, sources, found = state
        shapes = tuple(s for own, given in found if not own & used for s in given)
        return Value(shapes, sources)

    return table.combine(loose, [state])
