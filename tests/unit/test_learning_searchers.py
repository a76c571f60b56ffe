"""The strategies with a model or a policy: the same laws as for the simple ones, and their own."""

import json
import pathlib

import numpy as np
import pytest

from hypernets.adapters.benchmark import load_benchmark, race
from hypernets.application import make_searcher, searcher_names
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import SearchError, SearchExhausted
from hypernets.domain.history import Direction, Failure, History, Trial, TrialState
from hypernets.domain.searchers import TPE, Proposal, RegularizedEvolution
from hypernets.domain.searchers.parego import weighed
from hypernets.domain.space import Choice, HyperSpace, LayerModule

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "learned_proposals.json"
OPTIONS = {
    "alphax": {"n_initial": 5},
    "bayesian": {"n_initial": 5},
    "policy_gradient": {"batch_size": 5},
    "nsga2": {"n_initial": 5, "objectives": {"reward": "max", "spread": "min"}},
    "parego": {"n_initial": 5, "objectives": {"reward": "max", "spread": "min"}},
    "portfolio": {"members": {"tpe": TPE, "evolution": RegularizedEvolution}},
    "tpe": {"n_initial": 5},
}
MIRRORED = {
    name: {**options, "objectives": {"reward": "min", "spread": "min"}}
    if "objectives" in options
    else options
    for name, options in OPTIONS.items()
}


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
    """A sum of uneven terms, so that no two architectures are worth the same by symmetry."""
    return float(sum((1.0 + 0.13 * k) * v for k, v in enumerate(decisions.values())))


def drive(searcher, n, sign=1.0):
    asked = []
    for number in range(1, n + 1):
        try:
            answer = searcher.ask()
        except SearchExhausted:
            break
        asked.append(answer.architecture.decisions)
        searcher.tell(trial_of(number, answer, sign))
    return asked


def trial_of(number, answer, sign=1.0):
    decisions = answer.architecture.decisions
    failed = decisions["x0"] == 3
    values = list(decisions.values())
    return Trial(
        number,
        decisions,
        "",
        TrialState.FAILED if failed else TrialState.COMPLETED,
        {}
        if failed
        else {"reward": sign * total(decisions), "spread": float(max(values) - min(values))},
        failure=Failure("BuildError", "no") if failed else None,
        parent=answer.parent,
        asked_after=number - 1,
        architecture=answer.architecture,
    )


def test_every_strategy_has_a_name():
    assert set(OPTIONS) < set(searcher_names())


@pytest.mark.parametrize("name", OPTIONS)
def test_the_proposals_of_a_seed_are_those_of_earlier_versions(name):
    proposals = drive(make_searcher(name, flat_space(), seed=7, **OPTIONS[name]), 25)
    golden = json.loads(GOLDEN.read_text())
    assert [list(each.values()) for each in proposals] == golden[name]


@pytest.mark.parametrize("name", OPTIONS)
def test_less_of_a_cost_is_as_more_of_a_reward(name):
    more = make_searcher(name, flat_space(), optimize_direction="max", seed=3, **OPTIONS[name])
    less = make_searcher(name, flat_space(), optimize_direction="min", seed=3, **MIRRORED[name])
    assert drive(more, 40) == drive(less, 40, sign=-1.0)


@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_told_again_leads_to_the_same_proposals(name):
    first = make_searcher(name, flat_space(), seed=5, **OPTIONS[name])
    again = first.fresh()
    for number in range(1, 26):
        one, other = first.ask(), again.ask()
        assert one == other
        first.tell(trial_of(number, one))
        again.tell(trial_of(number, other))
    assert first.ask() == again.ask()


@pytest.mark.parametrize("name", OPTIONS)
def test_each_architecture_of_a_finite_space_comes_exactly_once(name):
    asked = drive(make_searcher(name, flat_space(3, 4), seed=0, **OPTIONS[name]), 100)
    assert len(asked) == 64
    assert len({tuple(each.values()) for each in asked}) == 64


@pytest.mark.parametrize("name", OPTIONS)
def test_a_limit_is_kept(name):
    from hypernets.adapters.keras.layers import Dense as KerasDense
    from hypernets.adapters.keras.layers import Input as KerasInput

    space = HyperSpace()
    with space.as_default():
        x = KerasDense(Choice([4, 16, 64], name="x0"))(KerasInput((8,)))
        KerasDense(Choice([4, 16, 64], name="x1"))(x)
    searcher = make_searcher(name, space, seed=0, **OPTIONS[name])
    searcher.keep_within(CostLimit(max_params=700))
    asked = drive(searcher, 100)
    sizes = [space.architecture(each).cost().parameters for each in asked]
    assert len(sizes) == 5
    assert max(sizes) <= 700


@pytest.mark.parametrize("name", ["alphax", "bayesian", "policy_gradient", "tpe"])
def test_more_is_learned_than_by_chance(name):
    table = load_benchmark("generated/additive")
    options = {**OPTIONS[name], "n_initial": 10} if name != "policy_gradient" else {"batch_size": 5}
    runs = race(
        lambda space, direction, seed: make_searcher(
            name, space, optimize_direction=direction, seed=seed, **options
        ),
        table,
        n_queries=60,
        n_runs=4,
    )
    found = np.mean([run.regrets[-1] for run in runs])
    assert found < table.regret_of_random(200)


# --- many at a time ----------------------------------------------------------------------


def test_what_is_pending_counts_as_what_is_expected_of_it():
    """Eight asked for at once are different, and not all next to each other."""
    searcher = make_searcher("bayesian", flat_space(6, 8), seed=0, n_initial=10)
    drive(searcher, 30)
    asked = [searcher.ask().architecture for _ in range(8)]
    assert len({each.key for each in asked}) == 8


def test_a_trial_that_has_not_ended_counts_as_a_loss_in_the_tree():
    searcher = make_searcher("alphax", flat_space(2, 3), seed=0, n_initial=100)
    first = first_decision(searcher.space)
    firsts = [searcher.ask().architecture.decisions[first] for _ in range(3)]
    assert sorted(firsts) == [0, 1, 2]  # without virtual loss, the way of the first would be taken


def first_decision(space):
    names = []
    space.decide(lambda decision: names.append(decision.name) or decision.value_at(0))
    return names[0]


def test_the_tree_goes_where_rewards_are():
    space = flat_space(4, 4)()
    searcher = make_searcher("alphax", space, seed=1, n_initial=1000, exploration=0.1)
    first, asked = first_decision(space), []
    for number in range(1, 61):
        answer = searcher.ask()
        decisions = answer.architecture.decisions
        asked.append(decisions[first])
        values = decisions, "", TrialState.COMPLETED, {"reward": float(decisions[first] == 2)}
        searcher.tell(
            Trial(number, *values, asked_after=number - 1, architecture=answer.architecture)
        )
    assert asked[30:].count(2) > 20


def test_trials_of_another_search_are_learned_from():
    """What was told and never asked for teaches as well: transfer, or a warm start."""
    space = flat_space(6, 8)()
    for name in ("alphax", "bayesian", "policy_gradient"):
        teacher = make_searcher("random", space, seed=1)
        searcher = make_searcher(name, space, seed=0, **OPTIONS[name])
        for number in range(1, 61):
            searcher.tell(trial_of(number, Proposal(teacher.ask())))
        asked = drive(searcher, 10)
        mean = np.mean([total(space.sample(seed).decisions) for seed in range(200)])
        if name != "policy_gradient":  # which imitates only once a batch of its own is there
            assert np.mean([total(each) for each in asked[5:]]) > mean + 5


def test_the_first_ones_are_of_evenly_spread_sizes_the_largest_first():
    from hypernets.frameworks.keras.layers import Dense as KerasDense
    from hypernets.frameworks.keras.layers import Input as KerasInput

    space = HyperSpace()
    with space.as_default():
        x = KerasInput((8,))
        for number in range(4):
            x = KerasDense(Choice([4, 16, 64, 256], name=f"x{number}"))(x)
    every = [each.cost().parameters for each in space.enumerate(0)]
    searcher = make_searcher("bayesian", space, seed=0, n_initial=5)
    sizes = []
    for number in range(1, 6):
        answer = searcher.ask()
        sizes.append(answer.architecture.cost().parameters)
        searcher.tell(trial_of(number, answer))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] >= 0.9 * max(every)
    assert sizes[-1] <= np.quantile(every, 0.05)
    blind = make_searcher("bayesian", space, seed=0, n_initial=5, groups=("decisions",))
    first = make_searcher("random", space, seed=0).ask()
    assert blind.ask().architecture == first  # nothing is known of sizes, so random ones


def test_candidates_are_near_the_good_ones():
    """After a few good trials, most proposals of TPE share most decisions with one of them."""
    searcher = make_searcher("tpe", flat_space(6, 8), seed=0, n_initial=20)
    asked = drive(searcher, 60)
    best = sorted(asked[:40], key=total)[-8:]
    for late in asked[40:]:
        shared = max(sum(late[k] == good[k] for k in late) for good in best)
        assert shared >= 2
    assert np.mean([total(each) for each in asked[40:]]) > max(map(total, asked[:10]))


def test_alphax_learns_from_a_search_on_other_data():
    space = flat_space(6, 8)()
    teacher = make_searcher("random", space, seed=1)
    trials = [trial_of(number, Proposal(teacher.ask())) for number in range(1, 101)]
    history = History({"reward": Direction.MAX, "spread": Direction.MIN}, trials)
    taught = make_searcher("alphax", space, seed=0, history=history)
    alone = make_searcher("alphax", space, seed=0)
    first = [np.mean([total(each) for each in drive(one, 10)]) for one in (taught, alone)]
    assert first[0] > first[1] + 5.0
    assert taught.options["history"] != alone.options["history"]
    assert taught.fresh().ask() == make_searcher("alphax", space, seed=0, history=history).ask()
    for wrong in ("runs/first", History(Direction.MAX)):
        with pytest.raises(SearchError, match="history must be a History with two trials"):
            make_searcher("alphax", space, history=wrong)


def test_where_nearly_all_fail_candidates_are_near_what_did_not():
    """Failures are never among the good ones, however few of them there are."""
    space = flat_space(4, 6)()
    searcher = make_searcher("tpe", space, seed=0, n_initial=10)
    only = {"x0": 5, "x1": 5, "x2": 5, "x3": 5}
    for number in range(1, 101):
        decisions = only if number == 50 else space.sample(number).decisions
        values = (decisions, "", TrialState.COMPLETED, {"reward": 1.0})
        if number != 50:
            values = (decisions, "", TrialState.FAILED)
        searcher.tell(Trial(number, *values, architecture=space.architecture(decisions)))
    asked = [searcher.ask().architecture.decisions for _ in range(10)]
    assert np.mean([sum(each[k] == 5 for k in each) for each in asked]) > 2.0


# --- several objectives --------------------------------------------------------------------


def test_nsga2_spreads_over_the_front():
    """Large values, and far from each other: for each spread there is one best architecture."""
    searcher = make_searcher(
        "nsga2", flat_space(), seed=0, objectives={"reward": "max", "spread": "max"}
    )
    asked = drive(searcher, 200)
    for smallest in (0, 1, 2, 4, 5):
        assert {"x0": smallest, "x1": 5, "x2": 5, "x3": 5} in asked


@pytest.mark.parametrize("name", ["nsga2", "parego"])
@pytest.mark.parametrize(
    "objectives", [{"reward": "max"}, ["reward", "spread"], None, {"a": "max", "b": "upward"}]
)
def test_objectives_that_make_no_sense_are_refused(name, objectives):
    with pytest.raises(SearchError):
        make_searcher(name, flat_space(), objectives=objectives)


def test_parego_finds_both_ends_of_the_front_and_the_middle():
    objectives = {"reward": "max", "spread": "max"}
    searcher = make_searcher("parego", flat_space(), seed=0, objectives=objectives)
    asked = drive(searcher, 120)
    for smallest in (0, 2, 5):
        assert {"x0": smallest, "x1": 5, "x2": 5, "x3": 5} in asked


def test_weighed_costs_are_augmented_chebyshev_values():
    points = np.array([[0.0, 10.0], [1.0, 0.0], [0.5, 5.0]])
    values = weighed(points, np.array([0.4, 0.6]))
    assert values == pytest.approx([0.6 + 0.03, 0.4 + 0.02, 0.3 + 0.05 * 0.5])


def test_children_are_chosen_by_what_models_expect():
    """With models the front of a smooth landscape is found in fewer trials than without."""

    def missing(n_children):
        n = []
        for seed in range(4):
            searcher = make_searcher(
                "nsga2",
                flat_space(6, 5),
                seed=seed,
                objectives={"reward": "max", "spread": "min"},
                n_children=n_children,
            )
            asked = drive(searcher, 60)
            n.append(34.0 - max(total(each) for each in asked))
        return np.mean(n)

    assert missing(20) < missing(1)


def test_the_groups_of_the_model_are_checked():
    with pytest.raises(SearchError, match="groups must be some of 'decisions', 'places'"):
        make_searcher("bayesian", flat_space(), groups=("colours",))


def test_a_small_space_may_be_treated_as_a_large_one():
    options = {"n_initial": 5, "score_all": False}
    asked = drive(make_searcher("bayesian", flat_space(3, 4), seed=0, **options), 100)
    assert len({tuple(each.values()) for each in asked}) == len(asked) == 64


def test_the_model_may_see_a_part_alone():
    for groups in (("decisions",), ("paths",), ("cost",), ("decisions", "cost")):
        searcher = make_searcher("bayesian", flat_space(), seed=0, n_initial=5, groups=groups)
        assert len(drive(searcher, 20)) == 20
