"""The history in HDF5 files: what they look like, how they grow, who may write."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import attrs
import h5py
import numpy as np
import pytest

from hypernets.adapters.store.hdf5 import Hdf5Store
from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.adapters.store.hdf5.header import SCHEMA
from hypernets.application.port import SearchIdentity
from hypernets.domain.error import (
    CorruptStoreError,
    DuplicateTrialError,
    StoreError,
    StoreLockedError,
)
from hypernets.domain.history import Direction, Report, Trial, TrialState


def trial(number, **facts):
    facts = {"objectives": {"accuracy": number / 1000, "loss": 1.0}, "elapsed_s": 2.5, **facts}
    return Trial(number, {"units": number}, f"1-{number:032x}", TrialState.COMPLETED, **facts)


class QuickDisk(SystemDisk):
    """For tests that make many trials, and are not about power cuts."""

    def sync(self, descriptor):
        pass


def fill(folder, numbers, **facts):
    with Hdf5Store(folder, disk=QuickDisk()) as store:
        for number in numbers:
            store.append(trial(number, **facts))


def numbers(folder):
    with Hdf5Store(folder, "r") as store:
        return [t.number for t in store.load()]


def files(folder):
    return sorted(path.name for path in folder.glob("*.h5"))


# --- what the files look like ---------------------------------------------------


def test_anyone_can_plot_the_columns_with_plain_h5py(tmp_path):
    with Hdf5Store(tmp_path) as store:
        store.append(trial(1, seed=5, replicate=1, parent=None, asked_after=0))
        store.append(trial(3, answered_by=1, parent=1, asked_after=1))
        store.append(Trial(2, {}, "", TrialState.OUT_OF_MEMORY))
        with h5py.File(tmp_path / files(tmp_path)[0]) as file:  # while the writer is at work
            rows = file["trials"][:3]
            documents = file["documents"][:]
            assert not file["trials"][3:].view("u1").any()
    assert rows["number"].tolist() == [1, 3, 2]
    assert rows["state"].tolist() == [b"completed", b"completed", b"out_of_memory"]
    np.testing.assert_array_equal(rows["accuracy"], [0.001, 0.003, np.nan])
    np.testing.assert_array_equal(rows["loss"], [1, 1, np.nan])
    np.testing.assert_array_equal(rows["reward"], [0.001, 0.003, np.nan])
    assert rows["elapsed_s"].tolist() == [2.5, 2.5, 0.0]
    assert rows["seed"].tolist() == [5, -1, -1]
    assert rows["replicate"].tolist() == [1, 0, 0]
    assert rows["answered_by"].tolist() == [0, 1, 0]
    assert rows["parent"].tolist() == [0, 1, 0]
    assert rows["asked_after"].tolist() == [0, 1, 0]
    assert rows["signature"][0].decode() == trial(1).signature
    begin, length = rows["document_offset"][1], rows["document_length"][1]
    document = json.loads(documents[begin : begin + length].tobytes())
    assert document["decisions"] == {"units": 3}


def test_attributes_say_whose_trials_these_are_and_what_wrote_them(tmp_path):
    with Hdf5Store(tmp_path) as store:
        store.bind(SearchIdentity(space="1-abc", decisions=("units: 1, 2",), seed=2**40))
        store.append(trial(1))
        with h5py.File(tmp_path / files(tmp_path)[0]) as file:
            assert file.attrs["schema"] == SCHEMA
            assert file.attrs["space"] == "1-abc"
            assert file.attrs["seed"] == str(2**40)
            assert json.loads(file.attrs["objectives"]) == ["accuracy", "loss"]
            assert json.loads(file.attrs["versions"])["h5py"] == h5py.__version__
            identity = json.loads(file["identity"][()])
            assert identity["decisions"] == {"$tuple": ["units: 1, 2"]}


def test_a_description_of_a_huge_space_fits(tmp_path):
    decisions = tuple(f"layer_{i}.units: 8, 16, 32, 64, 128" for i in range(5_000))
    with Hdf5Store(tmp_path) as store:
        store.bind(SearchIdentity(space="1-abc", decisions=decisions))
        store.append(trial(1))
    with Hdf5Store(tmp_path) as store:
        assert store.identity.decisions == decisions
        assert len(store.load()) == 1


@pytest.mark.parametrize("name", ["number", "Präzision", "a/b", "", "x\0y", "checksum", "a" * 300])
def test_objectives_may_have_any_name(tmp_path, name):
    with Hdf5Store(tmp_path) as store:
        store.append(trial(1, objectives={name: 0.5, "loss": 0.25}))
        assert store.load()[0].objectives == {name: 0.5, "loss": 0.25}
        with h5py.File(tmp_path / files(tmp_path)[0]) as file:
            assert file["trials"][0]["loss"] == 0.25
            assert 0.5 in [row for row in file["trials"][0].tolist() if isinstance(row, float)]


def test_more_objectives_than_columns_are_kept(tmp_path):
    objectives = {f"o{i}": float(i) for i in range(20)}
    fill(tmp_path, [1], objectives=objectives)
    with Hdf5Store(tmp_path, "r") as store:
        assert store.load()[0].objectives == objectives


def test_objectives_that_come_after_failures_get_their_columns(tmp_path):
    with Hdf5Store(tmp_path) as store:
        store.append(Trial(1, {}, "", TrialState.FAILED))
        store.append(trial(2))
    with h5py.File(tmp_path / files(tmp_path)[-1]) as file:
        assert file["trials"]["accuracy"][0] == 0.002
    assert numbers(tmp_path) == [1, 2]


# --- how they grow ----------------------------------------------------------------


def test_full_segments_are_followed_by_larger_ones(tmp_path):
    fill(tmp_path, range(1, 1200))
    assert len(files(tmp_path)) == 4  # 256, 256, 512 and the rest
    assert numbers(tmp_path) == list(range(1, 1200))
    fill(tmp_path, range(1200, 1300))
    assert numbers(tmp_path) == list(range(1, 1300))


def test_a_document_longer_than_a_segment_gets_one_that_holds_it(tmp_path):
    long = tuple(Report(step, {"loss": 0.5}) for step in range(60_000))
    with Hdf5Store(tmp_path) as store:
        store.append(trial(1))
        store.append(trial(2, curve=long))
        store.append(trial(3))
    with Hdf5Store(tmp_path) as store:
        assert [len(t.curve) for t in store.load()] == [0, 60_000, 0]


def test_what_a_dead_maker_left_is_dropped(tmp_path):
    fill(tmp_path, [1, 2])
    left = tmp_path / "history-g0001-s000002.h5.tmp"
    left.write_bytes(b"half a file")
    other = tmp_path / "notes.h5.tmp"
    other.write_bytes(b"not ours")
    assert numbers(tmp_path) == [1, 2]
    assert left.exists(), "a reader changes nothing"
    fill(tmp_path, [3])
    assert not left.exists()
    assert other.exists()


def test_a_row_cut_short_at_the_tail_is_overwritten(tmp_path):
    fill(tmp_path, [1, 2, 3])
    flip(tmp_path, rows_at(tmp_path) + 2 * 256 + 100)
    assert numbers(tmp_path) == [1, 2]
    fill(tmp_path, [9])
    assert numbers(tmp_path) == [1, 2, 9]


# --- damage -----------------------------------------------------------------------


def rows_at(folder):
    with h5py.File(folder / files(folder)[-1]) as file:
        return file["trials"].id.get_offset()


def documents_at(folder):
    with h5py.File(folder / files(folder)[-1]) as file:
        return file["documents"].id.get_offset()


def flip(folder, offset, name=None):
    path = folder / (name or files(folder)[-1])
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize("mode", ["r", "a"])
@pytest.mark.parametrize("column", [0, 4, 9, 16, 33, 60, 120, 250])
def test_a_damaged_row_before_an_intact_one_is_reported_and_left_alone(tmp_path, mode, column):
    fill(tmp_path, [1, 2, 3])
    flip(tmp_path, rows_at(tmp_path) + 256 + column)
    before = (tmp_path / files(tmp_path)[0]).read_bytes()
    with pytest.raises(CorruptStoreError) as caught:
        Hdf5Store(tmp_path, mode)
    assert "row 1" in str(caught.value)
    assert "repair the store" in str(caught.value)
    assert files(tmp_path)[0] in str(caught.value)
    assert (tmp_path / files(tmp_path)[0]).read_bytes() == before


def test_a_damaged_document_is_reported(tmp_path):
    fill(tmp_path, [1, 2])
    flip(tmp_path, documents_at(tmp_path) + 5)
    with pytest.raises(CorruptStoreError, match="row 0"):
        Hdf5Store(tmp_path)


def test_a_row_that_was_wiped_out_is_reported(tmp_path):
    fill(tmp_path, [1, 2, 3])
    at = rows_at(tmp_path)
    with (tmp_path / files(tmp_path)[0]).open("r+b") as file:
        file.seek(at + 256)
        file.write(bytes(256))
    with pytest.raises(CorruptStoreError, match="an empty one as row 1"):
        Hdf5Store(tmp_path)


def test_rows_that_changed_places_are_reported(tmp_path):
    fill(tmp_path, [1, 2, 3])
    at = rows_at(tmp_path)
    with (tmp_path / files(tmp_path)[0]).open("r+b") as file:
        file.seek(at)
        one, two = file.read(256), file.read(256)
        file.seek(at)
        file.write(two + one)
    with pytest.raises(CorruptStoreError, match="row 0"):
        Hdf5Store(tmp_path)


@pytest.mark.parametrize("offset", [0, 8, 9, 13, 17, 25, 200])
def test_a_damaged_header_is_reported(tmp_path, offset):
    fill(tmp_path, [1])
    flip(tmp_path, offset)
    with pytest.raises(CorruptStoreError, match="header that the library has written"):
        Hdf5Store(tmp_path)


def test_damage_to_what_hdf5_has_written_is_reported(tmp_path):
    fill(tmp_path, [1])
    content = (tmp_path / files(tmp_path)[0]).read_bytes()
    flip(tmp_path, content.index(b"\x89HDF") + 20)
    with pytest.raises(CorruptStoreError, match="keep what HDF5 has written"):
        Hdf5Store(tmp_path)


@pytest.mark.parametrize("length", [0, 10, 5_000, -1, -5_000])
def test_a_file_that_was_cut_off_is_reported(tmp_path, length):
    fill(tmp_path, [1])
    path = tmp_path / files(tmp_path)[0]
    os.truncate(path, length % path.stat().st_size)
    with pytest.raises(CorruptStoreError, match=path.name):
        Hdf5Store(tmp_path)


def test_a_missing_segment_is_reported(tmp_path):
    fill(tmp_path, range(1, 700))
    (tmp_path / files(tmp_path)[1]).unlink()
    with pytest.raises(CorruptStoreError, match="received segment 3 where 2 should be"):
        Hdf5Store(tmp_path)


def test_a_segment_of_another_store_is_reported(tmp_path):
    fill(tmp_path / "a", range(1, 300))
    fill(tmp_path / "b", range(1, 300))
    name = files(tmp_path / "a")[1]
    (tmp_path / "b" / name).replace(tmp_path / "a" / name)
    with pytest.raises(CorruptStoreError, match="another store"):
        Hdf5Store(tmp_path / "a")


def test_rows_missing_at_the_end_of_a_full_segment_are_reported(tmp_path):
    fill(tmp_path, range(1, 300))
    with h5py.File(tmp_path / files(tmp_path)[0]) as file:
        at = file["trials"].id.get_offset()
    flip(tmp_path, at + 255 * 256 + 30, files(tmp_path)[0])
    with pytest.raises(CorruptStoreError, match="row 255"):
        Hdf5Store(tmp_path, "r")


def test_a_newer_schema_is_refused_with_the_difference(tmp_path):
    fill(tmp_path, [1])
    path = tmp_path / files(tmp_path)[0]
    content = bytearray(path.read_bytes())
    rewrite_header(content, schema=SCHEMA + 1)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=f"at most {SCHEMA}.*received {SCHEMA + 1}.*update") as e:
        Hdf5Store(tmp_path)
    assert not isinstance(e.value, CorruptStoreError)
    assert h5py.__version__ in str(e.value)


def rewrite_header(content, schema):
    import struct
    import zlib

    length = int.from_bytes(content[12:16], "little")
    start = struct.pack("<II", schema, length)
    checksum = zlib.crc32(bytes(content[20 : 20 + length]), zlib.crc32(start))
    content[8:20] = start + struct.pack("<I", checksum)


# --- who may write ----------------------------------------------------------------


def test_a_second_writer_is_refused_by_the_name_of_the_first(tmp_path):
    with Hdf5Store(tmp_path), pytest.raises(StoreLockedError) as caught:
        Hdf5Store(tmp_path)
    assert f"process {os.getpid()} on " in str(caught.value)
    assert 'mode="r"' in str(caught.value)
    Hdf5Store(tmp_path).close()


def test_a_store_that_is_let_go_lets_the_next_writer_in(tmp_path):
    store = Hdf5Store(tmp_path)
    store.append(trial(1))
    del store
    fill(tmp_path, [2])
    assert numbers(tmp_path) == [1, 2]


HOLD = """
import sys, os
from hypernets.adapters.store import Hdf5Store
store = Hdf5Store(sys.argv[1])
if len(sys.argv) > 2:
    if os.fork() == 0:      # a child that outlives it, and has come far enough to run
        print("holding", flush=True)
        sys.stdin.read()
        os._exit(0)
else:
    print("holding", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("extra", [[], ["with a child that stays"]])
def test_the_lock_of_a_killed_writer_is_free(tmp_path, extra):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), *extra],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout.readline() == b"holding\n"
        with pytest.raises(StoreLockedError, match=f"process {holder.pid} on "):
            Hdf5Store(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        Hdf5Store(tmp_path).close()


def test_a_forked_process_may_not_write(tmp_path):
    with Hdf5Store(tmp_path) as store:
        store._pid -= 1
        with pytest.raises(StoreError, match="by the process that opened it"):
            store.append(trial(1))


def test_a_reader_sees_what_comes_and_blocks_nobody(tmp_path):
    with Hdf5Store(tmp_path, disk=QuickDisk()) as writer:
        reader = Hdf5Store(tmp_path, "r")
        assert len(reader.load()) == 0
        for number in range(1, 600):
            writer.append(trial(number))
            if number % 50 == 0:
                assert [t.number for t in reader.refresh()] == list(range(number - 49, number + 1))
        assert [t.number for t in reader.refresh()] == list(range(551, 600))
        assert reader.refresh() == []
        writer.compact()
        assert reader.refresh() == []
        writer.append(trial(600))
        assert [t.number for t in reader.refresh()] == [600]


def test_a_reader_changes_nothing_and_may_not_write(tmp_path):
    fill(tmp_path, [1])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with Hdf5Store(tmp_path, "r") as store:
        store.load()
        for call in (lambda: store.append(trial(2)), lambda: store.bind(SearchIdentity())):
            with pytest.raises(StoreError, match="open for appending"):
                call()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_reader_needs_a_store(tmp_path):
    with pytest.raises(StoreError, match="must be a folder that can be read"):
        Hdf5Store(tmp_path / "none", "r")


def test_a_closed_store_says_so(tmp_path):
    store = Hdf5Store(tmp_path)
    store.close()
    store.close()
    for call in (store.load, lambda: store.append(trial(1)), store.refresh):
        with pytest.raises(StoreError, match="must be open"):
            call()


def test_a_mode_that_is_none_is_refused(tmp_path):
    with pytest.raises(StoreError, match="mode must be 'a'"):
        Hdf5Store(tmp_path, "w")


def test_the_direction_is_that_of_the_search(tmp_path):
    with Hdf5Store(tmp_path, direction="min") as store:
        assert store.load().direction is Direction.MIN
        store.bind(SearchIdentity(directions={"cost": "min", "accuracy": "max"}))
        assert list(store.load().directions) == ["cost", "accuracy"]


# --- a disk that fails ------------------------------------------------------------


class FailingDisk(SystemDisk):
    """Fails at the given calls of the given methods."""

    def __init__(self):
        self.fails = {}
        self.calls = 0

    def _maybe(self, method):
        code = self.fails.get(method)
        if code is not None:
            self.calls += 1
            raise OSError(code, os.strerror(code))

    def make_folder(self, folder):
        self._maybe("make_folder")
        super().make_folder(folder)

    def create(self, path):
        self._maybe("create")
        return super().create(path)

    def write(self, descriptor, content, offset):
        if "half" in self.fails:
            super().write(descriptor, content[: len(content) // 2], offset)
            self._maybe("half")
        self._maybe("write")
        super().write(descriptor, content, offset)

    def sync(self, descriptor):
        if self.fails.get("sync once"):
            code = self.fails.pop("sync once")
            raise OSError(code, os.strerror(code))
        self._maybe("sync")
        super().sync(descriptor)

    def rename(self, source, target):
        self._maybe("rename")
        super().rename(source, target)

    def sync_folder(self, folder):
        self._maybe("sync_folder")
        super().sync_folder(folder)


@pytest.mark.parametrize("method", ["write", "half", "sync once"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_an_append_that_fails_is_not_there_later(tmp_path, method, code):
    disk = FailingDisk()
    with Hdf5Store(tmp_path, disk=disk) as store:
        store.append(trial(1))
        disk.fails = {method: code}
        with pytest.raises(StoreError) as caught:
            store.append(trial(2))
        disk.fails = {}
        assert os.strerror(code) in str(caught.value)
        assert "trial 2, which is not stored" in str(caught.value)
        assert numbers(tmp_path) == [1]
        if store._writer._broken is None:
            store.append(trial(3))
            assert numbers(tmp_path) == [1, 3]
        else:
            with pytest.raises(StoreError, match="opened anew"):
                store.append(trial(3))
    fill(tmp_path, [4])
    assert numbers(tmp_path)[-1] == 4


def test_a_full_disk_says_what_to_do(tmp_path):
    disk = FailingDisk()
    with Hdf5Store(tmp_path, disk=disk) as store:
        disk.fails = {"write": errno.ENOSPC}
        with pytest.raises(StoreError, match="make room on the disk, and go on"):
            store.append(trial(1))
        assert not list(tmp_path.glob("history*"))
        disk.fails = {}
        store.append(trial(1))
    assert numbers(tmp_path) == [1]


@pytest.mark.parametrize("method", ["create", "write", "sync", "rename", "sync_folder"])
def test_a_segment_that_cannot_be_begun_costs_one_trial_and_no_other(tmp_path, method):
    disk = FailingDisk()
    with Hdf5Store(tmp_path, disk=disk) as store:
        for number in range(1, 257):
            store.append(trial(number))
        disk.fails = {method: errno.EIO}
        with pytest.raises(StoreError, match="not stored; everything"):
            store.append(trial(257))
        disk.fails = {}
        if method == "sync_folder":
            with pytest.raises(StoreError, match="opened anew"):
                store.append(trial(257))
        else:
            store.append(trial(257))
    fill(tmp_path, [258])
    expected = [n for n in range(1, 259) if n != 257 or method != "sync_folder"]
    assert numbers(tmp_path) == expected
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("method", ["sync", "rename", "sync_folder"])
def test_an_identity_that_cannot_be_recorded_is_not_there_later(tmp_path, method):
    disk = FailingDisk()
    with Hdf5Store(tmp_path, disk=disk) as store:
        disk.fails = {method: errno.EIO}
        with pytest.raises(StoreError, match="not stored"):
            store.bind(SearchIdentity(seed=1))
    with Hdf5Store(tmp_path) as store:
        store.append(trial(1))
    assert numbers(tmp_path) == [1]


def test_an_interruption_in_the_middle_of_an_append_leaves_nothing(tmp_path, monkeypatch):
    with Hdf5Store(tmp_path) as store:
        store.append(trial(1))
        disk, real = store._disk, store._disk.sync

        def interrupted(descriptor):
            monkeypatch.setattr(disk, "sync", real)
            raise KeyboardInterrupt

        monkeypatch.setattr(disk, "sync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.append(trial(2))
        assert numbers(tmp_path) == [1]
        store.append(trial(2))
    assert numbers(tmp_path) == [1, 2]


def test_a_system_that_writes_in_small_pieces_is_served(tmp_path, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, bytes(data[:70_000]), at))
    fill(tmp_path, range(1, 50), details={"text": "x" * 200_000})
    assert numbers(tmp_path) == list(range(1, 50))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, code):
    disk = FailingDisk()
    disk.fails = {"make_folder": code}
    with pytest.raises(StoreError, match=f"{os.strerror(code)}.*mend its permissions"):
        Hdf5Store(tmp_path / "x", disk=disk)


def test_a_file_where_the_folder_should_be_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(StoreError, match="must be a folder that can be"):
        Hdf5Store(path)
    with pytest.raises(StoreError, match="must be a folder that can be"):
        Hdf5Store(path, "r")


def test_a_duplicate_costs_nothing(tmp_path):
    with Hdf5Store(tmp_path) as store:
        store.append(trial(1))
        with pytest.raises(DuplicateTrialError, match="number it 2, say"):
            store.append(attrs.evolve(trial(1), signature="x"))
        store.append(trial(2))
    assert numbers(tmp_path) == [1, 2]


def test_a_trial_that_cannot_be_written_down_is_refused(tmp_path):
    with Hdf5Store(tmp_path) as store:
        for details in ({"x": (i for i in ())}, {"x": 10**5000}):
            with pytest.raises(StoreError):
                store.append(trial(1, details=details))
        store.append(trial(1))
    assert numbers(tmp_path) == [1]


# --- what is loaded ---------------------------------------------------------------


def test_neither_h5py_nor_a_framework_is_loaded_to_read(tmp_path):
    fill(tmp_path, [1])
    program = (
        "import sys\nfrom hypernets.adapters.store import Hdf5Store\n"
        f"print(len(Hdf5Store({str(tmp_path)!r}, 'r').load()))\n"
        "print([n for n in ('h5py', 'tensorflow', 'keras', 'pickle5') if n in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.split("\n")[:2] == ["1", "[]"]


def test_nothing_in_the_room_can_run_what_it_reads():
    import hypernets.adapters.store as room

    for path in Path(room.__file__).parent.rglob("*.py"):
        text = path.read_text()
        assert not [w for w in ("pickle", "eval(", "exec(", "marshal", "__import__") if w in text]
