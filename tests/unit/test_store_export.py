"""Writing a history to a file, and looking after a store from a terminal."""

import csv
import json

import pytest

from hypernets.adapters.store import Hdf5Store
from hypernets.adapters.store.__main__ import main
from hypernets.domain.error import StoreError
from hypernets.domain.history import Trial, TrialState
from hypernets.domain.history.document import trial_from_document

TRIALS = [
    Trial(1, {"size": (3, 3), "n": 1}, "s", TrialState.COMPLETED, {"accuracy": 0.5}),
    Trial(2, {"n": 2}, "", TrialState.FAILED),
]


@pytest.fixture
def folder(tmp_path):
    with Hdf5Store(tmp_path / "store") as store:
        for trial in TRIALS:
            store.append(trial)
    return tmp_path / "store"


def test_json_lines_hold_everything(folder, tmp_path):
    with Hdf5Store(folder, "r") as store:
        path = store.export(tmp_path / "x.jsonl")
    lines = path.read_text().splitlines()
    assert [trial_from_document(json.loads(line)) for line in lines] == TRIALS


def test_csv_has_a_column_for_each_fact(folder, tmp_path):
    with Hdf5Store(folder, "r") as store, store.export(tmp_path / "x.csv", "csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == ["1", "2"]
    assert rows[0]["accuracy"] == "0.5"
    assert rows[0]["size"] == "[3, 3]"
    assert rows[1]["accuracy"] == ""


def test_a_format_or_a_path_that_is_none_is_refused(folder, tmp_path):
    with Hdf5Store(folder, "r") as store:
        with pytest.raises(StoreError, match="format must be one of 'jsonl', 'csv'"):
            store.export(tmp_path / "x", "xls")
        with pytest.raises(StoreError, match="the file must be one that can be written"):
            store.export(tmp_path / "no" / "x")


def test_a_store_is_looked_after_from_a_terminal(folder, tmp_path, capsys):
    assert main(["show", str(folder)]) == 0
    assert main(["verify", str(folder)]) == 0
    assert main(["export", str(folder), str(tmp_path / "x.csv"), "--format", "csv"]) == 0
    assert main(["compact", str(folder)]) == 0
    assert "2 trials, intact" in capsys.readouterr().out
    assert main(["show", str(tmp_path / "none")]) == 1
    assert "must be a folder" in capsys.readouterr().err


def test_a_damaged_store_is_repaired_from_a_terminal(folder, capsys):
    (path,) = folder.glob("*.h5")
    content = bytearray(path.read_bytes())
    content[content.index(b'"number":1') + 3] ^= 1
    path.write_bytes(content)
    assert main(["verify", str(folder)]) == 1
    assert main(["show", str(folder)]) == 1
    assert main(["repair", str(folder)]) == 0
    assert main(["verify", str(folder)]) == 0
    assert "the damaged files are kept in" in capsys.readouterr().out
    with Hdf5Store(folder, "r") as store:
        assert list(store.load()) == TRIALS[1:]
