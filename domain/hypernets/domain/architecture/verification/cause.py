"""The cause of a fault: as few decisions as possible that lead to one whatever the others are."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from hypernets.domain.architecture.verification.diagram import DiagramTable

__all__ = ["irreducible", "smallest"]

_TRIES = 20_000  # assignments that are tried in search of a smaller cause

Numbers = Mapping[int, int]
"""Rank of a decision → number of its value."""


def irreducible(
    table: DiagramTable,
    diagram: int,
    path: Numbers,
    cause: Numbers,
    is_fault: Callable[[Any], bool],
) -> dict[int, int]:
    """Return those decisions of a cause that cannot be left out.

    Args:
        table: holds the diagram.
        diagram: of the results.
        path: decisions on the way to a fault; the others are left out first.
        cause: decisions that always lead to a fault.
        is_fault: whether a result is one.
    """
    found = dict(cause)
    for rank in sorted(found, key=lambda rank: (rank in path, -rank)):
        rest = {other: number for other, number in found.items() if other != rank}
        if table.always(diagram, rest, is_fault):
            found = rest
    return found


def smallest(
    table: DiagramTable,
    diagram: int,
    cause: dict[int, int],
    is_fault: Callable[[Any], bool],
    occurs: Callable[[Numbers], bool],
) -> dict[int, int]:
    """Return a cause of the fewest decisions, the given one if none is smaller.

    Causes are tried by size, then in the order of the ranks. After very many tries the given one
    is returned: of it nothing can be left out, but another one may be smaller.

    Args:
        table: holds the diagram.
        diagram: of the results.
        cause: decisions that always lead to a fault, none of which can be left out.
        is_fault: whether a result is one.
        occurs: whether the architecture with these decisions, and else the first values, has all
            of them.
    """
    left = _TRIES
    support = table.support(diagram)
    for size in range(1, len(cause)):
        for ranks in itertools.combinations(support, size):
            for numbers in itertools.product(*[range(table.size_of(rank)) for rank in ranks]):
                left -= 1
                if left < 0:
                    return cause
                found = dict(zip(ranks, numbers, strict=True))
                if not table.always(diagram, found, is_fault) or not occurs(found):
                    continue
                if irreducible(table, diagram, found, found, is_fault) == found:
                    return found
    return cause
