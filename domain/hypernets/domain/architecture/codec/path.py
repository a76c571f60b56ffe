"""Path encoding: which sequences of operations lead from an input of a network to an output.

References:
    White, Neiswanger and Savani (2020), "BANANAS: Bayesian optimization with neural architectures
    for neural architecture search", section 3.
"""

import bisect
import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.codec.operation_name import (
    Naming,
    numbers_of,
    operation_name,
)
from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.error import SpaceError

__all__ = ["HashedPathCodec", "Path", "PathCodec", "paths_of"]

Path = tuple[str, ...]
"""The operations from an input, which is left out, to an output, which is not."""

PATH_LIMIT = 100_000
"""A network with more different paths into one layer is refused."""

COLUMN_LIMIT = 10_000_000
"""More columns than this are refused."""


def paths_of(graph: LayerGraph, naming: Naming = operation_name) -> frozenset[Path]:
    """Return the paths of a network from any input to any output, each once.

    Args:
        graph: the network.
        naming: what the operation of a layer is called.

    Raises:
        SpaceError: there are more than 100,000 different paths.
    """
    ending: dict[str, frozenset[Path]] = {}  # name of a node → the paths that end there
    for node in graph:
        if node.layer == "Input":
            ending[node.name] = frozenset({()})
            continue
        operation = naming(node)
        before = frozenset({()}) if not node.inputs else frozenset[Path]()
        before = before.union(*(ending[source] for source in node.inputs))
        if len(before) > PATH_LIMIT:
            raise SpaceError(
                f"a network must have at most {PATH_LIMIT:,} paths to be encoded by them; received "
                f"{len(before):,} into {node.name!r}; use MatrixCodec"
            )
        ending[node.name] = frozenset((*path, operation) for path in before)
    return frozenset[Path]().union(*(ending[name] for name in graph.outputs))


class PathCodec:
    """Encodes networks over a vocabulary of operations, one column for every possible path.

    Columns go from short paths to long ones, and by the order of the vocabulary among those of one
    length. With `n_columns` the longest are left out, as in the truncated encoding of the paper.

    Args:
        operations: the vocabulary, without inputs.
        max_length: the most operations on a path.
        n_columns: how many columns to keep; absent for all of them.
        naming: what the operation of a layer is called.

    Raises:
        SpaceError: an operation is listed twice, a number is not positive, or there would be more
            than 10,000,000 columns.
    """

    def __init__(
        self,
        operations: Sequence[str],
        max_length: int,
        n_columns: int | None = None,
        naming: Naming = operation_name,
    ) -> None:
        _check_positive("PathCodec", "max_length", max_length)
        self.operations = tuple(operations)
        self._numbers = numbers_of(self.operations)
        self._naming = naming
        self.max_length = max_length
        self._starts = [0]  # length of a path → the column of the first of that length
        for length in range(max_length + 1):
            self._starts.append(self._starts[-1] + len(self.operations) ** length)
        total = self._starts[-1]
        self._truncated = n_columns is not None
        if n_columns is not None:
            _check_positive("PathCodec", "n_columns", n_columns)
            total = min(total, n_columns)
        if total > COLUMN_LIMIT:
            raise SpaceError(
                f"PathCodec must have at most {COLUMN_LIMIT:,} columns; received {total:,} for "
                f"{len(self.operations)} operations and max_length={max_length}; give n_columns, "
                "or use HashedPathCodec"
            )
        self.n_columns = total

    def column(self, path: Path) -> int:
        """Return the column of a path; one beyond `n_columns` is left out of the encoding.

        Raises:
            SpaceError: the path is too long, or an operation is not in the vocabulary.
        """
        if len(path) > self.max_length:
            raise SpaceError(
                f"a path must have at most {self.max_length} operations; received {len(path)}, "
                f"{' > '.join(path)}; make a codec with a larger max_length"
            )
        number = 0
        for operation in path:
            if operation not in self._numbers:
                raise SpaceError(
                    f"an operation must be in the vocabulary to be encoded; received "
                    f"{operation!r}; add it, or name operations more coarsely"
                )
            number = number * len(self.operations) + self._numbers[operation]
        return self._starts[len(path)] + number

    def path(self, column: int) -> Path:
        """Return the path of a column.

        Raises:
            SpaceError: there is no such column.
        """
        if type(column) is not int or not 0 <= column < self.n_columns:
            raise SpaceError(
                f"a column must be an integer from 0 to {self.n_columns - 1}; received {column!r}; "
                "choose one of these"
            )
        length = bisect.bisect_right(self._starts, column) - 1
        number = column - self._starts[length]
        path: list[str] = []
        for _ in range(length):
            number, operation = divmod(number, len(self.operations))
            path.append(self.operations[operation])
        return tuple(reversed(path))

    def decode(self, vector: npt.ArrayLike) -> frozenset[Path]:
        """Return the paths of a `vector`, `(n_columns,)`: what `paths_of` says of the network.

        Those that `n_columns` has left out are missing.

        Raises:
            SpaceError: it is no vector of zeros and ones of that length.
        """
        entries = np.asarray(vector)
        if entries.shape != (self.n_columns,) or not np.isin(entries, (0, 1)).all():
            raise SpaceError(
                f"a vector of paths must be {self.n_columns} zeros and ones; received an array of "
                f"shape {entries.shape} of {entries.dtype}; decode only what this codec encoded"
            )
        return frozenset(self.path(column) for column in np.flatnonzero(entries).tolist())

    def encode(self, graph: LayerGraph) -> npt.NDArray[np.float64]:
        """Return `(n_columns,)`, 1 for each path that the network has.

        Raises:
            SpaceError: a path is too long (unless `n_columns` was given), or an operation is not
                in the vocabulary, or there are too many paths.
        """
        vector = np.zeros(self.n_columns)
        for path in paths_of(graph, self._naming):
            if len(path) > self.max_length and self._truncated:
                continue
            column = self.column(path)
            if column < self.n_columns:
                vector[column] = 1.0
        return vector


class HashedPathCodec:
    """Encodes networks over any operations: a path has the column of its hash.

    Different paths may share a column. The hash is the same in every process.

    Args:
        n_columns: number of columns.
        naming: what the operation of a layer is called.

    Raises:
        SpaceError: `n_columns` is not positive.
    """

    def __init__(self, n_columns: int, naming: Naming = operation_name) -> None:
        _check_positive("HashedPathCodec", "n_columns", n_columns)
        self.n_columns = n_columns
        self._naming = naming

    def column(self, path: Path) -> int:
        """Return the column of a path."""
        text = b"".join(b"%d;%b" % (len(part), part) for part in map(str.encode, path))
        digest = hashlib.blake2b(text, digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.n_columns

    def encode(self, graph: LayerGraph) -> npt.NDArray[np.float64]:
        """Return `(n_columns,)`, 1 for each column of a path that the network has.

        Raises:
            SpaceError: there are too many paths.
        """
        vector = np.zeros(self.n_columns)
        vector[[self.column(path) for path in paths_of(graph, self._naming)]] = 1.0
        return vector


def _check_positive(where: str, keyword: str, value: object) -> None:
    if type(value) is not int or value < 1:
        raise SpaceError(
            f"{where}: {keyword} must be an integer >= 1; received {value!r}; give a larger one"
        )
