"""The table of decisions that a log prints for a trial."""

from collections.abc import Mapping
from typing import Any

__all__ = ["decision_table"]

_ROW_WIDTH = 61
_RULE_WIDTH = 62


def decision_table(labels: Mapping[str, str], decisions: Mapping[str, Any]) -> list[str]:
    """Return the lines of the table: a rule, a numbered row for each decision, a rule.

    Labels stand on the left, values on the right. Where both do not fit into 61 characters, one
    space stands between them and the row is longer: nothing is cut, and a row stays one line.

    Args:
        labels: name of a hyperparameter → what to print for it, in the order of the rows.
        decisions: name of a hyperparameter → its value.

    Example:
        >>> for line in decision_table({"Param_1": "Module_Or_1.hp_or"}, {"Param_1": 3}):
        ...     print(line)
        --------------------------------------------------------------
        (0) Module_Or_1.hp_or:                                      3
        --------------------------------------------------------------
    """
    rule = "-" * _RULE_WIDTH
    rows = [_row(place, labels[name], decisions[name]) for place, name in enumerate(labels)]
    return [rule, *rows, rule]


def _row(place: int, label: str, value: Any) -> str:
    left = f"({place}) {_one_line(label)}: "
    right = _one_line(str(value))
    return left + right.rjust(_ROW_WIDTH - len(left))


def _one_line(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
