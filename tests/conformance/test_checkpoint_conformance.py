"""The laws of the `Checkpoints` port, held against what comes along, and against broken ones."""

import pathlib
import pickle

import pytest

from hypernets.adapters.checkpoint import CheckpointFile, CheckpointFolder
from hypernets.testing import CheckpointsSuite, laws


class TestCheckpointFolder(CheckpointsSuite):
    def make(self):
        return CheckpointFolder(self.folder / "checkpoints")


# --- broken ones ---------------------------------------------------------------


class Broken(CheckpointFolder):
    place = CheckpointFile

    def of(self, number):
        return self.place(super().of(number).path)


class Naive(CheckpointFile):
    """A pickle, as one would write it first."""

    def save(self, state):
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("wb") as file:
            pickle.dump(state, file)

    def load(self):
        return pickle.loads(self.path.read_bytes()) if self.path.exists() else None  # noqa: S301


class Eager(CheckpointFile):
    def load(self):
        return pickle.loads(self.path.read_bytes())  # noqa: S301


class Rounding(CheckpointFile):
    def load(self):
        state = super().load()
        if state is not None:
            arrays = {name: array.astype("float32") for name, array in state.arrays.items()}
            state = type(state)(state.facts, arrays)
        return state


class First(CheckpointFile):
    def save(self, state):
        if not self.path.exists():
            super().save(state)


class Keen(CheckpointFile):
    def discard(self):
        pass


class InMemory:
    """Keeps the very object."""

    def __init__(self, path):
        self.path, self.state = path, None

    def save(self, state):
        self.state = state

    def load(self):
        return self.state

    def discard(self):
        self.state = None


def with_places(kind):
    return type(f"Folder{kind.__name__}", (Broken,), {"place": kind})


class OnePlace(CheckpointFolder):
    def of(self, number):
        return super().of(1)


class Hoarding(CheckpointFolder):
    def retain(self, wanted):
        pass


class Half:
    def __init__(self, folder):
        pass

    def of(self, number):
        return pathlib.Path()


class Memory:
    """Hands out the object that it has, whoever asks."""

    def __init__(self, folder):
        self.places = {}

    def of(self, number):
        return self.places.setdefault(number, InMemory(number))

    def retain(self, wanted):
        self.places = {n: place for n, place in self.places.items() if wanted(n)}


BROKEN = [
    (Half, "it_has_the_methods_of_the_port"),
    (with_places(Eager), "where_nothing_was_saved_there_is_nothing"),
    (with_places(Rounding), "a_state_comes_back_as_it_was_bit_by_bit"),
    (with_places(First), "a_later_state_takes_the_place_of_an_earlier_one"),
    (Memory, "what_is_saved_does_not_change_with_the_arrays_that_it_came_from"),
    (with_places(Keen), "what_is_discarded_is_gone"),
    (OnePlace, "trials_know_nothing_of_each_other"),
    (Hoarding, "what_is_not_wanted_is_let_go_of_and_the_rest_stays"),
    (Memory, "a_place_that_has_travelled_is_the_same_place"),
    (with_places(Naive), "a_state_that_cannot_be_kept_leaves_the_earlier_one"),
    (with_places(Naive), "what_is_damaged_is_never_handed_out"),
]


@pytest.mark.parametrize(("broken", "law"), BROKEN)
def test_broken_checkpoints_are_found_out(broken, law):
    class Suite(CheckpointsSuite):
        def make(self):
            return broken(self.folder / "checkpoints")

    with pytest.raises((AssertionError, OSError, pickle.UnpicklingError)):
        getattr(Suite(), f"test_{law}")()


def test_every_law_finds_one_of_them_out():
    assert {law for _, law in BROKEN} == set(laws(CheckpointsSuite))
