"""Several evaluations of every architecture: asked for, told, summed up."""

import attrs
import numpy as np
import pytest

from hypernets.application import MemoryStore, Search, search
from hypernets.domain.error import BuildError, DivergedError, SearchError
from hypernets.domain.history import History, Trial, TrialState
from hypernets.domain.history.replicate import pooled_spread, summarise_replicates
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.searchers.wrapper.replicating import ReplicatingSearcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def space_of(n):
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(n), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


class Listening(RandomSearcher):
    def __init__(self, *given, **options):
        super().__init__(*given, **options)
        self.told = []

    def tell(self, trial):
        super().tell(trial)
        self.told.append(trial)


def trial(number, signature, reward, replicate=0):
    state = TrialState.COMPLETED
    return Trial(number, {}, signature, state, {"reward": reward}, replicate=replicate)


# --- the summary ------------------------------------------------------------------


def test_the_best_is_chosen_by_its_mean_and_not_by_its_luckiest_trial():
    rewards = {"lucky": [0.99, 0.50, 0.52], "steady": [0.80, 0.82, 0.81]}
    history = History()
    for signature, values in rewards.items():
        for replicate, value in enumerate(values):
            history.add(trial(len(history) + 1, signature, value, replicate))
    assert history.best.signature == "lucky"
    best, other = history.replicates()
    assert (best.trials[0].signature, best.n) == ("steady", 3)
    assert best.mean == pytest.approx(0.81)
    assert best.spread == pytest.approx(0.01)
    assert best.standard_error == other.standard_error
    assert best.bound == pytest.approx(best.mean - best.standard_error)


def test_a_mean_of_few_is_trusted_less_than_one_of_many():
    rewards = [("one", 0.9), *[("many", 0.85 + 0.1 * (-1) ** i) for i in range(16)]]
    trials = [trial(i, name, value, i) for i, (name, value) in enumerate(rewards, 1)]
    assert [s.trials[0].signature for s in History("max", trials).replicates()] == ["many", "one"]
    bold = History("max", trials).replicates(caution=0.0)
    assert [s.trials[0].signature for s in bold] == ["one", "many"]


def test_where_a_smaller_reward_is_better_the_bound_is_above_the_mean():
    trials = [trial(1, "a", 0.5), trial(2, "a", 0.7, 1), trial(3, "b", 0.9), trial(4, "b", 0.8, 1)]
    best = History("min", trials).replicates()[0]
    assert best.trials[0].signature == "a"
    assert best.bound > best.mean


def test_single_evaluations_are_compared_by_their_reward():
    summaries = History("max", [trial(1, "a", 0.5), trial(2, "b", 0.6)]).replicates()
    assert [(s.bound, s.spread, s.standard_error) for s in summaries] == [
        (0.6, None, None),
        (0.5, None, None),
    ]


def test_what_failed_or_was_answered_is_passed_over_and_other_training_is_another_architecture():
    trials = [
        trial(1, "a", 0.5),
        Trial(2, {}, "a", TrialState.FAILED, replicate=1),
        attrs.evolve(trial(3, "a", 0.5), answered_by=1),
        attrs.evolve(trial(4, "a", 0.9), training={"batch_size": 8}),
    ]
    assert [s.n for s in summarise_replicates(trials, History().direction)] == [1, 1]


def test_the_spread_is_that_of_all_groups_weighted_by_their_size():
    rng = np.random.default_rng(0)
    groups = [list(rng.normal(i, 2.0, size=2 + i % 3)) for i in range(2_000)]
    assert pooled_spread(groups) == pytest.approx(2.0, rel=0.03)
    assert pooled_spread([[1.0], [2.0]]) is None


@pytest.mark.parametrize("caution", [-1, True, float("nan"), float("inf")])
def test_a_caution_that_makes_no_sense_is_refused(caution):
    with pytest.raises(SearchError, match="caution must be a finite number >= 0"):
        History().replicates(caution)


# --- the search ---------------------------------------------------------------------


def test_every_proposal_is_evaluated_several_times_each_time_from_another_seed():
    history = search(space_of(4), "random", lambda a, c: c.seed % 97, replicates=3, seed=0)
    assert len(history) == 12
    assert [t.replicate for t in history] == [0, 1, 2] * 4
    assert len({t.seed for t in history}) == 12
    assert all(summary.n == 3 for summary in history.replicates())
    assert len({t.signature for t in history}) == 4


def test_the_searcher_is_told_once_of_each_proposal_with_the_means():
    searcher = Listening(space_of(4), seed=0)
    history = Search(searcher, lambda a, c: {"x": c.number, "y": 1}, replicates=3).run()
    assert [dict(t.objectives) for t in searcher.told] == [
        {"x": 2.0, "y": 1.0},
        {"x": 5.0, "y": 1.0},
        {"x": 8.0, "y": 1.0},
        {"x": 11.0, "y": 1.0},
    ]
    assert [t.number for t in searcher.told] == [1, 4, 7, 10]
    assert len(history) == 12


def test_a_failure_of_the_architecture_itself_is_not_repeated_and_bad_luck_is():
    def estimate(architecture, context):
        if architecture.decisions["units"] == 1:
            raise BuildError("too narrow")
        if context.number % 2:
            raise DivergedError("nan")
        return 1.0

    searcher = Listening(space_of(3), seed=0)
    history = Search(searcher, estimate, replicates=3).run()
    by_units = {n: [t for t in history if t.decisions["units"] == n] for n in range(3)}
    assert [len(by_units[n]) for n in range(3)] == [3, 1, 3]
    assert len(searcher.told) == 3
    states = {t.decisions["units"]: t.state for t in searcher.told}
    assert states[1] is TrialState.FAILED
    assert states[0] is states[2] is TrialState.COMPLETED


def test_a_search_with_replicates_that_was_cut_goes_on_as_it_was():
    def run(store, max_trials):
        searcher = RandomSearcher(space_of(9), seed=3)
        return Search(searcher, lambda a: 1, store=store, replicates=2, clock=Still()).run(
            max_trials
        )

    whole = list(run(MemoryStore(), 9))
    store = MemoryStore()
    run(store, 4)
    assert list(run(store, 9)) == whole


class Still:
    def now(self):
        return 0.0


def test_the_attributes_of_the_searcher_are_still_there():
    inner = RandomSearcher(space_of(3), "min", seed=7)
    outer = ReplicatingSearcher(inner, 2)
    assert (outer.space, outer.direction, outer.seed) == (inner.space, inner.direction, 7)
    assert not hasattr(outer, "nothing")


@pytest.mark.parametrize("replicates", [0, True, 1.5, "3"])
def test_a_wrong_number_of_replicates_is_refused(replicates):
    with pytest.raises(SearchError, match="replicates must be an integer >= 1; received"):
        search(space_of(2), estimate=lambda a: 1, replicates=replicates)
