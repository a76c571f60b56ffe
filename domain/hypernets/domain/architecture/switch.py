"""The switches of a frozen space: what each of them reads, and what it could make needed.

Sets are the bits of an integer, as in `certainty`: the decisions by rank, then the switches.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from hypernets.domain.space.certainty import reach
from hypernets.domain.space.frozen import FrozenSpace, Mux, Pick
from hypernets.domain.space.hyperparameter import Cascade, ParameterSpace

__all__ = ["alternatives_of", "numbers_in", "possible_of", "read_by", "readers_of"]


def readers_of(frozen: FrozenSpace) -> list[frozenset[int]]:
    """Return, by rank, the switches that read the decision, through derived ones too."""
    readers: list[set[int]] = [set() for _ in frozen.decisions]
    for number, which in enumerate(frozen.certainty.switches):
        if isinstance(which, Cascade):
            read: list[Any] = list(which.dependencies.values())
        else:
            node = frozen.nodes[which]
            assert isinstance(node, (Mux, Pick))
            read = [node.parameter]
        for rank in read_by(frozen, read):
            readers[rank].add(number)
    return [frozenset(numbers) for numbers in readers]


def read_by(frozen: FrozenSpace, parameters: Iterable[Any]) -> Iterator[int]:
    """Yield the ranks of the decisions that the values of hyperparameters depend on."""
    n_nodes, equations = len(frozen.nodes), frozen.certainty.equations
    seen: set[int] = set()
    stack = [n_nodes + p.index for p in parameters if isinstance(p, ParameterSpace)]
    while stack:
        position = stack.pop()
        if position in seen:
            continue
        seen.add(position)
        rank = frozen.ranks[position - n_nodes]
        if rank >= 0:
            yield rank
        equation = equations[position]
        stack.extend(equation.always)
        for alternative in equation.alternatives:
            stack.extend(alternative)


def possible_of(frozen: FrozenSpace) -> list[int]:
    """Return, by number of the switch, the bits of all that it could make needed."""
    certainty = frozen.certainty
    reached = reach(certainty.equations)
    return [
        reached[len(frozen.nodes) + which.index if isinstance(which, Cascade) else which]
        for which in certainty.switches
    ]


def alternatives_of(frozen: FrozenSpace) -> list[int]:
    """Return, by number of the switch, the bits of what its choices make needed for certain."""
    certainty, n_nodes = frozen.certainty, len(frozen.nodes)
    certain = (*certainty.of_node, *certainty.of_parameter)
    found = []
    for which in certainty.switches:
        equation = certainty.equations[
            n_nodes + which.index if isinstance(which, Cascade) else which
        ]
        bits = 0
        for alternative in equation.alternatives:
            for position in alternative:
                bits |= certain[position]
        found.append(bits)
    return found


def numbers_in(bits: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set."""
    while bits:
        lowest = bits & -bits
        bits ^= lowest
        yield lowest.bit_length() - 1
