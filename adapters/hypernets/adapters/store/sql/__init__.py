"""Histories of many searches in one SQLite database, by way of SQLAlchemy (extra `sql`).

store      what a search uses: `SqlStore`
catalogue  what a service uses: `SqlCatalogue`
repair     verifying, repairing and compacting
survey     what can be read of a database, however damaged it is
reader     what the tables hold, checked
database   a database that is open: durable, one writer a search, readers at any time
table      the tables
fault      what the database says, as the errors of this library
"""

from hypernets.adapters.store.sql.catalogue import SqlCatalogue, names
from hypernets.adapters.store.sql.repair import compact, repair, verify
from hypernets.adapters.store.sql.store import SqlStore

__all__ = ["SqlCatalogue", "SqlStore", "compact", "names", "repair", "verify"]
