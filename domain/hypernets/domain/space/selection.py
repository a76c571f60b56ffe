"""Selectors: the hyperparameter by which an op chooses, checked against what there is to choose."""

from numbers import Integral
from typing import Any, Protocol

import attrs

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter import (
    Constant,
    Decision,
    MultipleChoice,
    ParameterSpace,
)

__all__ = [
    "Known",
    "Selecting",
    "check_selection",
    "check_selector",
    "constant_of",
    "is_position",
    "positions_of",
]


class Selecting(Protocol):
    """An op that chooses by a hyperparameter.

    Attributes:
        name: its name.
        keyword: keyword of the hyperparameter.
    """

    name: str
    keyword: str

    @property
    def selectable(self) -> str:
        """What a value must be, in words."""

    def fits(self, value: Any) -> bool:
        """Say whether a value selects something."""


@attrs.frozen(slots=True)
class Known:
    """A value that is no decision."""

    value: Any


def constant_of(parameter: ParameterSpace) -> Known | None:
    """Return the only value of a hyperparameter, or `None` where it has several or follows."""
    if isinstance(parameter, Constant):
        return Known(parameter.value)
    if isinstance(parameter, Decision) and not parameter.is_decision:
        return Known(parameter.value_at(0))
    return None


def positions_of(value: Any) -> list[int]:
    """Return the positions that a value of an `InputChoice` lists."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def is_position(value: Any, count: int) -> bool:
    """Say whether a value is an integer from 0 to `count - 1`; `True` is none."""
    return type(value) is not bool and isinstance(value, Integral) and 0 <= int(value) < count


def check_selector(op: Selecting, selector: ParameterSpace) -> None:
    """Check the values that a selector may have, as far as they are known without deciding.

    Raises:
        SpaceError: one of them selects nothing; the message says which and what would.
    """
    constant = constant_of(selector)
    if constant is not None:
        check_selection(op, constant.value, selector)
    elif isinstance(selector, MultipleChoice):
        for option in selector.options:
            check_selection(op, [option], selector)
    elif isinstance(selector, Decision):
        if not selector.is_finite:
            raise SpaceError(
                f"{op.name!r}: {op.keyword} must be finite; received {selector!r}, which is "
                "continuous; use Choice or Int"
            )
        # as many as the op can tell apart: one too many is found before many more are tried
        for i in range(int(selector.size)):
            check_selection(op, selector.value_at(i), selector)


def check_selection(op: Selecting, value: Any, selector: ParameterSpace) -> None:
    """Check one value of a selector.

    Raises:
        SpaceError: it selects nothing.
    """
    if not op.fits(value):
        source = "" if isinstance(selector, Constant) else f" from {selector!r}"
        raise SpaceError(
            f"{op.name!r}: {op.keyword} must be {op.selectable}; received {value!r}{source}; "
            "give only values that select something"
        )
