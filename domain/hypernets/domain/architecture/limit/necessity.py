"""Which nodes a space needs whatever is chosen, and which switch decides about which node.

Both are the greatest solutions of equations over the frozen nodes, as the certain sets of decisions
are (see `hypernets.domain.space.certainty`), and both are bits of integers, by node.
"""

from collections.abc import Iterator

from hypernets.domain.architecture.verification.structure import reads_of
from hypernets.domain.space.certainty import Equation, solve
from hypernets.domain.space.frozen import FrozenSpace, Inputs, Mux, Pick

__all__ = ["Necessity", "bits_of"]


def bits_of(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits of an integer, the lowest first.

    Example:
        >>> list(bits_of(0b1101))
        [0, 2, 3]
    """
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


class Necessity:
    """What is needed whatever is chosen.

    Attributes:
        roots: the nodes that every architecture needs.
        certain: by node, those needed wherever it is, itself included.
        alternatives: by switch, the inputs of each of its alternatives.
        owned: by switch, the nodes that are read through it only, and through no other such switch
            in between. So no node is owned twice.
        order: the switches, each after those that it owns, directly or through others.
    """

    def __init__(self, frozen: FrozenSpace) -> None:
        n_nodes = len(frozen.nodes)
        equations = frozen.certainty.equations[:n_nodes]
        self.certain = solve(
            [
                Equation(
                    1 << position,
                    tuple(i for i in equation.always if i < n_nodes),
                    equation.alternatives,
                )
                for position, equation in enumerate(equations)
            ]
        )
        self.roots = 0
        for position in (*frozen.inputs, *frozen.outputs):
            self.roots |= self.certain[position]
        self.alternatives: dict[int, tuple[Inputs, ...]] = {
            position: tuple(dict.fromkeys(equations[position].alternatives))
            for position, node in enumerate(frozen.nodes)
            if isinstance(node, (Mux, Pick))
        }
        gates = _gates(frozen)
        self.owned = dict.fromkeys(self.alternatives, 0)
        switches = sum(1 << position for position in self.alternatives)
        for position, through in enumerate(gates):
            owner = _nearest(gates, through & switches & ~(1 << position))
            if owner >= 0:
                self.owned[owner] |= 1 << position
        self.order = sorted(self.alternatives, key=lambda i: gates[i].bit_count(), reverse=True)


def _gates(frozen: FrozenSpace) -> list[int]:
    """Return, by node, the nodes that every way from the ends of the network to it goes through.

    References:
        Prosser (1959), "Applications of Boolean matrices to the analysis of flow diagrams", for
        the dominators of a graph.
    """
    readers: list[list[Inputs]] = [[] for _ in frozen.nodes]
    for position, ins in enumerate(reads_of(frozen)):
        for i in ins:
            readers[i].append((position,))
    for position in (*frozen.inputs, *frozen.outputs):
        readers[position].append(())
    return solve([Equation(1 << i, alternatives=tuple(ways)) for i, ways in enumerate(readers)])


def _nearest(gates: list[int], candidates: int) -> int:
    """Return the last of the gates on the way to a node, -1 where there is none."""
    return max(bits_of(candidates), key=lambda i: gates[i].bit_count(), default=-1)
