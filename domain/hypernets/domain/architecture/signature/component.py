"""The canonical form of a structure, one independent part after the other.

Refinement numbers most vertices of a network. What it leaves open falls into parts that only
numbered vertices connect; each of them has a form of its own, and the forms of all of them,
sorted, are that of the whole. So symmetries of one part do not multiply with those of another.
"""

from hypernets.domain.architecture.signature.labelling import smallest_numbering
from hypernets.domain.architecture.signature.partition import Partition, Refiner
from hypernets.domain.architecture.signature.structure import Structure, digest_of

__all__ = ["canonical_form"]


def canonical_form(structure: Structure, digests: list[bytes]) -> list[bytes]:
    """Return what is equal exactly for isomorphic structures.

    Args:
        structure: the structure.
        digests: by vertex, equal for vertices that correspond in isomorphic structures, and
            telling their labels.
    """
    partition = Refiner(structure).initial(digests)
    order = sorted(range(len(structure)), key=partition.colours.__getitem__)
    labels = [digests[vertex] for vertex in order]
    edges = [
        _colours_before(structure, partition, cell[0])
        for _, cell in sorted(partition.cells.items())
        if len(cell) == 1
    ]
    parts = [
        digest_of(*smallest_numbering(_part(structure, partition, vertices)))
        for vertices in _open_parts(structure, partition)
    ]
    return [*labels, *edges, *sorted(parts)]


def _colours_before(structure: Structure, partition: Partition, vertex: int) -> bytes:
    """Return what feeds a numbered vertex.

    A cell feeds it as a whole, all of its vertices alike, so that colours tell everything.
    """
    colours = partition.colours
    ordered = [colours[source] for source in structure.ordered[vertex]]
    unordered = sorted([colours[source] for source in structure.unordered[vertex]])
    return repr((ordered, unordered)).encode()


def _open_parts(structure: Structure, partition: Partition) -> list[list[int]]:
    """Return the connected sets of vertices that have no cell of their own."""
    cells, colours = partition.cells, partition.colours
    neighbours: dict[int, list[int]] = {
        vertex: [] for cell in cells.values() if len(cell) > 1 for vertex in cell
    }
    for vertex, near in neighbours.items():
        for source in (*structure.ordered[vertex], *structure.unordered[vertex]):
            if len(cells[colours[source]]) > 1:
                near.append(source)
                neighbours[source].append(vertex)
    found, seen = [], set[int]()
    for start in neighbours:
        if start not in seen:
            seen.add(start)
            part = [start]
            for vertex in part:
                fresh = set(neighbours[vertex]) - seen
                seen |= fresh
                part.extend(fresh)
            found.append(sorted(part))
    return found


def _part(structure: Structure, partition: Partition, vertices: list[int]) -> Structure:
    """Return a part, with the numbered vertices that feed it; labels are colours of the whole.

    What the part feeds outside is told by the colours.
    """
    part = Structure()
    number: dict[int, int] = {}

    def add(vertex: int, ordered: tuple[int, ...] = (), unordered: tuple[int, ...] = ()) -> None:
        for source in (*ordered, *unordered):
            if source not in number:
                add(source)
        number[vertex] = part.add(
            b"%d" % partition.colours[vertex],
            [number[source] for source in ordered],
            [number[source] for source in unordered],
        )

    for vertex in vertices:
        add(vertex, structure.ordered[vertex], structure.unordered[vertex])
    return part
