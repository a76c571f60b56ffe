"""The laws of a `HistoryStore` on disk, with faults: kills, torn and short writes, a full disk."""

import random
from pathlib import Path
from typing import Any

from hypernets.application.port import HistoryStore
from hypernets.domain.error import StoreError
from hypernets.testing.example import TRIALS, numbered_trial
from hypernets.testing.history_store import HistoryStoreSuite
from hypernets.testing.law import raised
from hypernets.testing.store_nursery import Nursery

__all__ = ["DurableStoreSuite"]


class DurableStoreSuite(HistoryStoreSuite):
    """What every store on disk must do. Subclass it, and say how one is opened in a folder.

    Faults happen in real child processes (POSIX). The class is sent to them by value, so it may
    stand in a test module or a notebook, but must not depend on fixtures.

    Attributes:
        n_kills: how many processes die in each of the two tests of kills.
    """

    n_kills = 30

    def open(self, folder: Path) -> HistoryStore:
        """Return the store in a folder, for appending; an empty one where there is none."""
        raise NotImplementedError("a suite must say how its stores are opened: define open(folder)")

    def close(self, store: HistoryStore) -> None:
        """Let go of a store; calls its `close`, if it has one."""
        getattr(store, "close", lambda: None)()

    def make(self) -> HistoryStore:
        """Return an empty store in a folder of its own."""
        number = sum(1 for _ in self.folder.iterdir()) + 1
        return self._opened(self.folder / str(number))

    def again(self, store: HistoryStore) -> HistoryStore:
        """Return the store that is opened in the same folder."""
        self.close(store)
        return self._opened(self._folders[id(store)])

    def _opened(self, folder: Path) -> HistoryStore:
        store = self.open(folder)
        self._folders[id(store)] = folder
        return store

    @property
    def _folders(self) -> dict[int, Path]:
        folders: dict[int, Path] = self.__dict__.setdefault("_folder_of", {})
        return folders

    def test_a_kill_at_any_write_boundary_loses_nothing_that_was_acknowledged(self) -> None:
        """Before and after calls that write, from the opening to the third append."""
        rng, folder = random.Random(0), self.folder / "killed"  # noqa: S311 - no secret
        with Nursery(type(self)) as nursery:
            nursery.run(folder=self.folder / "counted", n=3)
            said = nursery.run(folder=self.folder / "counted", first=4, n=3)
            counts = next(word for word in said if word.startswith("boundaries"))
            n_opening, n_all = (int(count) for count in counts.split()[1:])
            n_found = 0
            for k in range(self.n_kills):
                least = n_opening + 1 if k % 3 and n_all > n_opening else 1
                at = rng.randint(least, n_all)
                said = nursery.run(folder=folder, first=n_found + 1, n=3, fault="kill", at=at)
                n_found = self._require_acknowledged(folder, said, n_found)

    def test_a_kill_from_outside_loses_nothing_that_was_acknowledged(self) -> None:
        """While it writes, wherever it is."""
        rng, folder, n_found = random.Random(1), self.folder / "killed", 0  # noqa: S311 - no secret
        with Nursery(type(self)) as nursery:
            for _ in range(self.n_kills):
                begin = f"begin {n_found + rng.randint(1, 6)}"
                said = nursery.run(folder=folder, first=n_found + 1, n=200, kill_when=begin)
                n_found = self._require_acknowledged(folder, said, n_found)

    def test_a_torn_write_is_not_visible(self) -> None:
        """A process that dies in the middle of a write of Python's `os`."""
        folder, n_found = self.folder / "torn", 0
        with Nursery(type(self)) as nursery:
            for at in range(1, 9):
                said = nursery.run(folder=folder, first=n_found + 1, n=3, fault="torn", at=at)
                n_found = self._require_acknowledged(folder, said, n_found)

    def test_short_writes_are_completed(self) -> None:
        """The system may take less than it is given."""
        folder = self.folder / "short"
        with Nursery(type(self)) as nursery:
            said = nursery.run(folder=folder, n=12, fault="short")
        assert said[-1] == "end", said[-1]
        assert self._require_acknowledged(folder, said, 0) == 12

    def test_a_full_disk_is_a_store_error_and_what_was_refused_is_not_there(self) -> None:
        """Files cannot grow any more, and writes of Python's `os` fail; then there is room again.

        A store that has room of its own may go on. One that refuses to go on before it is opened
        anew, may.
        """
        for fault in ("no_room", "no_growth"):
            folder = self.folder / fault
            with Nursery(type(self)) as nursery:
                said = nursery.run(folder=folder, n=60, fault=fault)
            _require_orderly(said)
            self._require_exactly(folder, said)

    def test_a_folder_that_cannot_be_written_is_a_store_error_and_nothing_is_lost(self) -> None:
        """An empty folder, and one that holds a store."""
        with Nursery(type(self)) as nursery:
            for name, n in (("empty", 0), ("used", 3)):
                folder = self.folder / name
                folder.mkdir()
                before = nursery.run(folder=folder, n=n) if n else []
                after = nursery.run(folder=folder, first=n + 1, n=1, fault="read_only")
                _require_orderly(after)
                self._require_exactly(folder, before + after)

    def test_a_folder_that_cannot_be_made_is_a_store_error(self) -> None:
        """There is a file where a folder should be."""
        (self.folder / "file").write_text("")
        raised(StoreError, self.open, self.folder / "file" / "store")

    def test_two_stores_know_nothing_of_each_other(self) -> None:
        """No state is shared by the stores of one process."""
        one, two = self.make(), self.make()
        one.append(TRIALS[0])
        assert len(two.load()) == 0
        two.append(TRIALS[0])
        assert len(self.again(one).load()) == len(self.again(two).load()) == 1

    def _require_acknowledged(self, folder: Path, said: list[str], n_before: int) -> int:
        """Check that what was acknowledged is there, and at most one more; return how many are."""
        kept = [int(word.split()[1]) for word in said if word.startswith("kept ")]
        n_kept = max(kept, default=n_before)
        found = self._found(folder)
        assert len(found) in (n_kept, n_kept + 1), (
            f"{len(found)} trials are there, {n_kept} were acknowledged; it said: {said[-3:]}"
        )
        assert found == [numbered_trial(number) for number in range(1, len(found) + 1)]
        return len(found)

    def _require_exactly(self, folder: Path, said: list[str]) -> None:
        kept = [int(word.split()[1]) for word in said if word.startswith("kept ")]
        assert self._found(folder) == [numbered_trial(number) for number in kept], (
            f"{kept} were acknowledged; it said: {said[-3:]}"
        )

    def _found(self, folder: Path) -> list[Any]:
        store = self.open(folder)
        try:
            return list(store.load())
        finally:
            self.close(store)


def _require_orderly(said: list[str]) -> None:
    assert said[-1] == "end", f"a fault must be a StoreError; received {said[-1]}"
