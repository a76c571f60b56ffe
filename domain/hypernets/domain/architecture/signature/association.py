"""Nested merges of one kind, made one: `Add` of `Add` is a longer `Add`.

A merge gives way to what feeds it where the one thing that reads it is a merge like it. What two
things read stays, so that nothing is written twice. The order of the inputs is kept, which
`Concatenate` needs.
"""

from collections.abc import Set as AbstractSet

from hypernets.domain.architecture.signature.structure import Structure

__all__ = ["flattened"]


def flattened(
    structure: Structure, nested: AbstractSet[int], ends: AbstractSet[int]
) -> tuple[Structure, dict[int, int]]:
    """Return the structure without merges that are part of a longer one, and the new numbers.

    Args:
        structure: what is to be flattened.
        nested: the merges that may give way, if nothing reads them but one merge of their label.
        ends: the vertices that are read from outside as well.
    """
    uses = structure.uses()
    labels = structure.labels
    gone = {
        vertex
        for vertex in nested
        if vertex not in ends
        and len(uses[vertex]) == 1
        and labels[uses[vertex][0][1]] == labels[vertex]
    }
    found = Structure()
    number: dict[int, int] = {}

    def spliced(sources: tuple[int, ...]) -> list[int]:
        waiting, fed = list(reversed(sources)), []
        while waiting:
            source = waiting.pop()
            if source in gone:
                waiting.extend(reversed(structure.ordered[source] + structure.unordered[source]))
            else:
                fed.append(number[source])
        return fed

    for vertex, label in enumerate(labels):
        if vertex not in gone:
            ordered, unordered = structure.ordered[vertex], structure.unordered[vertex]
            number[vertex] = found.add(label, spliced(ordered), spliced(unordered))
    return found, number
