"""What stands in a record for a value that no document can carry, such as a function."""

from typing import Any

import attrs

from hypernets.domain.architecture.value_text import text_of
from hypernets.domain.error import BuildError

__all__ = ["Described", "describe"]


@attrs.frozen(repr=False)
class Described:
    """A value by its text: equal exactly if the values are.

    The value itself is with the space. A record that is read back has this in its place, which the
    key of a trial takes for the same.

    Attributes:
        text: tells the value from any other, the same in every process.
    """

    text: str

    def __repr__(self) -> str:
        """Return the text in angle brackets."""
        return f"<{self.text}>"


def describe(value: Any) -> Described | None:
    """Return what stands for a value; `None` where it does not say what it is made of.

    Example:
        >>> describe(len)
        <builtins.len>
    """
    if isinstance(value, Described):
        return value
    try:
        return Described(text_of(value, numbers=True))
    except BuildError:
        return None
