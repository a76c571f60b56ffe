"""A history as a table."""

import importlib
from collections.abc import Iterable
from typing import Any

from hypernets.domain.history.trial import Trial

__all__ = ["to_frame", "to_rows"]


def to_rows(trials: Iterable[Trial]) -> list[dict[str, Any]]:
    """Return one mapping of column to value a trial.

    The columns are the facts of the trial, its objectives by name, its fidelity, and its decisions
    by label; a name that is taken already is written `objective.number`, `decision.number`.
    """
    return [_row(trial) for trial in trials]


def to_frame(trials: Iterable[Trial]) -> Any:
    """Return a `pandas.DataFrame` of one row a trial, with the columns of `to_rows`.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise ImportError(
            "to_frame needs pandas, which is not installed; install it with `pip install pandas`, "
            "or use history.to_rows(), which needs nothing"
        ) from error
    return pandas.DataFrame(to_rows(trials))


def _row(trial: Trial) -> dict[str, Any]:
    row: dict[str, Any] = {
        "number": trial.number,
        "state": trial.state.value,
        "elapsed_s": trial.elapsed_s,
        "answered_by": trial.answered_by,
        "taken_from": trial.taken_from,
        "replicate": trial.replicate,
        "signature": trial.signature,
        "failure": f"{trial.failure.kind}: {trial.failure.message}" if trial.failure else None,
    }
    labels = trial.labels
    in_log_order = [name for name in labels if name in trial.decisions]
    others = [name for name in trial.decisions if name not in labels]
    _put(row, "objective", trial.objectives.items())
    _put(row, "fidelity", trial.fidelity.items())
    decided = [(labels.get(n, n), trial.decisions[n]) for n in in_log_order + others]
    _put(row, "decision", decided)
    return row


def _put(row: dict[str, Any], kind: str, items: Iterable[tuple[str, Any]]) -> None:
    for name, value in items:
        row[f"{kind}.{name}" if name in row else name] = value
