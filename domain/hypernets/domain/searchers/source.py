"""Where a searcher gets its space from."""

from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["space_from"]


def space_from(source: Any, where: str) -> "HyperSpace":
    """Return the space that was given, or that the given function returns when called, once.

    Args:
        source: a `HyperSpace`, or a function of no arguments that returns one.
        where: who asks, for the message.

    Raises:
        SpaceError: it is neither, or the function returns something else.
    """
    if _is_space(source):
        return source  # type: ignore[no-any-return]
    if not callable(source):
        raise SpaceError(
            f"{where} must be given a HyperSpace, or a function that returns one; "
            f"received {source!r}; write {where}(lambda: my_space(...))"
        )
    space = source()
    if not _is_space(space):
        name = getattr(source, "__name__", repr(source))
        hint = "end it with `return space`" if space is None else "return the space itself"
        raise SpaceError(
            f"{where}: the function of a space must return a HyperSpace; "
            f"received {space!r} from {name}; {hint}"
        )
    return space  # type: ignore[no-any-return]


def _is_space(value: Any) -> bool:
    # by what it does: a space may be any object that lets choosers decide
    return not isinstance(value, type) and callable(getattr(value, "decide", None))
