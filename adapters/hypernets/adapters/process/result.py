"""The outcome of a trial as JSON values, and back."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from hypernets.adapters.process.artifact import ArtifactFile, write_artifact
from hypernets.adapters.process.frame import ProtocolError
from hypernets.application.in_process.attempt import failure_of, state_of
from hypernets.application.port import Job, Measurement, Outcome, Ticket
from hypernets.domain.error import TrainingError
from hypernets.domain.history import Failure, Report, TrialState

__all__ = ["failed_document", "outcome_document", "outcome_of"]


# --- in the trial's process ---------------------------------------------------


def outcome_document(outcome: Outcome, job: Job, artifact: pathlib.Path) -> dict[str, Any]:
    """Return an outcome as JSON values; what has none makes it a failure.

    Args:
        outcome: what came of the job here.
        job: the trial.
        artifact: where what it leaves is to be written.
    """
    try:
        return {
            "state": outcome.state.value,
            "failure": _failure_document(outcome.failure),
            "curve": [[report.step, dict(report.values)] for report in outcome.curve],
            "measurement": _measurement_document(outcome.measurement, job, artifact),
        }
    except Exception as error:
        return failed_document(error)


def failed_document(error: BaseException) -> dict[str, Any]:
    """Return the outcome of a trial that an error has ended."""
    if isinstance(error, Exception):
        state, failure = state_of(error), failure_of(error)
    else:
        message = f"a trial must end by returning or raising an error; received {error!r}"
        state, failure = TrialState.FAILED, Failure(type(error).__name__, message)
    return {"state": state.value, "failure": _failure_document(failure)}


def _failure_document(failure: Failure | None) -> list[str] | None:
    return None if failure is None else [failure.kind, failure.message, failure.traceback]


def _measurement_document(
    measured: Measurement | None, job: Job, artifact: pathlib.Path
) -> dict[str, Any] | None:
    if measured is None:
        return None
    document = {
        "objectives": _json_values(measured.objectives, "objectives"),
        "timings": _json_values(measured.timings, "timings"),
        "details": _json_values(measured.details, "details"),
        "curve": [[report.step, dict(report.values)] for report in measured.curve],
        "artifact": None,
    }
    if measured.artifact is not None:
        document["artifact"] = write_artifact(job.estimator, measured.artifact, artifact)
    return document


def _json_values(values: Any, what: str) -> Any:
    try:
        given = dict(values) if isinstance(values, Mapping) else values
        return json.loads(json.dumps(given, default=_plain))
    except (TypeError, ValueError, RecursionError) as error:
        raise TrainingError(
            f"the {what} of a measurement must be JSON values, to come back from the process of "
            f"their trial; received {values!r}: {error}; return numbers, text, lists and dicts"
        ) from error


def _plain(value: Any) -> Any:
    """Return what numpy's numbers and arrays are in JSON."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__float__") and getattr(value, "ndim", 0) == 0:
        return float(value)  # a scalar tensor
    raise TypeError(f"{type(value).__name__} is no JSON value")


# --- in the coordinator -------------------------------------------------------


def outcome_of(document: Mapping[str, Any], ticket: Ticket) -> Outcome:
    """Return the outcome that a trial's process has handed in.

    Raises:
        ProtocolError: it is none.
    """
    try:
        failure = document["failure"]
        return Outcome(
            ticket,
            TrialState(document["state"]),
            measurement=_measurement_of(document.get("measurement")),
            failure=None if failure is None else Failure(*map(str, failure)),
            curve=_curve_of(document.get("curve", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(f"a result must be an outcome; received {document!r}") from error


def _measurement_of(document: Mapping[str, Any] | None) -> Measurement | None:
    if document is None:
        return None
    artifact = document["artifact"]
    if artifact is not None:
        artifact = ArtifactFile(
            pathlib.Path(artifact["path"]), str(artifact["sha256"]), int(artifact["n_bytes"])
        )
    return Measurement(
        document["objectives"],
        curve=_curve_of(document["curve"]),
        timings=document["timings"],
        details=document["details"],
        artifact=artifact,
    )


def _curve_of(curve: Any) -> tuple[Report, ...]:
    return tuple(Report(step, values) for step, values in curve)
