"""What is fed at all: a layer that no architecture feeds is a mistake in the definition."""

from collections.abc import Iterable, Sequence

from hypernets.domain.error import SpaceError
from hypernets.domain.space.frozen import FrozenNode, Layer, Macro, Mux

__all__ = ["check_fed"]


def check_fed(nodes: Sequence[FrozenNode], names: Sequence[str]) -> None:
    """Check that every layer is fed in some architecture.

    Raises:
        SpaceError: one is fed in none.
    """
    unfed = set(range(len(nodes))) - _with_value(nodes)
    layers = [i for i in unfed if isinstance(nodes[i], Layer)]
    if not layers:
        return
    first = _foremost(nodes, min(layers), unfed)
    raise SpaceError(
        f"a layer must be fed; received {names[first]!r} with no input in any "
        "architecture; call it, or the op that holds it, on what feeds it, say Input(shape=...) "
        "(or use keep_link=True in an Optional before it that is always left out)"
    )


def _foremost(nodes: Sequence[FrozenNode], layer: int, unfed: set[int]) -> int:
    """Return the layer farthest back of those before an unfed one: the cause."""
    seen, stack = {layer}, [layer]
    while stack:
        position = stack.pop()
        if isinstance(nodes[position], Layer):
            layer = position
        ahead = [i for i in _reads(nodes[position]) if i in unfed and i not in seen]
        seen.update(ahead)
        stack.extend(ahead)
    return layer


def _with_value(nodes: Sequence[FrozenNode]) -> set[int]:
    """Return the nodes that have a value in some architecture, if choices were independent."""
    readers: list[list[int]] = [[] for _ in nodes]
    for position, node in enumerate(nodes):
        for i in _reads(node):
            readers[i].append(position)
    stack = [i for i, node in enumerate(nodes) if _needs_nothing(node)]
    found = set(stack)
    while stack:
        for reader in readers[stack.pop()]:
            if reader not in found:
                found.add(reader)
                stack.append(reader)
    return found


def _needs_nothing(node: FrozenNode) -> bool:
    return isinstance(node, Macro) or (isinstance(node, Layer) and node.module.is_input)


def _reads(node: FrozenNode) -> Iterable[int]:
    if isinstance(node, Mux):
        return {i for alternative in node.selection.alternatives for i in alternative}
    return node.ins
