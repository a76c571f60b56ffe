"""Deciding, and what comes of it: the architecture, its graph of layers, its signature."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture
    from hypernets.domain.architecture.difference import Difference, diff

__all__ = ["Architecture", "Difference", "diff"]

_WHERE = {"Architecture": "architecture", "Difference": "difference", "diff": "difference"}


def __getattr__(name: str) -> Any:
    """Return a name that stands here, loaded when it is first asked for.

    The rules of layers read `graph`, and an architecture reads the rules: loading everything along
    with the package would go in a circle.
    """
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
