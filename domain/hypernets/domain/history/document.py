"""A trial as a document of JSON values, and back: the same in every store.

What a field has by default is left out, so a document is short. A plain value stands for itself; a
value that JSON would change or refuse stands in an object of one name that begins with `$`:

    {"$float": "nan"}            a float that is not finite ("inf", "-inf")
    {"$tuple": [3, 3]}           a tuple
    {"$bytes": "00ff"}           bytes, in hexadecimal digits
    {"$mapping": [[0, 1.5]]}     a mapping with names that are no strings, or begin with `$`
    {"$described": "…"}          anything else, such as a function: a text that tells it from others

Reading executes nothing, and gives a trial that equals the one that was written; of what was only
described, the text (see `Described`). NumPy's numbers become Python's, arrays become lists.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from hypernets.domain.error import CorruptStoreError, StoreError
from hypernets.domain.history.described import Described, describe
from hypernets.domain.history.frozen_mapping import FrozenMapping
from hypernets.domain.history.trial import Failure, Report, Trial, TrialState

__all__ = ["VERSION", "trial_from_document", "trial_to_document"]

VERSION = 1
"""The version that is written, and the newest that is read."""

_PLAIN = frozenset({str, int, bool, type(None)})
_EMPTY: Mapping[str, Any] = FrozenMapping()
_STATES = {state.value: state for state in TrialState}
_ALWAYS = ("number", "signature", "state")
_SHAPED = ("curve", "pending", "failure")  # have a form of their own


def _optional_fields() -> dict[str, Any]:
    """Return name → default of every other field of a trial."""
    left_out = {*_ALWAYS, *_SHAPED, "architecture"}
    fields = [field for field in attrs.fields(Trial) if field.name not in left_out]
    is_mapping = {field.name: field.converter is not None for field in fields}
    return {f.name: _EMPTY if is_mapping[f.name] else f.default for f in fields}


_OPTIONAL = _optional_fields()
_MAPPINGS = tuple(name for name, default in _OPTIONAL.items() if default is _EMPTY)
_NO_MAPPINGS = dict.fromkeys(_MAPPINGS, _EMPTY)
_NAMES = frozenset({"version", *_ALWAYS, *_SHAPED, *_OPTIONAL})


# --- writing ----------------------------------------------------------------


def trial_to_document(trial: Trial) -> dict[str, Any]:
    """Return every fact of a trial but its architecture, as values that JSON can carry.

    Raises:
        StoreError: the trial holds a value that cannot even be described, or holds itself.

    Example:
        >>> trial_to_document(Trial(1, {"size": (3, 3)}, "1-ab", TrialState.PRUNED))["decisions"]
        {'size': {'$tuple': [3, 3]}}
    """
    try:
        return _document(trial)
    except (_IndescribableError, RecursionError) as error:
        raise StoreError(
            "a trial must be made of values that can be written down; received "
            f"{error} in trial {trial.number}; give plain values in details, and options in the "
            "space that pickle can take apart"
        ) from error


def _document(trial: Trial) -> dict[str, Any]:
    document: dict[str, Any] = {
        "version": VERSION,
        "number": trial.number,
        "signature": trial.signature,
        "state": trial.state.value,
    }
    for name, default in _OPTIONAL.items():
        value = getattr(trial, name)
        if value != default:
            document[name] = _written(value)
    if trial.curve:
        document["curve"] = [[report.step, _written(report.values)] for report in trial.curve]
    if trial.pending:
        document["pending"] = [list(asked) for asked in trial.pending]
    if trial.failure is not None:
        failure = trial.failure
        document["failure"] = [failure.kind, failure.message, failure.traceback]
    return document


class _IndescribableError(Exception):
    pass


def _written(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        number = float.__float__(value)
        return number if math.isfinite(number) else {"$float": repr(number)}
    if isinstance(value, Mapping):
        if all(isinstance(name, str) and not name.startswith("$") for name in value):
            return {str(name): _written(item) for name, item in value.items()}
        return {"$mapping": [[_written(name), _written(item)] for name, item in value.items()]}
    if isinstance(value, list):
        return [_written(item) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [_written(item) for item in value]}
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if hasattr(value, "tolist") and hasattr(value, "dtype") and not value.dtype.hasobject:
        return _written(value.tolist())
    described = describe(value)
    if described is None:
        raise _IndescribableError(f"{value!r} of type {type(value).__name__}")
    return {"$described": described.text}


# --- reading ----------------------------------------------------------------


def trial_from_document(document: Mapping[str, Any]) -> Trial:
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
            facts[name] = _read(value)
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
    mapping = _read(value)
    if not isinstance(mapping, dict):
        raise ValueError(f"{mapping!r} where names and values should be")
    return FrozenMapping(mapping)


def _read(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN or kind is float:
        return value
    if kind is list:
        return [_read(item) for item in value]
    if len(value) == 1:
        ((name, content),) = value.items()
        if name.startswith("$"):
            return _TAGGED[name](content)
    return {name: _read(item) for name, item in value.items()}


def _read_tuple(items: Any) -> tuple[Any, ...]:
    return tuple(_read(item) for item in items)


def _read_mapping(pairs: Any) -> dict[Any, Any]:
    return {_read(name): _read(item) for name, item in pairs}


_TAGGED: Mapping[str, Callable[[Any], Any]] = {
    "$float": float,
    "$tuple": _read_tuple,
    "$bytes": bytes.fromhex,
    "$mapping": _read_mapping,
    "$described": Described,
}


def _corrupt(document: Any, why: str) -> CorruptStoreError:
    shown = repr(document)
    return CorruptStoreError(
        "a trial's document must be what the library has written; received "
        f"{shown if len(shown) <= 80 else shown[:79] + '…'} ({why}); restore it from a copy"
    )
