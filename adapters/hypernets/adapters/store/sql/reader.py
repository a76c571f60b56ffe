"""What the tables hold, checked: used by stores, verification and repair."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import sqlalchemy as sql

from hypernets.adapters.store.sql.fault import HOW_TO_REPAIR
from hypernets.adapters.store.sql.table import (
    checksum_of,
    checksum_of_trial,
    searches,
    trial_row,
    trials,
)
from hypernets.application.port import SearchIdentity
from hypernets.domain.error import CorruptStoreError
from hypernets.domain.history import Trial
from hypernets.domain.history.document import trial_from_document

__all__ = ["Entry", "entry_of", "entry_problem", "names_in", "read_trials", "trial_of"]


@attrs.frozen
class Entry:
    """What a database says of one search.

    Attributes:
        id: its key.
        name: its name.
        identity: whose trials these are, if it is known.
    """

    id: int
    name: str
    identity: SearchIdentity | None


def names_in(connection: sql.Connection) -> list[str]:
    """Return the names of all searches, in alphabetical order."""
    found = connection.execute(sql.select(searches.c.name)).scalars()
    return sorted(name for name in found if isinstance(name, str))


def entry_of(connection: sql.Connection, name: str, where: str) -> Entry | None:
    """Return what a database says of a search; `None` where there is none of that name.

    Raises:
        CorruptStoreError: that is damaged.
    """
    row = connection.execute(sql.select(searches).where(searches.c.name == name)).first()
    if row is None:
        return None
    problem = entry_problem(row)
    if problem or row.name != name:
        raise CorruptStoreError(
            f"{where}: a search must be stored as it was written; received one whose "
            f"{problem or 'name is another'}; nothing has been changed: {HOW_TO_REPAIR}"
        )
    identity = None if row.identity is None else SearchIdentity.from_document(_parsed(row.identity))
    return Entry(row.id, row.name, identity)


def entry_problem(row: Any) -> str:
    """Return what is wrong with the row of a search; nothing where it is intact."""
    if not isinstance(row.name, str) or not isinstance(row.identity, str | None):
        return "name or identity is no text"
    if checksum_of(row.name, row.identity or "") != row.checksum:
        return "name or identity does not pass its checksum"
    return ""


def read_trials(connection: sql.Connection, entry: Entry, where: str) -> list[Trial]:
    """Return the trials of a search, in order.

    Raises:
        CorruptStoreError: something is damaged or missing.
    """
    query = sql.select(trials).where(trials.c.search == entry.id).order_by(trials.c.position)
    rows = connection.execute(query).all()
    counted = connection.execute(_COUNT, {"search": entry.id}).scalar()  # by another index
    found = list(_checked(rows, where))
    if counted != len(found):
        raise _damaged(where, f"{len(found)} trials where {counted} are known")
    return found


def _checked(rows: Sequence[Any], where: str) -> Iterator[Trial]:
    numbers: set[int] = set()
    for place, row in enumerate(rows, 1):
        trial = trial_of(row)
        if row.position != place:
            trial = f"position {row.position} where {place} should be"
        elif row.number in numbers:
            trial = f"number {row.number} twice"
        if isinstance(trial, str):
            raise _damaged(where, trial)
        numbers.add(row.number)
        yield trial


def trial_of(row: Any) -> Trial | str:
    """Return the trial of a row, or what is wrong with it."""
    where = f"position {row.position}"
    if not isinstance(row.document, str) or row.checksum not in (
        checksum_of_trial(row.document, row.position),
        checksum_of(row.document),  # of rows that were written before it covered the position
    ):
        return f"{where}: a document or a position that does not pass its checksum"
    try:
        trial = trial_from_document(_parsed(row.document))
    except (CorruptStoreError, AttributeError, TypeError) as error:
        return f"{where}: a document that is no trial ({error})"
    for name, told in trial_row(trial, row.document, row.position).items():
        shown = getattr(row, name)
        if name in _REPEATED and shown != told and not (shown is None and told != told):
            return f"{where}: {name} {shown!r} over the document of trial {trial.number}"
    return trial


_REPEATED = ("number", "state", "signature", "reward", "elapsed_s")
"""Columns that repeat what the document says; a reward that is no number is NULL there."""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptStoreError(
            f"a document must be JSON; received one that is not ({error}); {HOW_TO_REPAIR}"
        ) from error


def _damaged(where: str, received: str) -> CorruptStoreError:
    return CorruptStoreError(
        f"{where}: every trial must be stored as it was written, in order; received {received}; "
        f"nothing has been changed: {HOW_TO_REPAIR}"
    )


_COUNT = (
    sql.select(sql.func.count(trials.c.number))
    .where(trials.c.search == sql.bindparam("search"))
    .where(trials.c.number >= 0)  # makes the index of the numbers the one to use
)
