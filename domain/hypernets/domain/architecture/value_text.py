"""Text of a value: equal for equal values, different for different ones, the same everywhere.

It depends on no memory address, no order of a set or dict and no `hash`, so that what is built on
it is stable across processes and machines. It cannot be read back.

Functions and classes are known by module and qualified name. A function without a name of its own
(a lambda, or one defined within another) is also known by its place in the source and by what it
has closed over. So two lambdas of one module are told apart, and one that is moved becomes another.
"""

import functools
import hashlib
import types
from collections.abc import Callable, Mapping
from enum import Enum
from operator import itemgetter
from typing import Any

import attrs
import numpy as np

from hypernets.domain.architecture.graph import LayerSpec
from hypernets.domain.error import BuildError

__all__ = ["LayerTeller", "text_of"]

LayerTeller = Callable[[LayerSpec], str]
"""What gives the text of a layer that stands among the arguments of another."""

_PLAIN = (bool, int, str, bytes, complex, type(None), type(Ellipsis), range)
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, np.ufunc)


def text_of(value: Any, layer: LayerTeller | None = None, *, numbers: bool = False) -> str:
    """Return the text of a value.

    Args:
        value: anything made of plain values, sequences, sets, mappings, arrays, enumerations,
            functions, classes, and objects that say what they are made of (by `get_config` or to
            `pickle`). Lists and tuples are not told apart.
        layer: gives the text of a `LayerSpec`; without it, the spec is text like any object.
        numbers: whether a float that is whole is the integer.

    Raises:
        BuildError: an object does not say what it is made of.
    """
    return _Writer(layer, numbers).write(value)


@attrs.define
class _Writer:
    _layer: LayerTeller | None
    _numbers: bool
    _open: dict[int, int] = attrs.field(factory=dict)  # id → depth of what is being written

    def write(self, value: Any) -> str:
        kind = type(value)
        if kind in _PLAIN:
            return repr(value)
        if kind is float:
            return repr(int(value)) if self._numbers and value.is_integer() else repr(value)
        if id(value) in self._open:
            return f"<up {len(self._open) - self._open[id(value)]}>"
        self._open[id(value)] = len(self._open)
        try:
            return self._compound(value)
        finally:
            del self._open[id(value)]

    def _compound(self, value: Any) -> str:
        if isinstance(value, LayerSpec) and self._layer is not None:
            return self._layer(value)
        if isinstance(value, Enum):
            return f"{_named(type(value))}.{value.name}"
        if isinstance(value, np.generic) and not isinstance(value, np.void):
            return self.write(value.item())
        if isinstance(value, type):
            return _named(value)
        if isinstance(value, Mapping):
            keys = sorted(((self.write(key), key) for key in value), key=itemgetter(0))
            return "{" + ",".join(f"{text}:{self.write(value[key])}" for text, key in keys) + "}"
        if isinstance(value, (set, frozenset)):
            return "{" + ",".join(sorted(map(self.write, value))) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ",".join(map(self.write, value)) + "]"
        if isinstance(value, _FUNCTIONS):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return f"{self._function(value.__func__)} of {self.write(value.__self__)}"
        if isinstance(value, functools.partial):
            parts = (value.func, value.args, value.keywords)
            return "partial(" + ",".join(map(self.write, parts)) + ")"
        if hasattr(value, "__array__"):
            return self._array(np.asarray(value))
        return self._object(value)

    def _function(self, function: Any) -> str:
        name = _named(function)
        code = getattr(function, "__code__", None)
        if code is None or "<" not in name:  # `<lambda>`, `<locals>`: others may have that name
            return name
        cells = [_content(cell) for cell in function.__closure__ or ()]
        held = (function.__defaults__, function.__kwdefaults__, cells)
        return f"{name}@{_place(code)}({','.join(map(self.write, held))})"

    def _array(self, array: np.ndarray[Any, Any]) -> str:
        if array.dtype.hasobject:
            return f"array({array.shape},{self.write(array.ravel().tolist())})"
        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
        digest = hashlib.blake2b(little.tobytes(), digest_size=16).hexdigest()
        return f"array({little.dtype.str},{array.shape},{digest})"

    def _object(self, value: Any) -> str:
        if callable(getattr(value, "get_config", None)):
            return f"{_named(type(value))}({self.write(_unnamed(value.get_config()))})"
        try:
            reduced = value.__reduce_ex__(2)
        except Exception as error:
            raise BuildError(
                "an argument of a layer must be made of plain values, or say what it is made of by "
                f"get_config or to pickle; received {value!r} of type {type(value).__name__}; "
                f"give it a get_config ({error})"
            ) from error
        if isinstance(reduced, str):
            return f"{type(value).__module__}.{reduced}"
        made, given, state, *items = (*reduced, None, None, None)[:5]
        rest = [list(item) for item in items if item is not None]
        return f"{_named(made)}({','.join(map(self.write, (given, state, rest)))})"


def _named(what: Any) -> str:
    name = getattr(what, "__qualname__", getattr(what, "__name__", type(what).__qualname__))
    return f"{getattr(what, '__module__', None) or 'builtins'}.{name}"


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return ...


def _place(code: types.CodeType) -> str:
    """Return the lines of a function and the column where it ends, in the file that has it."""
    ends = [
        (line, column) for _, line, _, column in code.co_positions() if line and column is not None
    ]
    if not ends:  # the interpreter was told to forget columns
        return f"{code.co_firstlineno}:{hashlib.sha256(code.co_code).hexdigest()}"
    return f"{code.co_firstlineno}:{max(ends)}"


def _unnamed(config: Any) -> Any:
    """Return the configuration of an object without the names that a framework made up."""
    if isinstance(config, Mapping):
        return {key: _unnamed(value) for key, value in config.items() if key != "name"}
    if isinstance(config, (list, tuple)):
        return [_unnamed(item) for item in config]
    return config
