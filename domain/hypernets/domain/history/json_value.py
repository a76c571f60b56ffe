"""Values as JSON can carry them, and back.

A plain value stands for itself; one that JSON would change or refuse stands in an object of one
name that begins with `$`:

    {"$float": "nan"}            a float that is not finite ("inf", "-inf")
    {"$tuple": [3, 3]}           a tuple
    {"$bytes": "00ff"}           bytes, in hexadecimal digits
    {"$mapping": [[0, 1.5]]}     a mapping with names that are no strings, or begin with `$`
    {"$described": "…"}          anything else, such as a function: a text that tells it from others

Reading executes nothing and gives an equal value; of what was only described, the text (see
`Described`). NumPy's numbers become Python's, arrays become lists.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from hypernets.domain.error import StoreError
from hypernets.domain.history.described import Described, describe

__all__ = ["from_json_value", "to_json_value"]

_PLAIN = frozenset({str, int, bool, type(None)})
_NESTED = frozenset({dict, list})


def to_json_value(value: Any) -> Any:
    """Return a value made of what JSON knows.

    Raises:
        StoreError: it holds something that cannot even be described, or holds itself.

    Example:
        >>> to_json_value({"size": (3, 3), "loss": float("nan")})
        {'size': {'$tuple': [3, 3]}, 'loss': {'$float': 'nan'}}
    """
    try:
        return _written(value)
    except RecursionError as error:
        raise StoreError(
            "a value to be stored must not hold itself; received one that does, or is nested "
            "hundreds of levels deep; store plain values"
        ) from error


def from_json_value(value: Any) -> Any:
    """Return the value that `to_json_value` was given; it may share its plain parts with the input.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it has never written such a thing.

    Example:
        >>> from_json_value({"$tuple": [3, 3]})
        (3, 3)
    """
    kind = type(value)
    if kind is dict:
        if len(value) == 1:
            ((name, content),) = value.items()
            if name.startswith("$"):
                return _TAGGED[name](content)
        for item in value.values():
            if type(item) in _NESTED:
                return {name: from_json_value(item) for name, item in value.items()}
        return value
    if kind is list:
        return [from_json_value(item) for item in value]
    return value


def _written(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        number = float.__float__(value)
        return number if math.isfinite(number) else {"$float": repr(number)}
    if isinstance(value, Mapping):
        if all(isinstance(name, str) and not name.startswith("$") for name in value):
            return {str(name): _written(item) for name, item in value.items()}
        return {"$mapping": [[_written(name), _written(item)] for name, item in value.items()]}
    if isinstance(value, list):
        return [_written(item) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [_written(item) for item in value]}
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, type):
        return {"$described": _description(value).text}
    if hasattr(value, "tolist") and hasattr(value, "dtype") and not value.dtype.hasobject:
        return _written(value.tolist())
    return {"$described": _description(value).text}


def _description(value: Any) -> Described:
    described = describe(value)
    if described is None:
        raise StoreError(
            "a value to be stored must be plain, or say what it is made of (by get_config or to "
            f"pickle); received {value!r} of type {type(value).__name__}; give a plain one, or "
            "give the class a get_config"
        )
    return described


def _read_tuple(items: Any) -> tuple[Any, ...]:
    return tuple(from_json_value(item) for item in items)


def _read_mapping(pairs: Any) -> dict[Any, Any]:
    return {from_json_value(name): from_json_value(item) for name, item in pairs}


_TAGGED: Mapping[str, Callable[[Any], Any]] = {
    "$float": float,
    "$tuple": _read_tuple,
    "$bytes": bytes.fromhex,
    "$mapping": _read_mapping,
    "$described": Described,
}
