"""Selectors: the hyperparameter by which an op chooses, checked against what there is to choose."""

from typing import Any

import attrs

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter import (
    Constant,
    Decision,
    MultipleChoice,
    ParameterSpace,
)
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import (
    InputChoice,
    Optional,
    Or,
    Permutation,
    Permutations,
    Repeat,
)

__all__ = ["Known", "check_selection", "check_selector", "constant_of", "positions_of"]

_CHECKED = 10_000
"""So many options of a selector are checked at freezing; the others as they are chosen."""


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
    return [value] if isinstance(value, int) else list(value)


def check_selector(op: ModuleSpace, selector: ParameterSpace) -> None:
    """Check the values that a selector may have.

    Raises:
        SpaceError: one of them selects nothing; the message says which and what would.
    """
    constant = constant_of(selector)
    if constant is not None:
        check_selection(op, constant.value)
    elif isinstance(selector, MultipleChoice):
        for option in selector.options:
            check_selection(op, [option])
    elif isinstance(selector, Decision):
        if not selector.is_finite:
            raise SpaceError(
                f"{op.name!r}: what selects must be finite; received {selector!r}, which is "
                "continuous; use Choice or Int"
            )
        options = getattr(selector, "options", None)
        if isinstance(options, Permutations) and isinstance(op, Permutation):
            check_selection(op, options[0])
            return
        for i in range(min(int(selector.size), _CHECKED)):
            check_selection(op, selector.value_at(i))


def check_selection(op: ModuleSpace, value: Any) -> None:
    """Check one value of a selector.

    Raises:
        SpaceError: it selects nothing.
    """
    if isinstance(op, Or):
        count = len(op.alternatives)
        _require(op, value, _is_position(value, count), f"a position from 0 to {count - 1}")
    elif isinstance(op, Optional):
        _require(op, value, value in (0, 1), "True or False")
    elif isinstance(op, Repeat):
        count = len(op.alternatives)
        _require(op, value, _is_position(value, count + 1), f"a number from 0 to {count}")
    elif isinstance(op, Permutation):
        count = len(op.alternatives)
        fits = isinstance(value, (list, tuple)) and sorted(value) == list(range(count))
        _require(op, value, fits, f"an order of the positions 0 to {count - 1}")
    elif isinstance(op, InputChoice):
        count = len(op.choices)
        fits = _is_position(value, count) or (
            isinstance(value, (list, tuple))
            and len(value) > 0
            and all(_is_position(item, count) for item in value)
        )
        _require(op, value, fits, f"a list of positions from 0 to {count - 1}")


def _is_position(value: Any, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count


def _require(op: ModuleSpace, value: Any, fits: bool, rule: str) -> None:
    if not fits:
        keyword = getattr(op, "keyword", "the selector")
        raise SpaceError(f"{op.name!r}: {keyword} must be {rule}; received {value!r}")
