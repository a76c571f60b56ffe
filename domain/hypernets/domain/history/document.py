"""A trial as a document of JSON values, and back: the same in every store.

Number, signature, state and the version are always there; what else a trial has by default is left
out. A report of the curve is `[step, values]`, a failure `[kind, message, traceback]`. Values that
JSON cannot carry are written as `json_value` says.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from hypernets.domain.error import CorruptStoreError, StoreError
from hypernets.domain.history.frozen_mapping import FrozenMapping
from hypernets.domain.history.json_value import from_json_value, to_json_value
from hypernets.domain.history.trial import Failure, Report, Trial, TrialState

__all__ = ["VERSION", "trial_from_document", "trial_to_document"]

VERSION = 1
"""The version that is written, and the newest that is read."""

_EMPTY: Mapping[str, Any] = FrozenMapping()
_STATES = {state.value: state for state in TrialState}
_ALWAYS = ("number", "signature", "state")
_SHAPED = ("curve", "pending", "failure")  # have a form of their own


def _optional_fields() -> dict[str, Any]:
    """Return name → default of every other field of a trial; mappings are empty by default."""
    left_out = {*_ALWAYS, *_SHAPED, "architecture"}
    fields = [field for field in attrs.fields(Trial) if field.name not in left_out]
    return {f.name: f.default if f.converter is None else _EMPTY for f in fields}


_OPTIONAL = _optional_fields()
_NO_MAPPINGS = {name: _EMPTY for name, default in _OPTIONAL.items() if default is _EMPTY}
_NAMES = frozenset({"version", *_ALWAYS, *_SHAPED, *_OPTIONAL})


# --- writing ----------------------------------------------------------------


def trial_to_document(trial: Trial) -> dict[str, Any]:
    """Return every fact of a trial but its architecture, as values that JSON can carry.

    Raises:
        StoreError: the trial holds a value that cannot even be described, or holds itself.

    Example:
        >>> trial_to_document(Trial(1, {"units": 64}, "1-ab", TrialState.PRUNED))["decisions"]
        {'units': 64}
    """
    document: dict[str, Any] = {
        "version": VERSION,
        "number": trial.number,
        "signature": trial.signature,
        "state": trial.state.value,
    }
    for name, default in _OPTIONAL.items():
        value = getattr(trial, name)
        if value != default or str(value) == "-0.0":  # which equals 0.0
            document[name] = to_json_value(value)
    if trial.curve:
        document["curve"] = [[report.step, to_json_value(report.values)] for report in trial.curve]
    if trial.pending:
        document["pending"] = [list(asked) for asked in trial.pending]
    if trial.failure is not None:
        failure = trial.failure
        document["failure"] = [failure.kind, failure.message, failure.traceback]
    return document


# --- reading ----------------------------------------------------------------


def trial_from_document(document: Any) -> Trial:
    """Return the trial of a document, without an architecture.

    Raises:
        StoreError: the document is of a newer version.
        CorruptStoreError: it is no document of a trial.
    """
    version = document.get("version") if isinstance(document, Mapping) else None
    if type(version) is int and version > VERSION:
        raise StoreError(
            f"the version of a trial's document must be at most {VERSION}; received {version}, "
            "written by a newer release; update the library to read it"
        )
    if type(version) is not int or version < 1 or not document.keys() <= _NAMES:
        raise _corrupt(document, "no version, or names that no trial has")
    try:
        return _trial(document)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _corrupt(document, f"{type(error).__name__}: {error}") from error


def _trial(document: Mapping[str, Any]) -> Trial:
    facts: dict[str, Any] = dict(_NO_MAPPINGS)
    for name, value in document.items():
        if name in _NO_MAPPINGS:
            facts[name] = _mapping(value)
        elif name in _OPTIONAL:
            facts[name] = from_json_value(value)
    if "curve" in document:
        facts["curve"] = tuple(Report(step, _mapping(values)) for step, values in document["curve"])
    if "pending" in document:
        facts["pending"] = tuple(tuple(asked) for asked in document["pending"])
    if "failure" in document:
        facts["failure"] = Failure(*document["failure"])
    number, signature = document["number"], document["signature"]
    if type(number) is not int or type(signature) is not str:
        raise ValueError(f"number {number!r} and signature {signature!r}")
    return Trial(number=number, signature=signature, state=_STATES[document["state"]], **facts)


def _mapping(value: Any) -> Mapping[str, Any]:
    mapping = from_json_value(value)
    if not isinstance(mapping, dict):
        raise ValueError(f"{mapping!r} where names and values should be")
    return FrozenMapping(mapping)


def _corrupt(document: Any, why: str) -> CorruptStoreError:
    shown = repr(document)
    return CorruptStoreError(
        "a trial's document must be what the library has written; received "
        f"{shown if len(shown) <= 80 else shown[:79] + '…'} ({why}); restore it from a copy"
    )
