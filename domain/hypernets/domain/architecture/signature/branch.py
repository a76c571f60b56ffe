"""Parallel branches that are the same, collapsed, so that symmetric networks stay small.

Two rewritings alternate until neither applies. *In series*: a vertex that only one other uses, and
that alone feeds it, becomes one with it. *In parallel*: vertices of one label, fed by the same and
feeding the same unordered vertices, become one whose label tells their number. Both depend on
the structure alone, not on its numbering, and can be undone, so that collapsed structures are
isomorphic exactly if the structures were.
"""

from hypernets.domain.architecture.signature.structure import UNORDERED, Structure, digest_of

__all__ = ["collapsed"]


def collapsed(structure: Structure) -> Structure:
    """Return the structure with its identical branches collapsed."""
    while True:
        size = len(structure)
        structure = _joined_in_parallel(_joined_in_series(structure))
        if len(structure) == size:
            return structure


def _joined_in_series(structure: Structure) -> Structure:
    """Return the structure with every chain joined into its first vertex."""
    uses = structure.uses()
    labels = structure.labels[:]
    into = list(range(len(structure)))  # the vertex that each one is now a part of
    for vertex, used in enumerate(uses):
        if len(used) != 1:
            continue
        slot, user = used[0]
        if len(structure.ordered[user]) + len(structure.unordered[user]) == 1:
            first = into[vertex]
            into[user] = first
            labels[first] = digest_of(b"series %d" % slot, labels[first], labels[user])
    return _rebuilt(structure, labels, into, whole=True)


def _joined_in_parallel(structure: Structure) -> Structure:
    """Return the structure with identical branches of one vertex joined."""
    uses = structure.uses()
    labels = structure.labels[:]
    alike: dict[tuple[object, ...], list[int]] = {}
    for vertex, used in enumerate(uses):
        if used and all(slot == UNORDERED for slot, _ in used):
            fed = (structure.ordered[vertex], tuple(sorted(structure.unordered[vertex])))
            alike.setdefault((labels[vertex], fed, tuple(used)), []).append(vertex)
    into = list(range(len(structure)))
    for first, *others in alike.values():
        if others:
            labels[first] = digest_of(b"parallel %d" % (len(others) + 1), labels[first])
            for vertex in others:
                into[vertex] = first
    return _rebuilt(structure, labels, into, whole=False)


def _rebuilt(
    structure: Structure, labels: list[bytes], into: list[int], *, whole: bool
) -> Structure:
    """Return the structure of the vertices that are no part of another.

    Args:
        structure: the structure so far.
        labels: the new labels, by old vertex.
        into: the old vertex that each one is now a part of, itself if of none.
        whole: whether an edge from a part comes from the whole now, rather than disappear.
    """
    found = Structure()
    number: dict[int, int] = {}
    for vertex, target in enumerate(into):
        if target == vertex:
            number[vertex] = found.add(
                labels[vertex],
                [number[into[source]] for source in structure.ordered[vertex]],
                [
                    number[into[source]]
                    for source in structure.unordered[vertex]
                    if whole or into[source] == source
                ],
            )
    return found
