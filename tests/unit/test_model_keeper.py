"""Models that are kept in a folder, across processes that are killed."""

import json

import attrs
import numpy as np
import pytest
import structlog

from hypernets.adapters.keras.model_keeper import ModelKeeper
from hypernets.adapters.process.artifact import ArtifactFile, write_artifact
from hypernets.application import Search
from hypernets.application.port import Measurement
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import CorruptStoreError, SearchError, StoreError
from hypernets.domain.history import Direction
from hypernets.frameworks.keras.layers import Dense, Input
from hypernets.searchers.random_searcher import RandomSearcher


@attrs.frozen
class FakeTrial:
    number: int
    reward: float
    succeeded: bool = True
    others: tuple = ()

    @property
    def objectives(self):
        return {"reward": self.reward, **dict(self.others)}


def weights_of(number, size=2):
    return [np.full(size, number, "float32"), np.zeros(())]


def keep(keeper, rewards, first=1, size=2):
    for number, reward in enumerate(rewards, start=first):
        keeper.stage(FakeTrial(number, reward), weights_of(number, size))
        keeper(FakeTrial(number, reward), None, False)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_only_the_best_is_kept_unless_more_are_asked_for(tmp_path):
    keeper = ModelKeeper(folder=tmp_path)
    keep(keeper, [0.5, 0.7, 0.6])
    assert keeper.numbers == [2]
    assert names(tmp_path) == ["trial-2.json", "trial-2.npz"]


def test_those_that_no_other_one_dominates_are_kept_beside_the_best(tmp_path):
    objectives = {"reward": Direction.MAX, "size": Direction.MIN}
    keeper = ModelKeeper(1, Direction.MAX, tmp_path, objectives=objectives)
    rng = np.random.default_rng(0)
    seen, costs = [], {}
    for number in range(1, 61):
        trial = FakeTrial(number, float(rng.integers(10)), others=(("size", rng.integers(10)),))
        would = keeper.would_keep(trial.objectives)
        keeper.stage(trial, weights_of(number))
        keeper(trial, None, False)
        seen.append(trial)
        costs[number] = (-trial.reward, trial.objectives["size"])
        front = {k for k, c in costs.items() if not any(dominates(o, c) for o in costs.values())}
        best = max(seen, key=lambda each: (each.reward, -each.number)).number
        assert set(keeper.numbers) == front | {best}
        assert would == (number in keeper.numbers)
    again = ModelKeeper(1, Direction.MAX, tmp_path, objectives=objectives)
    again.settle(seen)
    assert again.numbers == keeper.numbers
    assert again.would_keep({"reward": -1.0, "size": -1.0})
    assert not again.would_keep({"reward": -1.0, "size": 100.0})


def dominates(one, other):
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def test_a_keeper_goes_on_with_what_its_folder_holds(tmp_path):
    keep(ModelKeeper(2, Direction.MIN, tmp_path), [0.5, 0.7, 0.4])
    again = ModelKeeper(2, Direction.MIN, tmp_path)
    assert again.numbers == [3, 1]
    assert again.weights(3)[0].tolist() == [3, 3]
    assert [again.would_keep({"reward": reward}) for reward in (0.45, 0.5)] == [True, False]
    keep(again, [0.45], first=4)
    assert ModelKeeper(2, Direction.MIN, tmp_path).numbers == again.numbers == [3, 4]


def test_what_a_killed_run_left_unfinished_goes_and_what_is_not_ours_stays(tmp_path):
    keep(ModelKeeper(3, Direction.MAX, tmp_path), [0.5, 0.6, 0.7])
    (tmp_path / "trial-1.npz").unlink()
    (tmp_path / "trial-2.json").write_text("{")
    for name in ("trial-8.npz", "trial-9.npz.tmp", "trial-9.json.tmp", "mine.npz"):
        (tmp_path / name).write_bytes(b"x")
    assert ModelKeeper(3, Direction.MAX, tmp_path).numbers == [3]
    assert names(tmp_path) == ["mine.npz", "trial-3.json", "trial-3.npz"]


def test_weights_that_are_not_those_written_are_refused(tmp_path):
    keeper = ModelKeeper(1, Direction.MAX, tmp_path)
    keep(keeper, [0.5])
    path = tmp_path / "trial-1.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptStoreError, match="weights of trial 1"):
        ModelKeeper(1, Direction.MAX, tmp_path).weights(1)


def test_the_record_holds_the_digest_that_the_trial_has_computed(tmp_path):
    (tmp_path / "scratch").mkdir()
    written = write_artifact(None, weights_of(1), tmp_path / "scratch" / "artifact")
    artifact = ArtifactFile(tmp_path / "scratch" / "artifact", written["sha256"], 1)
    keeper = ModelKeeper(1, Direction.MAX, tmp_path / "models")
    keeper(FakeTrial(1, 0.5), artifact, True)
    record = json.loads((tmp_path / "models" / "trial-1.json").read_text())
    assert record["sha256"] == written["sha256"]
    assert ModelKeeper(1, Direction.MAX, tmp_path / "models").weights(1)[0].tolist() == [1, 1]


# --- the budget of the disk -----------------------------------------------------------


def bytes_of(folder):
    return sum(path.stat().st_size for path in folder.glob("*.npz"))


def test_no_more_is_kept_than_the_budget_allows_the_best_first(tmp_path):
    keep(ModelKeeper(1, Direction.MAX, tmp_path / "one"), [0.5], size=1000)
    budget = 2 * bytes_of(tmp_path / "one") + 10
    keeper = ModelKeeper(9, Direction.MAX, tmp_path / "many", max_bytes=budget)
    for number, reward in enumerate([0.5, 0.7, 0.6, 0.1, 0.9], start=1):
        keep(keeper, [reward], first=number, size=1000)
        assert bytes_of(tmp_path / "many") <= budget
    assert keeper.numbers == [5, 2]
    keep(keeper, [0.05], first=6, size=1)  # there is no room beside the better ones
    assert keeper.numbers == [5, 2]


def test_a_smaller_budget_holds_for_what_is_there_already(tmp_path):
    keep(ModelKeeper(9, Direction.MAX, tmp_path), [0.5, 0.7, 0.6], size=1000)
    keeper = ModelKeeper(9, Direction.MAX, tmp_path, max_bytes=5000)
    keeper.settle([FakeTrial(1, 0.5), FakeTrial(2, 0.7), FakeTrial(3, 0.6)])
    assert keeper.numbers == [2]
    assert names(tmp_path) == ["trial-2.json", "trial-2.npz"]


def test_the_best_is_kept_whatever_its_size_and_that_is_said(tmp_path):
    keeper = ModelKeeper(2, Direction.MAX, tmp_path, max_bytes=100)
    with structlog.testing.capture_logs() as events:
        keep(keeper, [0.5, 0.7])
    assert keeper.numbers == [2]
    assert [event["event"] for event in events] == 2 * ["best model exceeds the budget"]


def test_arguments_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(SearchError, match="count must be >= 1"):
        ModelKeeper(0)
    with pytest.raises(SearchError, match="max_bytes must be >= 1"):
        ModelKeeper(1, max_bytes=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="folder of the kept models"):
        ModelKeeper(1, Direction.MAX, tmp_path / "file")


# --- beside a history -----------------------------------------------------------------


def make_space():
    space = HyperSpace()
    with space.as_default():
        Dense(units=Choice(list(range(1, 41)), name="units"))(Input(shape=3))
    return space


class Weighing:
    name = "weighing"

    def estimate(self, architecture, context):
        number = architecture.decisions["units"]
        return Measurement({"reward": float(number)}, artifact=weights_of(number))


class PulledPlug(BaseException):
    """Ends a search as a kill does: nothing is done after it."""


class FragileStore:
    """A store in memory that outlives a search, and pulls the plug at an append."""

    def __init__(self):
        from hypernets.application.in_process.memory_store import MemoryStore

        self.inner = MemoryStore()
        self.pulls = None

    def append(self, trial):
        if self.pulls == (trial.number, "before"):
            raise PulledPlug
        self.inner.append(trial)
        if self.pulls == (trial.number, "after"):
            raise PulledPlug

    def __getattr__(self, name):
        return getattr(self.inner, name)


def run(store, folder, max_trials=12):
    keeper = ModelKeeper(2, Direction.MAX, folder)
    searcher = RandomSearcher(make_space, seed=3)
    search = Search(searcher, Weighing(), store=store, keeper=keeper, seed=0)
    return search.run(max_trials=max_trials), keeper


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 13))
def test_at_every_instant_the_best_of_the_history_have_their_weights(tmp_path, number, when):
    whole, kept = run(FragileStore(), tmp_path / "whole")
    store = FragileStore()
    store.pulls = (number, when)
    with pytest.raises(PulledPlug):
        run(store, tmp_path / "cut")
    durable = store.load()
    found = ModelKeeper(2, Direction.MAX, tmp_path / "cut")
    assert set(found.numbers) >= {trial.number for trial in durable.top(2)}
    store.pulls = None
    history, keeper = run(store, tmp_path / "cut")
    assert [t.reward for t in history] == [t.reward for t in whole]
    assert keeper.numbers == kept.numbers == [trial.number for trial in history.top(2)]
    assert [m.sha256 for m in keeper.models] == [m.sha256 for m in kept.models]
    assert names(tmp_path / "cut") == names(tmp_path / "whole")
