"""The tables of a database of searches. Their names begin with `hypernets_`: others may stand by.

A trial is its document (see `hypernets.domain.history.document`), under a checksum; the other
columns repeat what one wants to sort and plot by. `hypernets_schema` has the same two columns in
every schema.
"""

import zlib
from typing import Any

import sqlalchemy as sql

from hypernets.domain.history import Trial

__all__ = [
    "SCHEMA",
    "checksum_of",
    "checksum_of_trial",
    "metadata",
    "schemas",
    "searches",
    "trial_row",
    "trials",
]

SCHEMA = 1
"""The schema that is written, and the newest that is read."""

metadata = sql.MetaData()

schemas = sql.Table(
    "hypernets_schema",
    metadata,
    sql.Column("version", sql.Integer, primary_key=True),
    sql.Column("written_by", sql.Text, nullable=False),
)

searches = sql.Table(
    "hypernets_search",
    metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("name", sql.Text, nullable=False, unique=True),
    sql.Column("identity", sql.Text),
    sql.Column("checksum", sql.Integer, nullable=False),  # of the name and the identity
    sqlite_autoincrement=True,  # the key of a search that was deleted is not given again
)

trials = sql.Table(
    "hypernets_trial",
    metadata,
    sql.Column("search", sql.ForeignKey(searches.c.id), primary_key=True),
    sql.Column("position", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("number", sql.Integer, nullable=False),
    sql.Column("state", sql.Text, nullable=False),
    sql.Column("signature", sql.Text, nullable=False),
    sql.Column("reward", sql.Float),
    sql.Column("elapsed_s", sql.Float, nullable=False),
    sql.Column("document", sql.Text, nullable=False),
    sql.Column("checksum", sql.Integer, nullable=False),  # of the document and the position
    sql.UniqueConstraint("search", "number"),
)


def checksum_of(*texts: str) -> int:
    """Return the checksum under which texts are stored."""
    return zlib.crc32("\0".join(texts).encode("utf-8"))


def checksum_of_trial(document: str, position: int) -> int:
    """Return the checksum under which a trial is stored at a position."""
    return checksum_of(document, str(position))


def trial_row(trial: Trial, document: str, position: int) -> dict[str, Any]:
    """Return the columns of a trial, but for the search that it belongs to."""
    return {
        "position": position,
        "number": trial.number,
        "state": trial.state.value,
        "signature": trial.signature.encode("ascii", "backslashreplace").decode(),
        "reward": trial.reward,
        "elapsed_s": trial.elapsed_s,
        "document": document,
        "checksum": checksum_of_trial(document, position),
    }
