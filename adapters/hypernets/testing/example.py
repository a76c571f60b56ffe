"""Trials, an identity and spaces for the laws to be held on."""

import attrs

from hypernets.application.port import SearchIdentity
from hypernets.domain.history import Failure, Report, Trial, TrialState
from hypernets.domain.space import Choice, HyperSpace, LayerModule, Optional, Real, Repeat

__all__ = ["IDENTITY", "TRIALS", "finite_space", "infinite_space", "numbered_trial"]

TRIALS = (
    Trial(
        1,
        {"units": 64, "rate": 1e-05, "names": ["a", "b"], "flag": True, "none": None},
        "1-abc",
        TrialState.COMPLETED,
        {"accuracy": 0.1 + 0.2, "latency_s": 1e-300},
        labels={"units": "dense.units"},
        curve=(Report(1, {"loss": 0.5}), Report(2, {"loss": 0.25})),
        timings={"fit_s": 1.5},
        elapsed_s=2.5,
        seed=2**31 - 1,
        training={"batch_size": 32},
        estimator="keras",
        details={"layers": ["Dense"], "n": 3},
    ),
    Trial(
        4,
        {},
        "",
        TrialState.FAILED,
        failure=Failure("BuildError", "zu groß ✗\nzweite Zeile", "Traceback …"),
        asked_after=1,
    ),
    Trial(2, {"units": 64}, "1-abc", TrialState.COMPLETED, {"accuracy": 0.3}, answered_by=1),
    Trial(3, {}, "x", TrialState.PRUNED, fidelity={"epochs": 3}, replicate=2, parent=1),
    Trial(
        7, {}, "y", TrialState.COMPLETED, asked_after=4, dropped=(3, 3), pending=((8, 4, 3), (9, 4))
    ),
    Trial(
        5,
        {"size": (3, (3, 5)), "$odd": {"$tuple": [1]}, "surrogate": "\ud800", "": -0.0},
        "z" * 100,
        TrialState.DIVERGED,
        details={"classes": {0: 1.5, (1, 2): b"\x00\xff"}, "big": 2**70, "nested": [{"a": [()]}]},
    ),
)
"""Trials with every fact that one can have, not in the order of their numbers."""

IDENTITY = SearchIdentity(
    space="1-abc",
    decisions=("dense.units: 8, 16", "dropout: 0.0 to 0.5"),
    searcher="random",
    searcher_options={"with_replacement": False, "size": (3, 3)},
    seed=0,
    directions={"accuracy": "max", "latency_s": "min"},
    estimator="keras",
    data="sha256-1",
)
"""Whose trials these might be."""


def numbered_trial(number: int) -> Trial:
    """Return a trial that holds its number in every fact, with a curve that may be long."""
    length = 3_000 if number % 10 == 0 else number * 7 % 12
    curve = tuple(Report(step, {"loss": step / number}) for step in range(length))
    return attrs.evolve(
        TRIALS[0], number=number, signature=f"s{number}", decisions={"n": number}, curve=curve
    )


class _Input(LayerModule):
    is_input = True


class _Dense(LayerModule):
    pass


def finite_space() -> HyperSpace:
    """Return a space of 2 x (3 + 9) = 24 architectures."""
    space = HyperSpace()
    with space.as_default():
        x = Optional(_Dense({"units": 7}), keep_link=True)(_Input({"shape": (4,)}, name="in"))
        Repeat(lambda step: _Dense({"units": Choice([1, 2, 3])}), [1, 2])(x)
    return space


def infinite_space() -> HyperSpace:
    """Return a space with a continuous decision."""
    space = HyperSpace()
    with space.as_default():
        x = _Input({"shape": (4,)}, name="in")
        _Dense({"units": Choice([1, 2, 4, 8], name="units"), "rate": Real(0.0, 1.0)})(x)
    return space
