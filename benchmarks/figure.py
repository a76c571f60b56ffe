"""How every benchmark states a figure: one JSON line."""

import json
import sys

__all__ = ["figure", "report"]


def figure(
    name: str, value: float, unit: str, target: float, *, at_least: bool = False, **more: object
) -> bool:
    """Print a figure with its target and return whether that is met.

    Args:
        name: what was measured.
        value: what was found.
        unit: of the value and the target.
        target: the largest value that is good enough, or the smallest with `at_least`.
        at_least: whether more is better.
        **more: what else belongs on the line, such as an interval.
    """
    met = value >= target if at_least else value <= target
    report(name, value, unit, target, met, **more)
    return met


def report(
    name: str, value: float, unit: str, target: float | None, met: bool | None, **more: object
) -> None:
    """Print a figure whose target was judged elsewhere, or which has none."""
    line = {"name": name, "value": round(value, 6), "unit": unit, "target": target, "met": met}
    print(json.dumps({**line, **more}))
    sys.stdout.flush()
