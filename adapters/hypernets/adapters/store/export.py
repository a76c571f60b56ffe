"""Writing a history to a file that other programs read."""

import csv
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from hypernets.domain.error import StoreError
from hypernets.domain.history import History
from hypernets.domain.history.document import trial_to_document

__all__ = ["export"]


def export(history: History, path: str | os.PathLike[str], format: str = "jsonl") -> Path:  # noqa: A002 - what pandas and others call it
    """Write a history to a file, in the order of its trials, and return the path.

    Args:
        history: what to write.
        path: of the file; one that is there is replaced, at once, when the new one is whole.
        format: `"jsonl"`: the whole of a trial, one JSON document a line (see
            `hypernets.domain.history.document`). `"csv"`: the columns of `History.to_rows`.

    Raises:
        StoreError: there is no such format, or the file cannot be written.
    """
    write = _FORMATS.get(format)
    target = Path(path)
    if write is None:
        raise StoreError(
            f"format must be one of {', '.join(map(repr, _FORMATS))}; received {format!r}; "
            "write format='csv', say, or use to_frame for what pandas can write"
        )
    temporary = target.with_name(f"{target.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            write(history, file)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(
            f"export: the file must be one that can be written; received {target} "
            f"({error.strerror or error}); give another path"
        ) from error
    return target


def _write_jsonl(history: History, file: IO[str]) -> None:
    for trial in history:
        file.write(json.dumps(trial_to_document(trial), allow_nan=False) + "\n")


def _write_csv(history: History, file: IO[str]) -> None:
    rows = history.to_rows()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    return json.dumps(value, default=repr) if isinstance(value, (list, tuple, dict)) else value


_FORMATS: Mapping[str, Callable[[History, IO[str]], None]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
