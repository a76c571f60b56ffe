"""JSON: an architecture as a text that a person can read, write and keep.

A document names its format, the version of that, the fingerprint of the space and the decisions,
by name of the hyperparameter. Beside the value of each stands its label, for the reader:

    {
      "format": "hypernets.architecture",
      "version": 1,
      "space": "1-0f6c…",
      "decisions": {
        "units": {"value": 64, "label": "dense.units"},
        "act": {"number": 1, "shown": "<function relu at …>", "label": "dense.activation"}
      }
    }

A value that JSON cannot carry there and back, such as a function, is given by its number among the
values of the hyperparameter, from 0. Reading needs the space and no other code.
"""

import json
from collections.abc import Mapping
from typing import Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["FORMAT", "VERSION", "from_json", "to_json"]

FORMAT = "hypernets.architecture"
"""What a document says it is."""

VERSION = 1
"""The version that is written, and the newest that is read."""


# --- writing ----------------------------------------------------------------


def to_json(architecture: Architecture) -> str:
    """Return an architecture as JSON, one decision a line."""
    frozen = architecture.frozen
    lines = []
    for rank in frozen.label_order:
        decision, value = frozen.decisions[rank], architecture.values[rank]
        if value is not UNDECIDED:
            entry = _written(decision, value) | {"label": decision.label}
            lines.append(f"    {_dumped(decision.name)}: {_dumped(entry)}")
    decisions = "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"
    return (
        "{\n"
        f'  "format": {json.dumps(FORMAT)},\n'
        f'  "version": {VERSION},\n'
        f'  "space": {json.dumps(frozen.space.fingerprint)},\n'
        f'  "decisions": {decisions}\n'
        "}\n"
    )


def _dumped(value: Any) -> str:
    """Return JSON in plain letters, escaped only where a file in UTF-8 could not hold it."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(value)
    return text


def _written(decision: Decision, value: Any) -> dict[str, Any]:
    if _survives(decision, value):
        return {"value": value}
    shown = repr(value)
    return {
        "number": decision.index_of(value),
        "shown": shown if len(shown) <= 80 else f"{shown[:79]}…",
    }


def _survives(decision: Decision, value: Any) -> bool:
    """Say whether JSON carries a value there and back, to the very same option."""
    try:
        back = json.loads(json.dumps(value, allow_nan=False))
        if decision.is_finite:
            return decision.index_of(back) == decision.index_of(value)
        return bool(decision.normalise(back) == value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False


# --- reading ----------------------------------------------------------------


def from_json(space: HyperSpace, text: str) -> Architecture:
    """Return the architecture of a document.

    Args:
        space: the space that it is of.
        text: what `to_json` has written, perhaps edited.

    Raises:
        SpaceError: the text is no such document, or of a newer version, or of another space; or a
            decision is missing, unknown, inactive, or has no such value.
    """
    document = _parsed(text)
    _check_version(document)
    _check_space(document, space)
    entries = document.get("decisions")
    if not isinstance(entries, dict):
        raise SpaceError(
            f'"decisions" must be an object of hyperparameter names; received {entries!r}; '
            "restore the document"
        )
    used: set[str] = set()

    def choose(decision: Decision) -> Any:
        if decision.name not in entries:
            raise SpaceError(
                f'"decisions" must hold every active hyperparameter; received none for '
                f"{decision.name!r} ({decision.label}); add one of {decision.describe()}"
            )
        used.add(decision.name)
        return _read(decision, entries[decision.name])

    architecture = space.decide(choose)
    _check_surplus(space, [name for name in entries if name not in used])
    return architecture


def _parsed(text: Any) -> Mapping[str, Any]:
    if not isinstance(text, str):
        raise SpaceError(
            f"an architecture must be read from text; received {type(text).__name__}; give the "
            "text itself, path.read_text() say"
        )
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except SpaceError:
        raise
    except (ValueError, RecursionError) as error:
        raise SpaceError(
            f"an architecture must be given as JSON; received {_short(text)} ({error}); give what "
            "to_json has written"
        ) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SpaceError(
            f'the document of an architecture must be an object with "format": "{FORMAT}"; '
            f"received {_short(text)}; give what to_json has written"
        )
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise SpaceError(
            f"a name must stand once in an object; received {twice!r} twice; leave one out"
        )
    return found


def _no_constant(name: str) -> Any:
    raise SpaceError(f"a number in JSON must be finite; received {name}; give a number")


def _check_version(document: Mapping[str, Any]) -> None:
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise SpaceError(
            f'"version" must be an integer >= 1; received {version!r}; give what to_json has '
            "written"
        )
    if version > VERSION:
        raise SpaceError(
            f'"version" must be at most {VERSION}; received {version}, from a newer release; '
            "update the library to read it"
        )


def _check_space(document: Mapping[str, Any], space: HyperSpace) -> None:
    if document.get("space") != space.fingerprint:
        raise SpaceError(
            f'"space" must be the fingerprint of the space given, {space.fingerprint!r}; received '
            f"{document.get('space')!r}, another space; give the space that it was written from, "
            "or set the fingerprint if you know that the decisions mean the same"
        )


def _check_surplus(space: HyperSpace, surplus: list[str]) -> None:
    known = {decision.name for decision in space.decisions}
    unknown = [name for name in surplus if name not in known]
    if surplus:
        what = "which no decision has" if unknown else "which this architecture does not need"
        raise SpaceError(
            f'"decisions" must hold the active hyperparameters only; received '
            f"{(unknown or surplus)[0]!r}, {what}; leave it out"
        )


def _read(decision: Decision, entry: Any) -> Any:
    if not isinstance(entry, dict) or ("value" in entry) == ("number" in entry):
        raise SpaceError(
            f'a decision must be an object with either "value" or "number"; received '
            f'{_short(repr(entry))} for {decision.name!r} ({decision.label}); write {{"value": …}}'
        )
    if "value" in entry:
        try:
            return decision.normalise(entry["value"])
        except (OverflowError, TypeError) as error:
            raise SpaceError(
                f"a value of {decision.label!r} must be one of {decision.describe()}; received "
                f"{_short(repr(entry['value']))} ({error}); choose one of these"
            ) from error
    number = entry["number"]
    if not decision.is_finite or type(number) is not int or not 0 <= number < decision.size:
        most = (
            f"from 0 to {int(decision.size) - 1}" if decision.is_finite else "left to finite ones"
        )
        raise SpaceError(
            f'"number" must be an integer {most}; received {number!r} for {decision.name!r} '
            f'({decision.label}); give a number of {decision.describe()}, or a "value"'
        )
    return decision.value_at(number)


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 60 else f"{text[:59]}…"
