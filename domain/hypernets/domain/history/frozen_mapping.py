"""A mapping that cannot be changed."""

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

__all__ = ["FrozenMapping", "frozen"]

Value = TypeVar("Value")


class FrozenMapping(dict[str, Value]):
    """A dict that refuses to be changed; it prints, compares, pickles and encodes as a dict.

    Example:
        >>> FrozenMapping(accuracy=0.5)
        {'accuracy': 0.5}
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a record must not be changed; copy it first: dict(record)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def frozen(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a mapping as one that cannot be changed."""
    return value if isinstance(value, FrozenMapping) else FrozenMapping(value)
