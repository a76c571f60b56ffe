"""The histories in a database: several searches, who may write, what is refused."""

import sqlite3
import subprocess
import sys

import pytest

from hypernets.adapters.store.sql import SqlStore
from hypernets.adapters.store.sql.table import SCHEMA
from hypernets.application.port import SearchIdentity
from hypernets.domain.error import CorruptStoreError, StoreError, StoreLockedError
from hypernets.domain.history import Direction, Trial, TrialState


def trial(number, reward=0.5):
    return Trial(number, {"units": number}, f"1-{number}", TrialState.COMPLETED, {"loss": reward})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def filled(path, name="first", n=3):
    with SqlStore(path, name) as store:
        for number in range(1, n + 1):
            store.append(trial(number, reward=1 / number))


def execute(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_several_searches_stand_in_one_database_each_with_its_own_numbers(path):
    with SqlStore(path, "a") as a, SqlStore(path, "b") as b:
        a.bind(SearchIdentity(seed=1))
        b.bind(SearchIdentity(seed=2))
        for number in range(1, 4):
            a.append(trial(number))
            b.append(trial(number + 1))
        assert [t.number for t in a.load()] == [1, 2, 3]
        assert [t.number for t in b.load()] == [2, 3, 4]
        assert (a.identity.seed, b.identity.seed) == (1, 2)


def test_a_url_names_the_same_database_as_a_path(path):
    filled(path)
    with SqlStore(f"sqlite:///{path}", "first", "r") as store:
        assert len(store.load()) == 3


@pytest.mark.parametrize("url", ["postgresql://host/runs", ":memory:", "sqlite://", ""])
def test_what_is_no_file_is_refused(url):
    with pytest.raises(StoreError, match="a database must be a path or a URL"):
        SqlStore(url)


def test_a_mode_that_is_neither_is_refused(path):
    with pytest.raises(StoreError, match="mode must be 'a' to append or 'r' to read"):
        SqlStore(path, mode="w")


def test_a_second_writer_of_a_search_is_refused_and_told_who_writes(path):
    with SqlStore(path, "first"):
        with pytest.raises(StoreLockedError, match=r"one writer at a time.* process [0-9]+ on"):
            SqlStore(path, "first")
        SqlStore(path, "second").close()
    SqlStore(path, "first").close()


def test_a_store_that_is_let_go_lets_the_next_writer_in(path):
    store = SqlStore(path)
    del store
    SqlStore(path).close()


def test_readers_see_what_is_appended_while_they_read(path):
    with SqlStore(path) as writer, SqlStore(path, mode="r") as reader:
        for number in range(1, 4):
            writer.append(trial(number))
            assert len(reader.load()) == number


def test_a_reader_may_be_another_process(path):
    program = (
        "import sys; from hypernets.adapters.store.sql import SqlStore;"
        "print(len(SqlStore(sys.argv[1], mode='r').load()), 'tensorflow' in sys.modules)"
    )
    with SqlStore(path) as writer:
        writer.append(trial(1))
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True
        )
    assert done.stdout.split() == ["1", "False"]


def test_a_reader_writes_nothing(path):
    filled(path)
    with SqlStore(path, "first", "r") as store:
        for write in (lambda: store.append(trial(9)), lambda: store.bind(SearchIdentity())):
            with pytest.raises(StoreError, match="must be open for appending"):
                write()
        assert len(store.load()) == 3


def test_to_read_what_is_not_there_is_refused(path):
    with pytest.raises(StoreError, match="a store must exist to be read"):
        SqlStore(path, mode="r")
    assert not path.exists()
    filled(path, "a")
    with pytest.raises(StoreError, match="received 'b', where there are: 'a'"):
        SqlStore(path, "b", "r")


def test_a_closed_store_says_so(path):
    store = SqlStore(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="received append after close"):
        store.append(trial(1))
    assert "closed" in repr(store)


def test_the_best_is_that_of_the_direction(path):
    filled(path)
    with SqlStore(path, "first", "r", direction=Direction.MIN) as store:
        assert store.load().best.number == 3
    with SqlStore(path, "first") as store:
        store.bind(SearchIdentity(directions={"loss": "min"}))
    with SqlStore(path, "first", "r") as store:
        assert store.load().best.number == 3
        assert len(store.to_frame()) == 3


def test_it_is_exported_as_any_other(path, tmp_path):
    filled(path)
    with SqlStore(path, "first", "r") as store:
        assert len(store.export(tmp_path / "x.jsonl").read_text().splitlines()) == 3


def test_a_newer_schema_is_refused_with_the_difference(path):
    filled(path)
    execute(path, "UPDATE hypernets_schema SET version = version + 1, written_by = 'h 9'")
    for mode in ("a", "r"):
        with pytest.raises(StoreError, match=f"received {SCHEMA + 1}, written by h 9"):
            SqlStore(path, "first", mode)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE hypernets_trial SET document = replace(document, '1-2', '1-9') WHERE number = 2",
        "DELETE FROM hypernets_trial WHERE number = 2",
        "UPDATE hypernets_trial SET checksum = 0 WHERE number = 1",
        "DROP TABLE hypernets_trial",
    ],
)
def test_what_is_damaged_is_reported_and_nothing_is_changed(path, damage):
    filled(path)
    execute(path, damage)
    with (
        SqlStore(path, "first", "r") as store,
        pytest.raises(CorruptStoreError, match="restore the file"),
    ):
        store.load()


def test_a_file_that_is_no_database_is_reported(path):
    path.write_text("something else, " * 1_000)
    for mode in ("a", "r"):
        with pytest.raises(CorruptStoreError, match="not a database"):
            SqlStore(path, mode=mode)


def test_a_database_of_others_is_no_store_to_be_read_and_stays_beside_one(path):
    execute(path, "CREATE TABLE trial (x)")
    with pytest.raises(CorruptStoreError, match="hypernets_schema"):
        SqlStore(path, mode="r")
    filled(path)
    execute(path, "INSERT INTO trial VALUES (1)")


def test_a_commit_is_synced_and_waits_for_no_reader(path):
    with SqlStore(path) as store:
        pragmas = [store._connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in
                   ("journal_mode", "synchronous")]  # fmt: skip
    assert pragmas == ["wal", 2]
