"""Temporary folders, of processes that end and of processes that are killed."""

import signal
import subprocess
import sys
import tempfile

import pytest

from hypernets.adapters.keras.temporary_folder import TemporaryFolder

HOLD = """
import sys, tempfile
from hypernets.adapters.keras.temporary_folder import TemporaryFolder
tempfile.tempdir = sys.argv[1]
folder = TemporaryFolder("hypernets-models-")
print(folder.path.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_goes_with_its_object(temporary):
    folder = TemporaryFolder("hypernets-models-")
    assert names(temporary) == [folder.path.name]
    del folder
    assert names(temporary) == []


def test_what_a_killed_process_left_goes_with_the_next_folder_and_nothing_else_does(temporary):
    (temporary / "hypernets-models-of-someone").mkdir()  # without a lock: not known to be ours
    command = [sys.executable, "-c", HOLD, str(temporary)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        left = holder.stdout.readline().decode().strip()
        first = TemporaryFolder("hypernets-models-")
        assert left in names(temporary)  # it lives
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert left in names(temporary)
    second = TemporaryFolder("hypernets-models-")
    expected = {first.path.name, second.path.name, "hypernets-models-of-someone"}
    assert set(names(temporary)) == expected
