"""Stores in folders of their own, by name."""

import subprocess
import sys

import pytest

from hypernets.adapters.store import FolderCatalogue
from hypernets.domain.error import StoreError, StoreLockedError
from hypernets.domain.history import Trial, TrialState


def trial(number):
    return Trial(number, {}, f"1-{number}", TrialState.COMPLETED, objectives={"reward": 1.0})


def test_another_process_finds_what_was_created(tmp_path):
    with FolderCatalogue(tmp_path).create("a") as store:
        store.append(trial(1))
    program = (
        "import sys; from hypernets.adapters.store import FolderCatalogue\n"
        "catalogue = FolderCatalogue(sys.argv[1])\n"
        "print(catalogue.names(), len(catalogue.open('a').load()))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "['a'] 1\n"


@pytest.mark.parametrize("name", ["", ".a", "-a", "a/b", "../a", "a\n", "a" * 101, 1, None])
def test_a_name_that_is_no_name_of_a_folder_is_refused(tmp_path, name):
    catalogue = FolderCatalogue(tmp_path)
    for method in (catalogue.create, catalogue.open, catalogue.delete):
        with pytest.raises(StoreError, match=r"1 to 100 letters.*received.*choose another name"):
            method(name)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_written_is_not_deleted(tmp_path):
    catalogue = FolderCatalogue(tmp_path)
    with catalogue.create("a") as store:
        store.append(trial(1))
        with pytest.raises(StoreLockedError):
            catalogue.delete("a")
        store.append(trial(2))
    assert len(catalogue.open("a").load()) == 2


def test_what_a_deletion_has_left_behind_is_no_store(tmp_path):
    (tmp_path / ".discarded-0").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    assert FolderCatalogue(tmp_path).names() == []


def test_a_catalogue_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"catalogue must be a folder.*received.*another folder"):
        FolderCatalogue(tmp_path / "file" / "catalogue")
