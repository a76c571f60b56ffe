"""What the arguments of an executor must be."""

from typing import Any

from hypernets.domain.error import SearchError

__all__ = ["require_count", "require_method", "require_positive"]


def require_count(name: str, value: Any, least: int) -> int:
    """Return a whole number of at least so much.

    Raises:
        SearchError: it is none.
    """
    if type(value) is not int or value < least:
        raise SearchError(
            f"{name} must be an integer >= {least}; received {value!r}; write {name}={least}, say"
        )
    return value


def require_positive(name: str, value: Any) -> Any:
    """Return a number above zero, or `None`.

    Raises:
        SearchError: it is neither.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is None or (number and value > 0):
        return value
    raise SearchError(f"{name} must be > 0; received {value!r}; leave it out for no limit")


def require_method(method: Any) -> str:
    """Return a way in which processes are started.

    Raises:
        SearchError: it is none.
    """
    if method in ("auto", "fork", "fresh"):
        return str(method)
    raise SearchError(
        f"method must be 'auto', 'fork' or 'fresh'; received {method!r}; leave it out to have it "
        "chosen by what the machine can do"
    )
