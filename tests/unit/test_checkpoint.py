"""The checkpoint of one trial in a file, and the folder of them."""

import copy
import os

import numpy as np
import pytest
import structlog

from hypernets.adapters.checkpoint import CheckpointFile, CheckpointFolder
from hypernets.adapters.process import ProcessExecutor
from hypernets.adapters.store import Hdf5Store
from hypernets.application import InlineExecutor, Search
from hypernets.application.port import Measurement, SavedState
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import SearchError, StoreError
from hypernets.domain.history import TrialState
from hypernets.frameworks.keras.layers import Dense, Input
from hypernets.searchers.random_searcher import RandomSearcher


def state(value=1.5):
    arrays = {
        "matrix": np.arange(6, dtype="float32").reshape(2, 3) * value,
        "scalar": np.array(3, "int64"),
        "none": np.zeros((0, 2), "float64"),
        "flag": np.array([True, False]),
        "strided": np.arange(10)[::3],
    }
    return SavedState({"epochs": 3, "curve": [[1, {"loss": float("nan")}]]}, arrays)


def assert_equal(one, other):
    assert str(one.facts) == str(other.facts)
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        got = other.arrays[name]
        assert (got.dtype, got.shape, got.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_a_state_is_read_as_it_was_saved_and_a_later_one_replaces_it(tmp_path):
    checkpoint = CheckpointFile(tmp_path / "deep" / "one")
    assert checkpoint.load() is None
    for value in (1.5, -2.0):
        checkpoint.save(state(value))
        assert_equal(state(value), checkpoint.load())
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["one"]
    assert_equal(state(-2.0), copy.copy(checkpoint).load())
    checkpoint.discard()
    checkpoint.discard()
    assert checkpoint.load() is None


def test_a_checkpoint_that_is_cut_or_flipped_anywhere_is_ignored_and_removed(tmp_path):
    checkpoint = CheckpointFile(tmp_path / "one")
    checkpoint.save(state())
    whole = checkpoint.path.read_bytes()
    rng = np.random.default_rng(0)
    flipped = []
    for place in rng.integers(0, len(whole), size=300):
        content = bytearray(whole)
        content[place] ^= 1 << rng.integers(0, 8)
        flipped.append(bytes(content))
    for content in (*flipped, *(whole[:n] for n in range(0, len(whole), 7)), whole + b"x"):
        checkpoint.path.write_bytes(content)
        with structlog.testing.capture_logs() as events:
            assert checkpoint.load() is None
        assert not checkpoint.path.exists()
        assert [event["event"] for event in events] == ["checkpoint ignored"]
        assert events[0]["log_level"] == "warning"
    checkpoint.path.write_bytes(whole)
    assert_equal(state(), checkpoint.load())


def test_a_state_that_cannot_be_written_leaves_the_earlier_one(tmp_path, monkeypatch):
    checkpoint = CheckpointFile(tmp_path / "one")
    checkpoint.save(state())

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            checkpoint.save(state(7.0))
    assert_equal(state(), checkpoint.load())
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_folder_lets_go_of_all_but_what_is_wanted(tmp_path):
    folder = CheckpointFolder(tmp_path / "checkpoints")
    folder.retain(lambda number: False)  # not there yet
    for number in (1, 2, 12):
        folder.of(number).save(state(number))
    (folder.folder / "trial-2.checkpoint.tmp").write_bytes(b"half")
    (folder.folder / "notes.txt").write_text("mine")
    folder.retain(lambda number: number == 2)
    assert sorted(p.name for p in folder.folder.iterdir()) == ["notes.txt", "trial-2.checkpoint"]
    assert_equal(state(2), folder.of(2).load())


# --- in a search ----------------------------------------------------------------------


def make_space():
    space = HyperSpace()
    with space.as_default():
        Dense(units=Choice([1, 2, 3, 4, 5, 6, 7, 8], name="units"))(Input(shape=3))
    return space


class Counting:
    """Counts to five, keeps each count, and is cut short at the third the first time."""

    name = "counting"

    def __init__(self, error=None):
        self.error = error

    def estimate(self, architecture, context):
        saved = context.checkpoint.load()
        count = 0 if saved is None else saved.facts["count"]
        begun_at = count
        while count < 5:
            count += 1
            context.checkpoint.save(SavedState({"count": count}, {}))
            if self.error is not None and count == 3:
                raise self.error
        return Measurement({"reward": float(count)}, details={"begun_at": begun_at})


def searching(tmp_path, store, estimator, executor):
    return Search(
        RandomSearcher(make_space, seed=0),
        estimator,
        store=store,
        executor=executor,
        checkpoints=CheckpointFolder(tmp_path / "checkpoints"),
        seed=0,
    )


def test_a_trial_that_was_cut_short_goes_on_and_its_checkpoint_goes_when_it_is_durable(tmp_path):
    with Hdf5Store(tmp_path / "store") as store:
        cut = searching(tmp_path, store, Counting(KeyboardInterrupt()), InlineExecutor())
        with pytest.raises(KeyboardInterrupt):
            cut.run(max_trials=2)
    folder = tmp_path / "checkpoints"
    assert [path.name for path in folder.iterdir()] == ["trial-1.checkpoint"]
    with Hdf5Store(tmp_path / "store") as store:
        history = searching(tmp_path, store, Counting(), InlineExecutor()).run(max_trials=2)
    assert [trial.details["begun_at"] for trial in history] == [3, 0]
    assert list(folder.iterdir()) == []


def test_a_trial_that_failed_leaves_no_checkpoint(tmp_path):
    with Hdf5Store(tmp_path / "store") as store:
        failing = searching(tmp_path, store, Counting(ValueError("no")), InlineExecutor())
        with pytest.raises(SearchError, match="failures only"):
            failing.run(max_trials=1)
    assert [trial.state for trial in failing.history] == [TrialState.FAILED]
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_what_a_killed_run_left_of_a_durable_trial_goes_when_the_search_goes_on(tmp_path):
    with Hdf5Store(tmp_path / "store") as store:
        searching(tmp_path, store, Counting(), InlineExecutor()).run(max_trials=1)
    folder = CheckpointFolder(tmp_path / "checkpoints")
    folder.of(1).save(state())  # killed between the two
    folder.of(2).save(SavedState({"count": 4}, {}))
    with Hdf5Store(tmp_path / "store") as store:
        search = searching(tmp_path, store, Counting(), InlineExecutor())
        search.restore()
        assert [path.name for path in folder.folder.iterdir()] == ["trial-2.checkpoint"]
        history = search.run(max_trials=2)
    assert [trial.details["begun_at"] for trial in history] == [0, 4]


def test_a_checkpoint_travels_to_the_process_of_its_trial(tmp_path):
    CheckpointFolder(tmp_path / "checkpoints").of(1).save(SavedState({"count": 4}, {}))
    with ProcessExecutor(preload=()) as executor, Hdf5Store(tmp_path / "store") as store:
        history = searching(tmp_path, store, Counting(), executor).run(max_trials=2)
    assert [trial.details.get("begun_at") for trial in history] == [4, 0], list(history)
    assert list((tmp_path / "checkpoints").iterdir()) == []
