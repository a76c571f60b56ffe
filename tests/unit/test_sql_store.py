"""The histories in a database: several searches, who may write, what is refused."""

import sqlite3
import subprocess
import sys

import pytest

from hypernets.adapters.store.lock import WriterLock
from hypernets.adapters.store.sql import SqlCatalogue, SqlStore, compact, repair, verify
from hypernets.adapters.store.sql.database import lock_of
from hypernets.adapters.store.sql.table import SCHEMA
from hypernets.application.port import SearchIdentity
from hypernets.application.service import SearchService
from hypernets.domain.error import CorruptStoreError, StoreError, StoreLockedError
from hypernets.domain.history import Direction, Trial, TrialState
from hypernets.domain.space import HyperSpace, Int


def trial(number, reward=0.5):
    return Trial(number, {"units": number}, f"1-{number}", TrialState.COMPLETED, {"loss": reward})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def filled(path, name="first", n=3):
    with SqlStore(path, name) as store:
        store.bind(SearchIdentity(seed=7))
        for number in range(1, n + 1):
            store.append(trial(number, reward=1 / number))


def make_space():
    space = HyperSpace()
    with space.as_default():
        space.set_training(depth=Int(1, 99))
    return space


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
    with SqlStore(path, "second") as store:
        store.append(trial(1, 1.0))
        store.append(trial(2, 0.5))
        store.bind(SearchIdentity(directions={"loss": "min"}))
    with SqlStore(path, "second", "r") as store:
        assert store.load().best.number == 2
        assert len(store.to_frame()) == 2


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


def read_all(path):
    with SqlStore(path, "first", "r") as store:
        return list(store.load())


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE hypernets_search SET identity = replace(identity, '7', '8')",
        "UPDATE hypernets_trial SET document = replace(document, '1-2', '1-9') WHERE number = 2",
        "DELETE FROM hypernets_trial WHERE number = 2",
        "UPDATE hypernets_trial SET checksum = 0 WHERE number = 1",
    ],
)
def test_what_is_damaged_is_reported_and_nothing_is_changed(path, damage):
    filled(path)
    execute(path, damage)
    with pytest.raises(CorruptStoreError, match="restore the file"):
        read_all(path)


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
        connection = store._database._connection
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        ]
    assert pragmas == ["wal", 2]


def test_a_table_that_is_missing_is_reported_and_not_made_anew(path):
    filled(path)
    execute(path, "ALTER TABLE hypernets_search RENAME TO hypernets_seerch")
    for mode in ("a", "r"):
        with pytest.raises(CorruptStoreError, match="without hypernets_search"):
            SqlStore(path, "first", mode)


@pytest.mark.parametrize("name", ["", "a\n", "a" * 101, 1, None, "\ud800"])
def test_a_name_that_cannot_be_printed_is_refused(path, name):
    with pytest.raises(StoreError, match=r"1 to 100 characters.*received.*choose another name"):
        SqlStore(path, name)


def test_a_search_that_was_deleted_is_not_taken_for_another_of_its_name(path):
    filled(path)
    with SqlStore(path, "first", "r") as reader:
        with SqlStore(path, "first") as store:
            store.delete()
        with pytest.raises(StoreError, match="where there are: none"):
            reader.load()
        filled(path, n=1)
        with pytest.raises(StoreError, match="received 'first'"):
            reader.load()


def test_a_database_takes_the_place_of_nothing_that_others_keep_in_it(path):
    execute(path, "CREATE TABLE mine (x)")
    execute(path, "INSERT INTO mine VALUES (1)")
    filled(path)
    execute(path, "UPDATE hypernets_trial SET checksum = 0 WHERE number = 1")
    assert repair(path).n_trials == 2
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT x FROM mine").fetchall() == [(1,)]
    connection.close()


# --- the catalogue ----------------------------------------------------------------


def test_another_process_finds_what_was_created(path):
    with SqlCatalogue(path).create("a b") as store:
        store.append(trial(1))
    program = (
        "import sys; from hypernets.adapters.store.sql import SqlCatalogue\n"
        "catalogue = SqlCatalogue(sys.argv[1])\n"
        "print(catalogue.names(), len(catalogue.open('a b').load()))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "['a b'] 1\n"


def test_a_search_that_is_written_is_not_deleted(path):
    catalogue = SqlCatalogue(path)
    with catalogue.create("a") as store:
        store.append(trial(1))
        with pytest.raises(StoreLockedError):
            catalogue.delete("a")
        store.append(trial(2))
    catalogue.create("b").close()
    catalogue.delete("a")
    assert catalogue.names() == ["b"]
    locks = sorted(p.name for p in path.parent.glob("*-search-*.lock"))
    assert locks == ["runs.db-search-2.lock"]


def test_a_service_keeps_its_searches_in_a_database(path):
    with SearchService(SqlCatalogue(path)) as service:
        session = service.create("a", make_space, "random", lambda a: 1.0, seed=0)
        session.run(max_trials=2)
    with SearchService(SqlCatalogue(path)) as service:
        assert service.names() == ["a"]
        session = service.open("a", make_space, "random", lambda a: 1.0, seed=0)
        assert len(session.run(max_trials=4)) == 4


# --- verifying and repairing ------------------------------------------------------


def test_what_is_intact_is_left_alone(path):
    filled(path)
    filled(path, "second", 2)
    before = path.read_bytes()
    for report in (verify(path), repair(path), SqlStore(path, "first", "r").verify()):
        assert report.is_intact
        assert report.n_trials == 5
        assert report.notes == ("search 'first': 3 trials", "search 'second': 2 trials")
        assert report.set_aside is None
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "left", "problem"),
    [
        (
            "UPDATE hypernets_trial SET document = 'x' WHERE number = 2 AND search = 1",
            [1, 3],
            "checksum",
        ),
        (
            "UPDATE hypernets_trial SET number = 9 WHERE number = 2 AND search = 1",
            [1, 3],
            "number 9 over",
        ),
        (
            "DELETE FROM hypernets_trial WHERE number = 2 AND search = 1",
            [1, 3],
            "position 3 where 2 should",
        ),
        (
            "UPDATE hypernets_trial SET position = 9 WHERE number = 2 AND search = 1",
            [1, 2, 3],
            "position 9 where 2 should",
        ),
        (
            "UPDATE hypernets_trial SET reward = 0.7 WHERE number = 2 AND search = 1",
            [1, 3],
            "reward 0.7 over the document",
        ),
        ("UPDATE hypernets_search SET name = 'f' WHERE id = 1", None, "name or identity"),
        ("DELETE FROM hypernets_search WHERE id = 1", None, "search 1"),
    ],
)
def test_a_repair_keeps_what_is_intact_and_the_file_as_it_was(path, damage, left, problem):
    filled(path)
    filled(path, "second", 2)
    execute(path, damage)
    found = verify(path)
    assert not found.is_intact
    assert any(problem in line for line in found.problems), found
    report = repair(path)
    assert report.problems == found.problems
    assert verify(report.set_aside).problems == found.problems
    assert verify(path).is_intact
    name, numbers = ("first", left) if left else ("recovered-1", [1, 2, 3])
    with SqlStore(path, name) as store:
        assert [t.number for t in store.load()] == numbers
        store.append(trial(10))
    with SqlStore(path, "second", "r") as store:
        assert [t.number for t in store.load()] == [1, 2]


def test_a_table_whose_definition_is_damaged_is_made_anew(path):
    filled(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'reward', 'rewbrd')")
    connection.commit()
    connection.close()
    assert any("is without reward" in line for line in verify(path).problems)
    with pytest.raises(CorruptStoreError, match="no such column"):
        read_all(path)
    repair(path)
    assert verify(path).is_intact
    SqlStore(path, "first").close()


def test_a_repair_waits_for_no_writer_and_lets_none_in(path):
    filled(path)
    with (
        SqlStore(path, "first"),
        pytest.raises(StoreLockedError, match=r"process [0-9]+ on"),
    ):
        repair(path)
    lock = WriterLock(lock_of(path))
    with pytest.raises(StoreLockedError, match=r"process [0-9]+ on"):
        SqlStore(path, "first")
    lock.close()
    SqlStore(path, "first").close()


def test_what_is_no_database_cannot_be_repaired_and_stays(path):
    path.write_text("something else, " * 1_000)
    with pytest.raises(CorruptStoreError, match=r"nothing has been changed: restore the file"):
        repair(path)
    assert path.read_text().startswith("something else")
    assert not verify(path).is_intact
    for act in (verify, repair):
        with pytest.raises(StoreError, match="no file is"):
            act(path.parent / "none.db")


def test_a_newer_schema_is_neither_verified_nor_repaired(path):
    filled(path)
    execute(path, "UPDATE hypernets_schema SET version = version + 1, written_by = 'h 9'")
    for act in (verify, repair, compact):
        with pytest.raises(StoreError, match=f"received {SCHEMA + 1}, written by h 9"):
            act(path)


def test_compacting_gives_back_the_room_of_what_was_deleted(path):
    filled(path, "first", 300)
    filled(path, "second", 2)
    SqlCatalogue(path).delete("first")
    size = path.stat().st_size
    compact(path)
    assert path.stat().st_size < size / 2
    with SqlStore(path, "second", "r") as store:
        assert len(store.load()) == 2
    execute(path, "UPDATE hypernets_trial SET checksum = 0 WHERE number = 1")
    with pytest.raises(CorruptStoreError, match="repair the database first"):
        compact(path)
