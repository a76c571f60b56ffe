"""Reading pickles that hold plain data, and nothing else.

The tables of published benchmarks come as pickles, and a pickle may run any program when it is
read. Here nothing in it can: of all names that a pickle may ask for, two are known, those by which
NumPy writes a single number, and what stands behind them only reads the number.
"""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypernets.domain.error import HypernetsError

__all__ = ["UnsafePickleError", "load_plain"]

_DAMAGES = (AttributeError, ImportError, IndexError, KeyError, MemoryError, OverflowError)
_FORMATS = {"f8": "d", "f4": "f", "i8": "q", "i4": "i", "i2": "h", "i1": "b", "b1": "?"}


class UnsafePickleError(HypernetsError):
    """A pickle holds something else than plain data, or cannot be read."""


class _Kind:
    """What a pickle says of the type of a NumPy number: its name and its byte order."""

    def __init__(self, name: str, *_: Any) -> None:
        self.name = name
        self.order = "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = "<" if state[1] == "|" else str(state[1])


def _number(kind: Any, content: Any) -> Any:
    if not isinstance(kind, _Kind) or kind.name not in _FORMATS or kind.order not in ("<", ">"):
        raise pickle.UnpicklingError("a number of an unknown type")
    return struct.unpack(kind.order + _FORMATS[kind.name], content)[0]


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "scalar"): _number,
    ("numpy._core.multiarray", "scalar"): _number,
    ("numpy", "dtype"): _Kind,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known = _KNOWN.get((module, name))
        if known is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return known

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f"it refers to {pid!r} outside of it")


def load_plain(path: Path) -> Any:
    """Return what a pickle holds: dicts, lists, tuples, sets, texts and numbers.

    Raises:
        UnsafePickleError: it holds anything else, or is no pickle.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            return _PlainUnpickler(file).load()
        except (pickle.UnpicklingError, EOFError, ValueError, TypeError, struct.error) as error:
            raise UnsafePickleError(
                f"a table must be a pickle of plain data; received {path}, where {error}; take the "
                "file that its distribution brings along"
            ) from error
        except _DAMAGES as error:
            raise UnsafePickleError(
                f"a table must be a pickle of plain data; received {path}, which is damaged "
                f"({type(error).__name__}: {error}); install its distribution anew"
            ) from error
