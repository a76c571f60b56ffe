"""Power cuts: every write is logged, and cut off anywhere with unsynced sectors lost at random."""

import os
import random
from collections import Counter

import attrs
import pytest

from hypernets.adapters.store.hdf5 import Hdf5Store, writer
from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.application.port import SearchIdentity
from hypernets.domain.history import Report, Trial, TrialState

SECTOR = 512
IDENTITY = SearchIdentity(space="1-abc", seed=0)


class LoggedDisk(SystemDisk):
    """Notes what it does, under names relative to a folder."""

    def __init__(self, folder):
        self.folder, self.log, self.files = folder, [], {}

    def _name(self, path):
        return os.path.relpath(path, self.folder)

    def _opened(self, descriptor):
        self.files[descriptor] = os.fstat(descriptor).st_ino
        return descriptor

    def make_folder(self, folder):
        super().make_folder(folder)

    def open(self, path):
        return self._opened(super().open(path))

    def create(self, path):
        descriptor = self._opened(super().create(path))
        self.log.append(("name", self._name(path), self.files[descriptor]))
        return descriptor

    def write(self, descriptor, content, offset):
        super().write(descriptor, content, offset)
        self.log.append(("write", self.files[descriptor], offset, bytes(content)))

    def sync(self, descriptor):
        super().sync(descriptor)
        self.log.append(("sync", self.files[descriptor]))

    def rename(self, source, target):
        super().rename(source, target)
        self.log.append(("rename", self._name(source), self._name(target)))

    def remove(self, path):
        super().remove(path)
        self.log.append(("remove", self._name(path)))

    def sync_folder(self, folder):
        super().sync_folder(folder)
        self.log.append(("sync folder",))


class QuickDisk(SystemDisk):
    def sync(self, descriptor):
        pass

    def sync_folder(self, folder):
        pass


@attrs.define
class Machine:
    """What is on a disk: for certain, and perhaps."""

    content: dict = attrs.field(factory=dict)  # file → bytes that are synced
    pending: dict = attrs.field(factory=dict)  # file → writes that are not
    names: dict = attrs.field(factory=dict)  # name → file, synced
    pending_names: list = attrs.field(factory=list)

    def do(self, entry):
        kind, *facts = entry
        if kind == "write":
            file, offset, data = facts
            self.pending.setdefault(file, []).append((offset, data))
        elif kind == "sync":
            for offset, data in self.pending.pop(facts[0], []):
                self.put(self.content.setdefault(facts[0], bytearray()), offset, data)
        elif kind == "sync folder":
            for change in self.pending_names:
                self.rename(self.names, change)
            self.pending_names.clear()
        elif kind in ("name", "rename", "remove"):
            self.pending_names.append(entry)

    @staticmethod
    def put(content, offset, data):
        content.extend(bytes(max(0, offset + len(data) - len(content))))
        content[offset : offset + len(data)] = data

    @staticmethod
    def rename(names, change):
        kind, name, *to = change
        if kind == "name":
            names[name] = to[0]
        elif kind == "rename":
            names[to[0]] = names.pop(name)
        else:
            names.pop(name, None)

    def after_a_cut(self, rng, folder):
        """Write what is left: names as the journal has them, sectors as chance has it."""
        names = dict(self.names)
        for change in self.pending_names[: rng.randint(0, len(self.pending_names))]:
            self.rename(names, change)
        for name, file in names.items():
            content = bytearray(self.content.get(file, b""))
            for offset, data in self.pending.get(file, ()):
                self.some_sectors(rng, content, offset, data)
            (folder / name).write_bytes(content)

    def some_sectors(self, rng, content, offset, data):
        kept = rng.choice((0.1, 0.5, 0.9))
        begin = offset
        while begin < offset + len(data):
            end = min(offset + len(data), begin - begin % SECTOR + SECTOR)
            if rng.random() < kept:
                self.put(content, begin, data[begin - offset : end - offset])
            begin = end


def trial(number):
    curve = tuple(Report(step, {"loss": step / number}) for step in range(number * 7 % 12))
    return Trial(
        number, {"n": number}, f"s{number}", TrialState.COMPLETED, {"r": number}, curve=curve
    )


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """The log of a store's life, with an entry ("kept", n) where trial n was acknowledged."""
    folder = tmp_path_factory.mktemp("store")
    disk = LoggedDisk(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "_FEWEST_ROWS", 5)
        patch.setattr(writer, "_MOST_ROWS", 11)
        patch.setattr(writer, "_LEAST_DOCUMENT", 300)
        number = 0
        for n_more in (3, 1, 20, 6):
            with Hdf5Store(folder, disk=disk) as store:
                store.bind(IDENTITY)
                disk.log.append(("bound",))
                for _ in range(n_more):
                    number += 1
                    store.append(trial(number))
                    disk.log.append(("kept", number))
                if n_more == 20:
                    store.compact()
    return disk.log


N_IMAGES = 500


def test_a_power_cut_loses_nothing_that_was_acknowledged(logged, tmp_path):
    rng = random.Random(0)  # noqa: S311 - no secret
    seen = Counter()
    for i in range(N_IMAGES):
        cut = rng.randrange(len(logged) + 1)
        machine = Machine()
        for entry in logged[:cut]:
            machine.do(entry)
        folder = tmp_path / str(i)
        folder.mkdir()
        machine.after_a_cut(rng, folder)
        kept = max((e[1] for e in logged[:cut] if e[0] == "kept"), default=0)
        seen[check(folder, kept, ("bound",) in logged[:cut])] += 1
        for path in folder.iterdir():
            path.unlink()
    print(f"{N_IMAGES} power cuts: {dict(seen)}")
    assert seen["one more"] > 0, "no cut was between a write and its acknowledgement"


def check(folder, kept, bound):
    with Hdf5Store(folder, "r") as store:
        found = list(store.load())
    assert len(found) in (kept, kept + 1)
    assert found == [trial(number) for number in range(1, len(found) + 1)]
    with Hdf5Store(folder, disk=QuickDisk()) as store:
        assert not bound or store.identity == IDENTITY
        assert list(store.load()) == found
        store.append(trial(len(found) + 1))
    with Hdf5Store(folder, "r") as store:
        assert len(store.load()) == len(found) + 1
    return "one more" if len(found) > kept else "as acknowledged"


def test_without_its_sync_a_store_would_lose_trials(tmp_path, monkeypatch):
    """The test finds out a store that acknowledges too early."""
    monkeypatch.setattr(writer, "_FEWEST_ROWS", 50)
    disk = LoggedDisk(tmp_path)
    with Hdf5Store(tmp_path, disk=disk) as store:
        store.append(trial(1))
        log = disk.log
        disk.log = []
        for number in range(2, 20):
            store.append(trial(number))
    machine = Machine()
    for entry in log + [entry for entry in disk.log if entry[0] != "sync"]:
        machine.do(entry)
    folder = tmp_path / "image"
    folder.mkdir()
    machine.after_a_cut(random.Random(0), folder)  # noqa: S311 - no secret
    with pytest.raises(Exception, match=r"row|assert"):
        check(folder, 19, bound=False)
