"""What can be read of a database, however damaged it is."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from hypernets.adapters.store.sql.database import location_of
from hypernets.adapters.store.sql.fault import as_store_errors
from hypernets.adapters.store.sql.reader import entry_problem, trial_of
from hypernets.adapters.store.sql.table import SCHEMA, checksum_of, checksum_of_trial, metadata
from hypernets.domain.error import CorruptStoreError, StoreError

__all__ = ["Survey", "surveyed"]

_CHUNK = 4096
_FEWEST_BYTES = 100  # of a trial, with its two entries in indexes


@attrs.define
class Survey:
    """What is in a database.

    Attributes:
        searches: the rows of the searches, key first; as far as they are known.
        rows: key of a search → the rows of its trials that are intact, in order.
        problems: what is damaged or missing, one line each.
        notes: how many trials each search has.
        is_readable: whether anything could be read.
        is_sound: whether the database is one, and only what it holds may be damaged.
    """

    searches: list[dict[str, Any]] = attrs.field(factory=list)
    rows: dict[int, list[dict[str, Any]]] = attrs.field(factory=dict)
    problems: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    is_readable: bool = False
    is_sound: bool = False


def surveyed(path: Path) -> Survey:
    """Return what can be read of a database.

    Raises:
        StoreError: there is no such file, or its schema is newer than this release.
    """
    if not path.is_file():
        raise StoreError(
            f"{path}: a store must exist to be read; received a path where no file is; give the "
            "path of a database"
        )
    survey = Survey()
    try:
        with as_store_errors(str(path), "verify"), closing(_reading(path)) as connection:
            _survey(connection, survey, path)
    except CorruptStoreError as error:
        survey.problems.append(f"the file cannot be read as a database: {error.__cause__}")
    return survey


def _reading(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(location_of(path, writes=False), uri=True)
    connection.execute("PRAGMA trusted_schema=OFF")  # no code of the file is run
    connection.execute("PRAGMA cell_size_check=ON")
    connection.text_factory = _text
    return connection


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content  # is found damaged where it is looked at


def _survey(connection: sqlite3.Connection, survey: Survey, path: Path) -> None:
    connection.execute("BEGIN")  # one state of the database for all that follows
    names = {str(name) for (name,) in connection.execute(_TABLES)}
    missing = sorted(metadata.tables.keys() - names)
    survey.problems += [f"the table {name} is missing" for name in missing]
    survey.problems += _columns_missing(connection, names)
    survey.problems += [f"the database: {line}" for line in _integrity(connection)]
    survey.is_sound = not survey.problems
    if "hypernets_schema" in names:
        _require_schema(connection, survey, path)
    entries = [] if "hypernets_search" in missing else list(_rows(connection, "search", survey))
    found = [] if "hypernets_trial" in missing else list(_rows(connection, "trial", survey))
    survey.is_readable = bool(entries or found) or not survey.problems
    _take_searches(entries, survey)
    _take_trials(found, survey)
    names_of = {row["id"]: row["name"] for row in survey.searches}
    survey.notes += [
        f"search {names_of[key]!r}: {len(of)} trials" for key, of in survey.rows.items()
    ]


def _columns_missing(connection: sqlite3.Connection, names: Collection[str]) -> Iterator[str]:
    """Give the tables whose own definition is damaged, so that columns have other names."""
    for name, table in metadata.tables.items():
        if name in names:
            there = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            lost = sorted({column.name for column in table.columns} - there)
            if lost:
                yield f"the table {name} is without {', '.join(lost)}"


def _integrity(connection: sqlite3.Connection) -> Iterator[str]:
    try:
        for (line,) in connection.execute("PRAGMA integrity_check(10)"):
            if line != "ok":
                yield from str(line).splitlines()
    except sqlite3.Error as error:
        yield str(error)


def _require_schema(connection: sqlite3.Connection, survey: Survey, path: Path) -> None:
    try:
        found = connection.execute("SELECT version, written_by FROM hypernets_schema").fetchall()
    except sqlite3.Error as error:
        found = [(str(error), "")]
    version, written_by = found[0] if found else (None, "")
    if not isinstance(version, int) or version < 1:
        survey.problems.append(f"the schema must be a number; received {version}")
    elif version > SCHEMA:
        raise StoreError(
            f"{path}: the schema of a store must be at most {SCHEMA}, the newest that this release "
            f"reads; received {version}, written by {written_by}; update the library"
        )


# --- rows, as many as can be read ---------------------------------------------------


def _rows(connection: sqlite3.Connection, kind: str, survey: Survey) -> Iterator[dict[str, Any]]:
    """Give the rows of a table, past those that cannot be read."""
    table = f"hypernets_{kind}"
    columns = [column.name for column in metadata.tables[table].columns]
    select = (
        f"SELECT {', '.join(columns)} FROM {table} NOT INDEXED "  # noqa: S608 - no text of others
        "WHERE rowid BETWEEN ? AND ? ORDER BY rowid"
    )
    spans = [
        (begin, begin + _CHUNK - 1) for begin in range(1, _last_row(connection, table) + 1, _CHUNK)
    ]
    spans.reverse()
    lost: list[str] = []
    while spans:
        first, last = spans.pop()
        try:
            for row in connection.execute(select, (first, last)).fetchall():
                yield dict(zip(columns, row, strict=True))
        except sqlite3.Error as error:
            if first == last:
                lost.append(str(error))
            else:
                middle = (first + last) // 2
                spans += [(middle + 1, last), (first, middle)]
    if lost:
        survey.problems.append(f"{table}: rows that cannot be read ({lost[0]})")


def _last_row(connection: sqlite3.Connection, table: str) -> int:
    """Return the number of the last row, or one that it cannot exceed."""
    try:
        found = connection.execute(f"SELECT max(rowid) FROM {table} NOT INDEXED").fetchone()[0]  # noqa: S608 - no text of others
    except sqlite3.Error:
        found = None
    n_pages, size = (
        int(connection.execute(f"PRAGMA {p}").fetchone()[0]) for p in ("page_count", "page_size")
    )
    most = n_pages * size // _FEWEST_BYTES
    return min(found, most) if isinstance(found, int) else most


def _take_searches(entries: list[dict[str, Any]], survey: Survey) -> None:
    for row in entries:
        problem = entry_problem(_Row(row))
        taken = {known["name"] for known in survey.searches}
        if problem or row["name"] in taken:
            name = f"recovered-{row['id']}"
            survey.problems.append(
                f"search {row['id']}: {problem or 'a name twice'}: it is called {name!r}, and not "
                "known to belong to any search"
            )
            row = {
                "id": row["id"],
                "name": name,
                "identity": None,
                "checksum": checksum_of(name, ""),
            }
        survey.searches.append(row)
        survey.rows[row["id"]] = []


def _take_trials(found: list[dict[str, Any]], survey: Survey) -> None:
    numbers: set[tuple[int, int]] = set()
    places: dict[int, int] = {}
    placed = [_in_its_place(row, len(found), survey) for row in found]
    for row in sorted(placed, key=lambda row: (_order(row["search"]), _order(row["position"]))):
        key, trial = row["search"], trial_of(_Row(row))
        if not isinstance(key, int):
            trial = f"position {row['position']}: no search"
        elif not isinstance(trial, str) and (key, trial.number) in numbers:
            trial = f"position {row['position']}: number {trial.number} twice"
        if isinstance(trial, str):
            survey.problems.append(f"search {key}: {trial}: a trial is lost")
            continue
        if key not in survey.rows:
            _take_searches([_lost_search(key)], survey)
        places[key] = places.get(key, 0) + 1
        if row["position"] != places[key]:
            survey.problems.append(
                f"search {key}: position {row['position']} where {places[key]} should be"
            )
            places[key] = _order(row["position"])
        numbers.add((key, trial.number))
        survey.rows[key].append(row)


def _in_its_place(row: dict[str, Any], n_rows: int, survey: Survey) -> dict[str, Any]:
    """Return a row with the position that it was written with, where that alone is damaged."""
    document, search = row["document"], row["search"]
    if not isinstance(trial_of(_Row(row)), str) or not isinstance(document, str):
        return row
    whole = {**row, "checksum": checksum_of(document)}
    if isinstance(trial_of(_Row(whole)), str):
        return row  # more is damaged than that
    for position in range(1, 2 * n_rows + 1):
        if checksum_of_trial(document, position) == row["checksum"]:
            survey.problems.append(
                f"search {search}: position {row['position']} where {position} should be"
            )
            return {**row, "position": position}
    return row


def _lost_search(key: int) -> dict[str, Any]:
    return {"id": key, "name": None, "identity": None, "checksum": None}


def _order(value: Any) -> int:
    return value if isinstance(value, int) else 0


class _Row:
    """A row whose columns are attributes."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.__dict__.update(columns)


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
