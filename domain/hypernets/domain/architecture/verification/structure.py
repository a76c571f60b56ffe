"""The structure of a frozen space, as far as the verification depends on it."""

from collections.abc import Iterable, Sequence

from hypernets.domain.space.frozen import FrozenSpace, Layer, Loose, Mux
from hypernets.domain.space.operation import Permutation

__all__ = ["cycles_of", "is_order", "loose_bits_of", "reads_of", "shared_layers"]


def _all_ins(frozen: FrozenSpace, position: int) -> Iterable[int]:
    node = frozen.nodes[position]
    if isinstance(node, Mux):
        return dict.fromkeys(i for ins in node.selection.alternatives for i in ins)
    return node.ins


def is_order(frozen: FrozenSpace, position: int) -> bool:
    """Say whether a node is one by which a permutation chooses."""
    module = frozen.space.modules[frozen.owners[position]]
    return isinstance(module, Permutation) and isinstance(frozen.nodes[position], Mux)


def reads_of(frozen: FrozenSpace) -> list[tuple[int, ...]]:
    """Return, by node, all nodes that it may read."""
    return [tuple(_all_ins(frozen, position)) for position in range(len(frozen.nodes))]


def shared_layers(frozen: FrozenSpace) -> dict[int, str]:
    """Return, for each layer that is used at several places, the name of the first."""
    places: dict[str, list[int]] = {}
    for position, node in enumerate(frozen.nodes):
        if isinstance(node, Layer):
            places.setdefault(node.module.original.name, []).append(position)
    return {
        position: name for name, found in places.items() if len(found) > 1 for position in found
    }


def _reach(start: int, following: Sequence[Iterable[int]]) -> set[int]:
    reached, stack = {start}, [start]
    while stack:
        for i in following[stack.pop()]:
            if i not in reached:
                reached.add(i)
                stack.append(i)
    return reached


def cycles_of(frozen: FrozenSpace) -> dict[int, int]:
    """Return, for each node of a cycle, the number of the cycle."""
    reads = reads_of(frozen)
    readers: list[list[int]] = [[] for _ in frozen.nodes]
    for position, ins in enumerate(reads):
        for i in ins:
            readers[i].append(position)
    found: dict[int, int] = {}
    for head in range(len(frozen.nodes)):
        if head in found or not is_order(frozen, head):
            continue
        cycle = _reach(head, reads) & _reach(head, readers)
        if len(cycle) > 1:
            found.update(dict.fromkeys(cycle, head))
    return found


def loose_bits_of(frozen: FrozenSpace) -> tuple[dict[int, int], dict[int, int]]:
    """Return, by node, which sources go on through it, and which matter to it or later.

    What reaches a `ConnectLooseEnd` through another of its inputs need not be remembered: that
    input says so itself.
    """
    ops = [node for node in frozen.nodes if isinstance(node, Loose)]
    bits, reads = frozen.loose_bits, reads_of(frozen)
    wholes = []
    for op in ops:
        whole = 0
        for i in op.ins:
            whole |= bits[i]
        wholes.append(whole)
    kept: dict[int, int] = {}
    for i in bits:
        needed = 0  # by an op that does not have this input
        for op, whole in zip(ops, wholes, strict=True):
            if i not in op.ins:
                needed |= whole
        kept[i] = needed
    relevant: dict[int, int] = {}
    for position, node in enumerate(frozen.nodes):
        if isinstance(node, Loose):
            whole = wholes[ops.index(node)]
            for before in _reach(position, reads):
                relevant[before] = relevant.get(before, 0) | whole
    return kept, relevant
