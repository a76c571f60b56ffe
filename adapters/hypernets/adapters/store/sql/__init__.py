"""Histories of many searches in one SQLite database, by way of SQLAlchemy (extra `sql`).

store      what a search uses: `SqlStore`
database   the connection: durable, one writer a search, readers at any time
table      the tables
fault      what the database says, as the errors of this library
"""

from hypernets.adapters.store.sql.store import SqlStore

__all__ = ["SqlStore"]
