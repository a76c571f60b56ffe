"""Spaces that search strategies stumble over."""

from collections.abc import Callable
from typing import Any

from hypernets.domain.space import (
    Choice,
    HyperSpace,
    Int,
    LayerModule,
    MultipleChoice,
    Optional,
    Or,
    Real,
    Repeat,
)

__all__ = ["AWKWARD_SPACES"]


class _Input(LayerModule):
    is_input = True


class _Dense(LayerModule):
    pass


def _maker(build: Callable[[Any], Any]) -> Callable[[], HyperSpace]:
    def make() -> HyperSpace:
        space = HyperSpace()
        with space.as_default():
            build(_Input({"shape": (4,)}, name="in"))
        return space

    return make


def _nested(depth: int) -> Any:
    if depth == 0:
        return _Dense({"units": Choice([1, 2])})
    return Or([_Dense({"units": 9}), Optional(_nested(depth - 1), keep_link=True)])


def _deep(x: Any) -> None:
    Repeat(lambda step: _nested(4), [1, 2, 3])(_Dense({"units": 3})(x))


def _mixed(x: Any) -> None:
    x = _Dense(
        {
            "units": Int(1, 10_000, name="units"),
            "rate": Real(1e-5, 1e-1, prior="log_uniform", name="rate"),
            "names": MultipleChoice(["a", "b", "c"], name="names"),
        }
    )(x)
    Or([_Dense({"units": 9}), _Dense({"rate": Real(0.0, 1.0)})])(x)


def _vast(x: Any) -> None:
    for _ in range(19):
        x = _Dense({"units": Choice(range(1, 11))})(x)


AWKWARD_SPACES = {
    "one architecture": _maker(lambda x: _Dense({"units": 1})(x)),
    "two architectures": _maker(lambda x: _Dense({"units": Choice([1, 2])})(x)),
    "deeply conditional": _maker(_deep),
    "continuous": _maker(lambda x: _Dense({"rate": Real(0.0, 1.0)})(x)),
    "mixed": _maker(_mixed),
    "10^19 architectures": _maker(_vast),
}
"""What makes each awkward → a function that makes the space."""
