"""Looking after histories from a terminal, whatever they are kept in."""

import csv
import sys

import pytest

from hypernets.adapters.store import FolderCatalogue
from hypernets.adapters.store.__main__ import main
from hypernets.adapters.store.sql import SqlCatalogue
from hypernets.domain.history import Failure, Trial, TrialState

TRIALS = [
    Trial(1, {"units": 8}, "s1", TrialState.COMPLETED, {"accuracy": 0.5}),
    Trial(
        2,
        {"units": 9},
        "s2",
        TrialState.FAILED,
        labels={"units": "dense.units"},
        failure=Failure("BuildError", "too deep", "Traceback: here"),
    ),
]


@pytest.fixture(params=["folder", "database", "url"])
def place(request, tmp_path):
    """A place that holds two searches, as it is written in a terminal."""
    path = tmp_path / "runs"
    catalogue = FolderCatalogue(path) if request.param == "folder" else SqlCatalogue(path)
    for name, trials in (("first", TRIALS), ("second", TRIALS[:1])):
        with catalogue.create(name) as store:
            for trial in trials:
                store.append(trial)
    return f"sqlite:///{path}" if request.param == "url" else str(path)


def test_the_searches_of_a_place_are_listed(place, capsys):
    assert main(["list", place]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "first: 2 trials, the best is 1, {'accuracy': 0.5}",
        "second: 1 trials, the best is 1, {'accuracy': 0.5}",
    ]


def test_one_of_several_is_shown_verified_and_compacted(place, capsys):
    for action in ("show", "verify", "repair", "compact"):
        assert main([action, place, "--search", "first"]) == 0
    shown = capsys.readouterr().out
    assert "best: trial 1, {'accuracy': 0.5}" in shown
    assert "intact" in shown


def test_which_one_is_meant_must_be_clear(place, capsys):
    assert main(["show", place]) == 1
    assert "there are: 'first', 'second'; name one with --search" in capsys.readouterr().err
    assert main(["show", place, "--search", "third"]) == 1
    assert "third" in capsys.readouterr().err


def test_the_only_one_needs_no_name(tmp_path, capsys):
    for catalogue in (FolderCatalogue(tmp_path / "folder"), SqlCatalogue(tmp_path / "runs.db")):
        with catalogue.create("only") as store:
            store.append(TRIALS[0])
    for name in ("folder", "runs.db"):
        for action in ("show", "verify"):
            assert main([action, str(tmp_path / name)]) == 0
    assert "1 trials" in capsys.readouterr().out


def test_a_failed_trial_says_why(place, capsys, tmp_path):
    assert main(["trial", place, "2", "--search", "first"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "trial 2: failed, 0.0 s"
    assert "  dense.units = 9" in lines
    assert lines[-2:] == ["  BuildError: too deep", "Traceback: here"]
    assert main(["trial", place, "3", "--search", "first"]) == 1
    assert "received number 3" in capsys.readouterr().err


def test_the_log_of_a_trial_is_named_where_there_is_one(tmp_path, capsys):
    with FolderCatalogue(tmp_path).create("first") as store:
        store.append(TRIALS[0])
    (tmp_path / "first" / "logs").mkdir()
    log = tmp_path / "first" / "logs" / "trial-1.log"
    log.write_text("epoch 1")
    assert main(["trial", str(tmp_path / "first"), "1"]) == 0
    assert f"  its log: {log}" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_history_is_exported(place, tmp_path, form):
    path = tmp_path / f"x.{form}"
    assert main(["export", place, str(path), "--search", "first", "--format", form]) == 0
    with path.open() as file:
        assert len(list(csv.reader(file))) == (3 if form == "csv" else 2)


def test_a_damaged_search_is_listed_as_such_and_the_others_all_the_same(tmp_path, capsys):
    for name in ("a", "b"):
        with FolderCatalogue(tmp_path).create(name) as store:
            store.append(TRIALS[0])
    (path,) = (tmp_path / "a").glob("*.h5")
    path.write_bytes(path.read_bytes()[:100])
    assert main(["list", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a: cannot be read: ")
    assert lines[1].startswith("b: 1 trials")


@pytest.mark.parametrize("name", ["none", "none.db"])
def test_a_place_that_is_not_there_is_an_error(tmp_path, capsys, name):
    for action in ("list", "show", "verify"):
        assert main([action, str(tmp_path / name)]) == 1
        assert str(tmp_path / name) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_its_extra_a_database_says_what_to_install(tmp_path, capsys, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("hypernets.adapters.store.sql")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delattr("hypernets.adapters.store.sql", raising=False)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert main(["show", str(tmp_path / "runs.db")]) == 1
    assert "pip install 'hypernets[sql]'" in capsys.readouterr().err
