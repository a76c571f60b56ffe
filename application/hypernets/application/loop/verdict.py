"""From outcomes to trials."""

import contextlib
import math
from collections.abc import Mapping
from typing import Any

from hypernets.application.in_process.attempt import failure_of, state_of
from hypernets.application.loop.candidate import Candidate
from hypernets.application.port.executor import Outcome
from hypernets.domain.error import DivergedError, TrainingError, TrialError
from hypernets.domain.history import Trial

__all__ = ["Pending", "answered_trial", "evaluated_trial", "read_objectives", "taken_trial"]

Pending = tuple[tuple[int, ...], ...]
"""Of each proposal that has not ended: number, asked_after, *dropped (see `Trial.pending`)."""


def evaluated_trial(
    candidate: Candidate,
    outcome: Outcome,
    *,
    seed: int,
    elapsed_s: float,
    pending: Pending = (),
    objectives: tuple[str, ...] = (),
) -> Trial:
    """Return the record of a trial that was run.

    Args:
        candidate: what was proposed.
        outcome: what came of it.
        seed: what seeded the estimator.
        elapsed_s: wall time from submission to verdict, in seconds.
        pending: the proposals that have not ended (see `Trial.pending`).
        objectives: names that must have been measured, the reward first; any where none are named.
    """
    state, failure, measured = outcome.state, outcome.failure, outcome.measurement
    values: dict[str, float] = {}
    if measured is not None:
        try:
            values = read_objectives(measured.objectives, objectives)
        except TrialError as error:
            state, failure = state_of(error), failure_of(error)
    return _record(
        candidate,
        state=state,
        objectives=values,
        failure=failure,
        curve=outcome.curve,
        timings=dict(measured.timings) if measured else {},
        details=dict(measured.details) if measured else {},
        seed=seed,
        elapsed_s=elapsed_s,
        pending=pending,
    )


def answered_trial(candidate: Candidate, earlier: Trial, pending: Pending = ()) -> Trial:
    """Return the record of a proposal that an earlier trial answers."""
    return _record(
        candidate,
        state=earlier.state,
        objectives=earlier.objectives,
        failure=earlier.failure,
        answered_by=earlier.number,
        pending=pending,
    )


def taken_trial(
    candidate: Candidate,
    known: Trial,
    pending: Pending = (),
    objectives: tuple[str, ...] = (),
) -> Trial:
    """Return the record of a proposal that a trial of an earlier search answers.

    It holds all that was measured, for the earlier trial may be out of reach; no time, for it took
    none.

    Args:
        candidate: what was proposed.
        known: the earlier trial.
        pending: the proposals that have not ended (see `Trial.pending`).
        objectives: names of those that come first, the reward foremost.
    """
    values = known.objectives
    first = {name: values[name] for name in objectives if name in values}
    return _record(
        candidate,
        state=known.state,
        objectives=first | dict(values),
        failure=known.failure,
        curve=known.curve,
        details=known.details,
        seed=known.seed,
        taken_from=known.number,
        pending=pending,
    )


def read_objectives(values: Any, names: tuple[str, ...] = ()) -> dict[str, float]:
    """Return measured objectives as floats, the named ones first.

    Raises:
        TrainingError: they are no mapping of names to numbers, or a named one is missing.
        DivergedError: one is NaN or infinite.

    Example:
        >>> read_objectives({"latency_s": 2, "accuracy": 0.5}, ("accuracy",))
        {'accuracy': 0.5, 'latency_s': 2.0}
    """
    if not isinstance(values, Mapping) or not values:
        raise TrainingError(
            "an estimator must return at least one objective, as a mapping of its name to a "
            f"number; received {values!r}; return {{'accuracy': 0.9}}, say"
        )
    missing = [name for name in names if name not in values]
    if missing:
        raise TrainingError(
            f"an estimator must return every objective that has a direction; received "
            f"{sorted(map(str, values))} without {missing[0]!r}; return it too, or give it no "
            "direction"
        )
    ordered = [*names, *(name for name in values if name not in names)]
    objectives = {str(name): _number(str(name), values[name]) for name in ordered}
    for name, value in objectives.items():
        if not math.isfinite(value):
            raise DivergedError(
                f"objective {name!r} must be a finite number; received {value}; "
                "lower the learning rate or clip the gradients, if it happens often"
            )
    return objectives


def _number(name: str, value: Any) -> float:
    # float() would take text, truth values and arrays of one element
    if not isinstance(value, (str, bytes, bool)) and getattr(value, "ndim", 0) == 0:
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            return float(value)
    raise TrainingError(
        f"objective {name!r} must be a number; received {value!r} of type "
        f"{type(value).__name__}; return a float from the estimator"
    )


def _record(candidate: Candidate, **verdict: Any) -> Trial:
    asked, proposal = candidate.asked, candidate.asked.proposal
    architecture = proposal.architecture
    return Trial(
        number=asked.number,
        decisions=dict(architecture.decisions),
        signature=candidate.signature,
        labels=dict(architecture.labels),
        fidelity=dict(proposal.fidelity),
        replicate=proposal.replicate,
        training=candidate.training,
        estimator=candidate.estimator,
        parent=proposal.parent,
        asked_after=asked.asked_after,
        dropped=asked.dropped,
        architecture=architecture.without_graph(),
        **verdict,
    )
