"""The strategies that need no model: what each of them proposes, and when it ends."""

import json
import pathlib

import numpy as np
import pytest

from hypernets.application import make_searcher, search, searcher_names
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import SearchError, SearchExhausted, SpaceError
from hypernets.domain.history import Direction, Failure, History, Trial, TrialState
from hypernets.domain.searchers import Proposal, Strategy
from hypernets.domain.searchers.quasi_random import Halton
from hypernets.domain.space import Choice, HyperSpace, Int, LayerModule, Or, Real
from hypernets.testing import AWKWARD_SPACES

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "proposals.json"
SIMPLE = (
    "cheapest_first",
    "evolution",
    "exhaustive",
    "grid",
    "largest_first",
    "local_search",
    "quasi_random",
    "random",
)


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def flat_space(n=4, size=6):
    def make():
        space = HyperSpace()
        with space.as_default():
            x = Input({"shape": (4,)}, name="in")
            for number in range(n):
                x = Dense({"units": Choice(range(size), name=f"x{number}")})(x)
        return space

    return make


def total(decisions):
    return float(sum(decisions.values()))


def trial_of(number, answer, reward):
    proposal = answer if isinstance(answer, Proposal) else Proposal(answer)
    return Trial(
        number,
        proposal.architecture.decisions,
        "",
        TrialState.FAILED if reward is None else TrialState.COMPLETED,
        {} if reward is None else {"reward": reward},
        failure=Failure("BuildError", "no") if reward is None else None,
        parent=proposal.parent,
        asked_after=number - 1,
        architecture=proposal.architecture,
    )


def drive(searcher, n, reward=total):
    """Ask and tell `n` times, or until it ends; return the proposals."""
    asked = []
    for number in range(1, n + 1):
        try:
            answer = searcher.ask()
        except SearchExhausted:
            break
        asked.append(answer if isinstance(answer, Proposal) else Proposal(answer))
        searcher.tell(trial_of(number, answer, reward(asked[-1].architecture.decisions)))
    return asked


def decisions_of(proposals):
    return [each.architecture.decisions for each in proposals]


# --- all of them --------------------------------------------------------------------


def test_every_strategy_has_a_name():
    assert set(SIMPLE) < set(searcher_names())


@pytest.mark.parametrize("name", SIMPLE)
def test_the_proposals_of_a_seed_are_those_of_earlier_versions(name):
    proposals = decisions_of(drive(make_searcher(name, flat_space(), seed=7), 40))
    golden = json.loads(GOLDEN.read_text())
    assert [list(each.values()) for each in proposals] == golden[name]


@pytest.mark.parametrize("name", SIMPLE)
def test_less_of_a_cost_is_as_more_of_a_reward(name):
    more = make_searcher(name, flat_space(), optimize_direction="max", seed=3)
    less = make_searcher(name, flat_space(), optimize_direction="min", seed=3)
    assert decisions_of(drive(more, 60)) == decisions_of(drive(less, 60, lambda d: -total(d)))


@pytest.mark.parametrize("name", SIMPLE)
def test_what_is_told_again_leads_to_the_same_proposals(name):
    first = make_searcher(name, flat_space(), seed=5)
    asked = drive(first, 30)
    again = first.fresh()
    for number, proposal in enumerate(asked, 1):
        assert Proposal.__eq__(_as_proposal(again.ask()), proposal)
        again.tell(trial_of(number, proposal, total(proposal.architecture.decisions)))
    assert _as_proposal(again.ask()) == _as_proposal(first.ask())


def _as_proposal(answer):
    return answer if isinstance(answer, Proposal) else Proposal(answer)


@pytest.mark.parametrize("name", SIMPLE)
def test_two_seeds_differ_where_anything_is_drawn(name):
    one, other = (
        decisions_of(drive(make_searcher(name, flat_space(), seed=s), 40)) for s in (1, 2)
    )
    assert (one == other) is (name == "grid")


@pytest.mark.parametrize("name", sorted(set(SIMPLE) - {"grid"}))
def test_each_architecture_of_a_finite_space_comes_exactly_once(name):
    asked = decisions_of(drive(make_searcher(name, flat_space(3, 4), seed=0), 1000))
    assert len(asked) == 64
    assert len({tuple(each.values()) for each in asked}) == 64


@pytest.mark.parametrize("name", SIMPLE)
def test_a_limit_is_kept(name):
    searcher = make_searcher(name, cost_space, seed=0)
    searcher.keep_within(CostLimit(max_params=700))
    asked = drive(searcher.fresh(), 100, lambda d: float(d["a"] + d["b"]))
    sizes = [each.architecture.cost().parameters for each in asked]
    assert len(sizes) == 5
    assert max(sizes) <= 700


@pytest.mark.parametrize("name", SIMPLE)
def test_a_search_by_name_goes_through(name):
    history = search(flat_space(3, 3), name, lambda a: total(a.decisions), seed=1, max_trials=27)
    assert len(history) == 27
    assert history.best.reward == 6.0


@pytest.mark.parametrize(
    ("name", "options", "wrong"),
    [
        ("evolution", {"population_size": 0}, "population_size must be an integer >= 1"),
        ("evolution", {"sample_size": 2.5}, "sample_size must be an integer >= 1"),
        ("evolution", {"crossover_rate": 2}, "crossover_rate must be a number from 0 to 1"),
        ("local_search", {"n_initial": True}, "n_initial must be an integer >= 1"),
        ("grid", {"resolution": 1}, "resolution must be an integer >= 2"),
        ("largest_first", {"measure": "beauty"}, "measure must be one of 'parameters'"),
        ("cheapest_first", {"pool": -1}, "pool must be an integer >= 1"),
        ("playback", {"history": []}, "history must be a History"),
        ("playback", {"history": History("max"), "top": 0}, "top must be an integer >= 1"),
        ("alphax", {"exploration": -1}, "exploration must be a number >= 0"),
        ("alphax", {"exploration": "much"}, "exploration must be a number >= 0"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(name, options, wrong):
    with pytest.raises(SearchError, match=wrong):
        make_searcher(name, flat_space(), **options)


# --- random -----------------------------------------------------------------------


class Reversed(Strategy):
    """Knows two tricks, and is the example of a strategy of somebody else."""

    def propose(self, rng):
        return self.space.architecture({"x0": 0, "x1": 0})


def test_a_strategy_that_repeats_itself_is_given_something_new():
    asked = decisions_of(drive(Reversed(flat_space(2, 3), seed=0), 100))
    assert len(asked) == 9
    assert list(asked[0].values()) == [0, 0]


def test_a_strategy_without_an_idea_says_so():
    with pytest.raises(NotImplementedError, match="Strategy must define propose"):
        Strategy(flat_space()).ask()


# --- grid, exhaustive, quasi-random -------------------------------------------------


def test_the_grid_turns_the_last_decision_fastest():
    asked = decisions_of(drive(make_searcher("grid", flat_space(2, 3)), 100))
    assert [tuple(each.values()) for each in asked] == [(a, b) for a in range(3) for b in range(3)]


def test_the_grid_takes_a_range_at_even_places_of_its_scale():
    space = HyperSpace()
    with space.as_default():
        values = {"rate": Real(1e-4, 1.0, prior="log_uniform", name="r"), "n": Int(0, 8, name="n")}
        Dense(values)(Input({"shape": (4,)}, name="in"))
    asked = decisions_of(drive(make_searcher("grid", space, resolution=3), 100))
    assert {each["n"] for each in asked} == {0, 4, 8}
    assert np.allclose(sorted({each["r"] for each in asked}), [1e-4, 1e-2, 1.0])
    assert len(asked) == 9


def test_decisions_that_are_not_there_do_not_multiply_the_grid():
    space = HyperSpace()
    with space.as_default():
        branches = [Dense({"units": Choice([1, 2, 3])}), Dense({"units": 7})]
        Or(branches)(Input({"shape": (4,)}, name="in"))
    assert len(drive(make_searcher("grid", space), 100)) == 4


def test_an_infinite_space_cannot_be_exhausted():
    with pytest.raises(SpaceError, match="only a finite space can be numbered"):
        make_searcher("exhaustive", AWKWARD_SPACES["continuous"])


def test_quasi_random_points_fill_each_axis_evenly():
    points = np.array([Halton(6, seed=3).point(number) for number in range(64)])
    for axis in range(6):
        counts, _ = np.histogram(points[:, axis], bins=8, range=(0.0, 1.0))
        assert counts.max() - counts.min() <= 4
    assert np.histogram(points[:, 0], bins=64, range=(0, 1))[0].tolist() == [1] * 64


def test_quasi_random_values_are_more_even_than_random_ones():
    def unevenness(name):
        found = []
        for seed in range(20):
            asked = decisions_of(drive(make_searcher(name, flat_space(4, 8), seed=seed), 64))
            values = np.array([list(each.values()) for each in asked])
            found.append(np.mean([np.bincount(values[:, k], minlength=8).std() for k in range(4)]))
        return np.mean(found)

    assert unevenness("quasi_random") < 0.5 * unevenness("random")


# --- by cost ------------------------------------------------------------------------


def cost_space():
    from hypernets.adapters.keras.layers import Dense as KerasDense
    from hypernets.adapters.keras.layers import Input as KerasInput

    space = HyperSpace()
    with space.as_default():
        x = KerasInput((8,))
        x = KerasDense(Choice([4, 16, 64], name="a"))(x)
        KerasDense(Choice([4, 16, 64], name="b"))(x)
    return space


@pytest.mark.parametrize(("name", "sign"), [("largest_first", -1), ("cheapest_first", 1)])
def test_architectures_come_in_the_order_of_their_parameters(name, sign):
    asked = drive(make_searcher(name, cost_space, seed=0), 100)
    sizes = [sign * each.architecture.cost().parameters for each in asked]
    assert len(sizes) == 9
    assert sizes == sorted(sizes)


# --- evolution ------------------------------------------------------------------------


def test_children_are_of_the_best_of_the_young():
    options = {"population_size": 5, "sample_size": 5, "n_initial": 10}
    searcher = make_searcher("evolution", flat_space(6, 8), seed=0, **options)
    asked = drive(searcher, 60)
    rewards = [total(each.architecture.decisions) for each in asked]
    assert [each.parent for each in asked[:10]] == [None] * 10
    for place in range(10, 60):
        young = range(place - 5, place)
        parent = asked[place].parent - 1
        assert parent in young, "the parent has left the population"
        assert rewards[parent] == max(rewards[k] for k in young)
        child, its = asked[place].architecture.decisions, asked[parent].architecture.decisions
        assert sum(child[name] != its[name] for name in child) == 1


def test_failed_trials_have_no_children():
    searcher = make_searcher("evolution", flat_space(6, 8), seed=0, n_initial=10)
    asked = drive(searcher, 60, lambda d: None if d["x0"] % 2 else total(d))
    assert all(
        asked[each.parent - 1].architecture.decisions["x0"] % 2 == 0
        for each in asked
        if each.parent is not None
    )


def test_a_reward_that_is_not_finite_has_no_children():
    searcher = make_searcher("evolution", flat_space(6, 8), seed=0, n_initial=10)
    odd = {1: float("nan"), 2: float("inf")}
    asked = drive(searcher, 60, lambda d: odd.get(d["x0"] % 3, total(d)))
    parents = [asked[each.parent - 1] for each in asked if each.parent is not None]
    assert parents
    assert all(each.architecture.decisions["x0"] % 3 == 0 for each in parents)


def test_evolution_with_crossover_finds_the_top_of_a_sum():
    searcher = make_searcher("evolution", flat_space(6, 8), seed=0, crossover_rate=0.5)
    rewards = [total(d) for d in decisions_of(drive(searcher, 400))]
    assert max(rewards) >= 40  # of 42; random search: about 36


# --- local search -----------------------------------------------------------------------


@pytest.mark.parametrize("first_improvement", [True, False])
def test_local_search_climbs_to_the_top_of_a_sum(first_improvement):
    options = {"n_initial": 3, "first_improvement": first_improvement}
    searcher = make_searcher("local_search", flat_space(6, 8), seed=0, **options)
    rewards = [total(d) for d in decisions_of(drive(searcher, 250))]
    assert max(rewards) == 42.0


def test_local_search_goes_to_the_first_better_neighbour():
    searcher = make_searcher("local_search", flat_space(6, 8), seed=1, n_initial=1)
    asked = drive(searcher, 60)
    rewards = [total(each.architecture.decisions) for each in asked]
    stands = 0
    for place in range(1, 60):
        if asked[place].parent is None:  # it has started again
            break
        assert asked[place].parent == stands + 1
        if rewards[place] > rewards[stands]:
            stands = place


def test_local_search_starts_again_where_nothing_is_better():
    searcher = make_searcher("local_search", flat_space(2, 3), seed=0, n_initial=2)
    asked = drive(searcher, 9, lambda d: 1.0)
    parents = [each.parent for each in asked]
    assert parents[:2] == [None, None]
    assert parents.count(None) > 2


# --- playback -----------------------------------------------------------------------


def test_playback_proposes_the_best_of_another_history_first():
    space = flat_space(2, 4)()
    history = search(space, "random", lambda a: total(a.decisions), seed=0, max_trials=10)
    searcher = make_searcher("playback", space, history=history, top=4)
    rewards = [total(d) for d in decisions_of(drive(searcher, 100))]
    assert rewards == [trial.reward for trial in history.top(4)]


def test_playback_passes_over_what_is_of_another_space():
    trials = [
        Trial(1, {"x0": 1, "x1": 9}, "", TrialState.COMPLETED, {"reward": 2.0}),
        Trial(2, {"x0": 1, "x1": 2}, "", TrialState.COMPLETED, {"reward": 1.0}),
    ]
    history = History({"reward": Direction.MAX}, trials)
    searcher = make_searcher("playback", flat_space(2, 4), history=history)
    assert searcher.n_passed_over == 1
    assert decisions_of(drive(searcher, 10)) == [{"x0": 1, "x1": 2}]
    with pytest.raises(SearchError, match="a trial of the space that succeeded"):
        make_searcher("playback", AWKWARD_SPACES["continuous"], history=history)
