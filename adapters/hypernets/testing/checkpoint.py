"""The laws of the `Checkpoints` port, and of the `Checkpoint`s that it gives."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hypernets.application.port import Checkpoint, Checkpoints, SavedState
from hypernets.domain.error import StoreError
from hypernets.testing.law import Suite

__all__ = ["CheckpointsSuite"]


class CheckpointsSuite(Suite):
    """What every place for unfinished trials must do. Subclass it, and say how one is made.

    Those that keep files keep them in `self.folder`, where the suite damages them.
    """

    def make(self) -> Checkpoints:
        """Return the checkpoints of a search; `self.folder` is there for those on disk."""
        raise NotImplementedError("a suite must say how checkpoints are made: define make()")

    def test_it_has_the_methods_of_the_port(self) -> None:
        """Those of a search, and those of a trial."""
        checkpoints = self.make()
        assert all(callable(getattr(checkpoints, name, None)) for name in ("of", "retain"))
        place = checkpoints.of(1)
        assert all(callable(getattr(place, name, None)) for name in ("save", "load", "discard"))

    def test_where_nothing_was_saved_there_is_nothing(self) -> None:
        """And nothing to discard."""
        place = self.make().of(1)
        assert place.load() is None
        place.discard()
        assert place.load() is None

    def test_a_state_comes_back_as_it_was_bit_by_bit(self) -> None:
        """Facts, and arrays of every type and shape."""
        place = self.make().of(1)
        place.save(_state(1))
        _require(place, 1)

    def test_a_later_state_takes_the_place_of_an_earlier_one(self) -> None:
        """It may be smaller."""
        place = self.make().of(1)
        for size in (1_000, 10):
            place.save(_state(size))
            _require(place, size)

    def test_what_is_saved_does_not_change_with_the_arrays_that_it_came_from(self) -> None:
        """Training goes on in them."""
        place, state = self.make().of(1), _state(3)
        place.save(state)
        for array in state.arrays.values():
            array[...] = 0
        _require(place, 3)

    def test_what_is_discarded_is_gone(self) -> None:
        """And the place can be used again."""
        place = self.make().of(1)
        place.save(_state(1))
        place.discard()
        assert place.load() is None
        place.save(_state(2))
        _require(place, 2)

    def test_trials_know_nothing_of_each_other(self) -> None:
        """Each has a place of its own, the same whenever it is asked for."""
        checkpoints = self.make()
        for number in (1, 11, 2):
            checkpoints.of(number).save(_state(number))
        checkpoints.of(2).discard()
        _require(checkpoints.of(1), 1)
        _require(checkpoints.of(11), 11)
        assert checkpoints.of(2).load() is None

    def test_what_is_not_wanted_is_let_go_of_and_the_rest_stays(self) -> None:
        """Before anything was saved, too."""
        checkpoints = self.make()
        checkpoints.retain(lambda number: False)
        for number in (1, 2, 3):
            checkpoints.of(number).save(_state(number))
        checkpoints.retain(lambda number: number == 2)
        assert checkpoints.of(1).load() is None
        assert checkpoints.of(3).load() is None
        _require(checkpoints.of(2), 2)

    def test_a_place_that_has_travelled_is_the_same_place(self) -> None:
        """As to another process, with a job."""
        place = self.make().of(1)
        there: Checkpoint = pickle.loads(pickle.dumps(place))  # noqa: S301 - made here
        there.save(_state(5))
        _require(place, 5)
        place.discard()
        assert there.load() is None

    def test_a_state_that_cannot_be_kept_leaves_the_earlier_one(self) -> None:
        """Files cannot grow any more (POSIX); one that has room of its own keeps it."""
        place = self.make().of(1)
        place.save(_state(10))
        expected = 5_000
        with _no_growth():
            try:
                place.save(_state(expected))
            except StoreError:
                expected = 10
        _require(place, expected)

    def test_what_is_damaged_is_never_handed_out(self) -> None:
        """Every file in the folder is cut short, and has bits flipped."""
        checkpoints, rng = self.make(), np.random.default_rng(0)
        checkpoints.of(1).save(_state(50))
        kept = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        for path, content in kept.items():
            for damaged in _damaged(content, rng):
                for each, whole in kept.items():
                    each.write_bytes(whole)
                path.write_bytes(damaged)
                _require_none_or(checkpoints.of(1), 50, path)


def _state(size: int) -> SavedState:
    """Return a state whose every part depends on a number."""
    rng = np.random.default_rng(size)
    arrays = {
        "matrix": rng.normal(size=(size, 3)).astype("float32"),
        "double": rng.normal(size=size),
        "scalar": np.array(size, "int64"),
        "flags": rng.random(size) < 0.5,
        "none": np.zeros((0, 2), "float16"),
        "odd": np.array([np.nan, -0.0, np.inf], "float64"),
    }
    return SavedState({"epochs": size, "curve": [[1, {"loss": 0.1 + size}]], "none": None}, arrays)


def _require(place: Checkpoint, size: int) -> None:
    found, expected = place.load(), _state(size)
    assert found is not None, "a state was saved; received none"
    assert _content(found) == _content(expected)


def _require_none_or(place: Checkpoint, size: int, path: Path) -> None:
    found = place.load()
    assert found is None or _content(found) == _content(_state(size)), f"{path.name} was damaged"


def _content(state: SavedState) -> tuple[Any, ...]:
    arrays = {name: np.asarray(array) for name, array in state.arrays.items()}
    bits = {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in arrays.items()}
    return dict(state.facts), bits


def _damaged(content: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    for place in rng.integers(0, max(1, len(content)), size=60):
        yield content[:place]
        flipped = bytearray(content)
        if flipped:
            flipped[place] ^= 1 << int(rng.integers(0, 8))
            yield bytes(flipped)
    yield content + b"\0"


@contextmanager
def _no_growth() -> Iterator[None]:
    """Let no file grow beyond a size that a small state does not reach."""
    import resource  # POSIX

    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
