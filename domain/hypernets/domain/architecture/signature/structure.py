"""A directed acyclic graph of labelled vertices: what is left of a network without its names."""

import hashlib
from collections.abc import Sequence

__all__ = ["UNORDERED", "Structure", "blake", "digest_of"]

UNORDERED = -1
"""The slot of an edge into a vertex that does not order what feeds it."""


class Structure:
    """Vertices in topological order, numbered from 0.

    Attributes:
        labels: what each vertex is; equal for vertices that may stand for each other.
        ordered: the vertices that feed each one, where their order matters.
        unordered: the vertices that feed each one, in any order, with multiplicity.
    """

    def __init__(self) -> None:
        self.labels: list[bytes] = []
        self.ordered: list[tuple[int, ...]] = []
        self.unordered: list[tuple[int, ...]] = []

    def __len__(self) -> int:
        """Return the number of vertices."""
        return len(self.labels)

    def add(self, label: bytes, ordered: Sequence[int] = (), unordered: Sequence[int] = ()) -> int:
        """Add a vertex fed by earlier ones and return its number."""
        self.labels.append(label)
        self.ordered.append(tuple(ordered))
        self.unordered.append(tuple(unordered))
        return len(self.labels) - 1

    def mark(self, vertex: int, mark: bytes) -> None:
        """Make a vertex unlike others that are unmarked or marked otherwise."""
        self.labels[vertex] = digest_of(b"marked", self.labels[vertex], mark)

    def uses(self) -> list[list[tuple[int, int]]]:
        """Return, by vertex, its edges: `(slot or UNORDERED, vertex that it feeds)`."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.labels]
        for vertex, sources in enumerate(self.ordered):
            for slot, source in enumerate(sources):
                found[source].append((slot, vertex))
        for vertex, sources in enumerate(self.unordered):
            for source in sources:
                found[source].append((UNORDERED, vertex))
        return found


def blake(text: bytes) -> bytes:
    """Return a digest of 16 bytes."""
    return hashlib.blake2b(text, digest_size=16).digest()


def digest_of(*parts: bytes) -> bytes:
    """Return 16 bytes that are equal for equal parts and different for different ones."""
    return blake(b"".join([b"%d;%b" % (len(part), part) for part in parts]))
