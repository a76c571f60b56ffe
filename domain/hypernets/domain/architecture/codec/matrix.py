"""Networks as an adjacency and an operation matrix, padded to one size."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.codec.operation_name import (
    Naming,
    numbers_of,
    operation_name,
)
from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.error import SpaceError

__all__ = ["MatrixCodec"]


class MatrixCodec:
    """Encodes networks of at most `size` layers, inputs included, over a vocabulary of operations.

    Layers stand in the order of the graph, so the adjacency matrix is upper triangular. Networks
    that differ in nothing but that order may have different matrices, and those that differ in
    nothing but the order of the inputs of a layer have the same: sameness is what signatures tell.

    Args:
        operations: the vocabulary, for example from `operations_in`.
        size: number of rows.
        naming: what the operation of a layer is called.

    Raises:
        SpaceError: an operation is listed twice, or `size` is no positive integer.
    """

    def __init__(
        self, operations: Sequence[str], size: int, naming: Naming = operation_name
    ) -> None:
        if type(size) is not int or size < 1:
            raise SpaceError(
                f"MatrixCodec: size must be an integer >= 1; received {size!r}; give the number of "
                "layers of the largest network"
            )
        self.operations = tuple(operations)
        self.size = size
        self._numbers = numbers_of(self.operations)
        self._naming = naming

    def encode(self, graph: LayerGraph) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the matrices of a network.

        Returns:
            `(size, size)`, at `[i, j]` how many times layer `i` feeds layer `j`; and
            `(size, n_operations)`, one 1 in the row of each layer. Rows beyond the network are 0.

        Raises:
            SpaceError: the network has more layers, or an operation that is not in the vocabulary.
        """
        if len(graph) > self.size:
            raise SpaceError(
                f"a network must have at most {self.size} layers to be encoded; received one of "
                f"{len(graph)}; make a codec with a larger size"
            )
        adjacency = np.zeros((self.size, self.size))
        operations = np.zeros((self.size, len(self.operations)))
        places = {node.name: place for place, node in enumerate(graph)}
        for place, node in enumerate(graph):
            operation = self._naming(node)
            if operation not in self._numbers:
                raise SpaceError(
                    f"an operation must be in the vocabulary to be encoded; received "
                    f"{operation!r} of {node.name!r}; add it, or name operations more coarsely"
                )
            operations[place, self._numbers[operation]] = 1.0
            for source in node.inputs:
                adjacency[places[source], place] += 1.0
        return adjacency, operations

    def decode(
        self, adjacency: npt.ArrayLike, operations: npt.ArrayLike
    ) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        """Return what the matrices of a network say: its operations and its edges.

        Returns:
            The operation of each layer; and (source, target) of each edge, by position, in order,
            as often as the one feeds the other.

        Raises:
            SpaceError: they are not of this size, or of no network.
        """
        edges, rows = np.asarray(adjacency), np.asarray(operations)
        count = self._count_of(edges, rows)
        named = tuple(self.operations[number] for number in np.nonzero(rows[:count])[1].tolist())
        sources, targets = np.nonzero(edges)
        times = edges[sources, targets].astype(int)
        pairs = np.stack((np.repeat(sources, times), np.repeat(targets, times)), axis=1)
        return named, tuple((source, target) for source, target in pairs.tolist())

    def _count_of(self, edges: npt.NDArray[Any], rows: npt.NDArray[Any]) -> int:
        """Return the number of layers that two matrices are of, which are checked for that."""
        shapes = (self.size, self.size), (self.size, len(self.operations))
        if (edges.shape, rows.shape) != shapes:
            raise _no_network(f"shapes {edges.shape} and {rows.shape}, not {shapes}")
        if edges.dtype.kind not in "fiub" or rows.dtype.kind not in "fiub":
            raise _no_network(f"arrays of {edges.dtype} and {rows.dtype}, which are no numbers")
        sums = rows.sum(axis=1)
        count = int(sums.sum())
        if not np.isin(rows, (0, 1)).all() or sums.tolist() != [1] * count + [0] * (
            self.size - count
        ):
            raise _no_network("rows of operations that are not a single 1 each, padded with zeros")
        whole = np.isfinite(edges) & (edges >= 0) & (edges == np.floor(edges))
        if not whole.all():
            raise _no_network("edges that are not numbers from 0")
        if np.tril(edges).any() or edges[:, count:].any():
            raise _no_network("edges that lead back, or to rows without an operation")
        return count


def _no_network(received: str) -> SpaceError:
    return SpaceError(
        f"matrices must be those of a network in this size and vocabulary; received {received}; "
        "decode only what a codec like this has encoded"
    )
