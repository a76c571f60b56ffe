"""Searchers around a searcher, and several in a portfolio: what each adds, and that it adds it."""

import contextlib

import attrs
import numpy as np
import pytest

from hypernets.application import Search, search
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import SearchError, SearchExhausted
from hypernets.domain.history import Direction, History, Trial, TrialState
from hypernets.domain.searchers import Proposal, Strategy
from hypernets.frameworks.keras.layers import Dense, Dropout, Input
from hypernets.searchers import (
    BayesianOptimization,
    Constrained,
    Deduplicating,
    ExhaustiveSearcher,
    LocalSearch,
    Portfolio,
    RandomSearcher,
    RegularizedEvolution,
    WarmStart,
)


def redundant_space():
    """Return a space of 24 architectures and 18 networks: dropping twice is dropping otherwise."""
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,))
        x = Dense(Choice([4, 8], name="units"))(x)
        x = Dropout(Choice([0.0, 0.5], name="rate"))(x)
        x = Dropout(Choice([0.0, 0.5], name="again"))(x)
        Dense(Choice([1, 2, 3], name="out"))(x)
    return space


def flat_space(n=3, size=5):
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,))
        for number in range(n):
            x = Dense(Choice([2 ** (k + 1) for k in range(size)], name=f"x{number}"))(x)
    return space


def trial_of(number, answer, reward):
    architecture = getattr(answer, "architecture", answer)
    values = architecture.decisions, architecture.signature, TrialState.COMPLETED
    return Trial(number, *values, {"reward": reward}, architecture=architecture)


class Recording(Strategy):
    """Proposes what it is given, in turn, and remembers what it is told."""

    def __init__(self, space, decisions):
        super().__init__(space, seed=0)
        self.given, self.told = [self.space.architecture(each) for each in decisions], []

    def ask(self):
        if not self.given:
            raise SearchExhausted("nothing is left")
        return Proposal(self.given.pop(0))

    def tell(self, trial):
        self.told.append(trial)


def every_proposal(searcher):
    proposed = []
    with contextlib.suppress(SearchExhausted):
        while True:
            proposed.append(searcher.ask().architecture)
    return proposed


# --- deduplicating -----------------------------------------------------------------------


def test_each_network_is_proposed_once_however_it_is_decided():
    space = redundant_space()
    searcher = Deduplicating(ExhaustiveSearcher(space, seed=0))
    proposed = [architecture.signature for architecture in every_proposal(searcher)]
    every = {architecture.signature for architecture in space.enumerate(0)}
    assert sorted(proposed) == sorted(every)
    assert (len(every), space.count()) == (18, 24)


def test_the_searcher_is_told_the_earlier_result_for_what_computes_the_same():
    space = HyperSpace()
    with space.as_default():
        x = Dense(Choice([4, 8], name="units"))(Input(shape=(4,)))
        x = Dropout(Choice([0.0, 0.5], name="rate"))(x)
        Dropout(Choice([0.0, 0.5], name="again"))(x)
    same = [
        {"units": 4, "rate": 0.0, "again": 0.5},
        {"units": 4, "rate": 0.5, "again": 0.0},
        {"units": 8, "rate": 0.0, "again": 0.0},
        {"units": 8, "rate": 0.5, "again": 0.5},
    ]
    inner = Recording(space, same)
    searcher = Deduplicating(inner)
    first = searcher.ask()
    second = searcher.ask()  # the second of them computes what the first does, which is pending
    assert [first.architecture.decisions["units"], second.architecture.decisions["units"]] == [4, 8]
    assert inner.told == []
    searcher.tell(trial_of(1, first, 0.7))
    assert [t.decisions for t in inner.told] == same[:2]
    assert [t.reward for t in inner.told] == [0.7, 0.7]


def test_what_has_ended_is_answered_at_once():
    space = redundant_space()
    inner = Recording(space, [{"units": 4, "rate": 0.5, "again": 0.0, "out": 1}] * 2)
    searcher = Deduplicating(inner)
    searcher.tell(trial_of(1, searcher.ask(), 0.3))
    with pytest.raises(SearchExhausted):
        searcher.ask()
    assert [t.reward for t in inner.told] == [0.3, 0.3]


def test_a_searcher_that_repeats_itself_ends():
    inner = Recording(redundant_space(), [{"units": 4, "rate": 0.5, "again": 0.0, "out": 1}] * 3000)
    searcher = Deduplicating(inner)
    searcher.tell(trial_of(1, searcher.ask(), 0.0))
    with pytest.raises(SearchExhausted, match="2,000 proposals in a row"):
        searcher.ask()


def test_a_search_evaluates_each_network_once():
    searcher = Deduplicating(RegularizedEvolution(redundant_space(), seed=0, n_initial=2))
    history = search(searcher.space, searcher, lambda a: a.decisions["units"], max_trials=8)
    assert all(trial.answered_by is None for trial in history)
    assert len({trial.signature for trial in history}) == len(history)


# --- constrained -------------------------------------------------------------------------


def narrows(architecture):
    widths = list(architecture.decisions.values())
    return widths == sorted(widths, reverse=True)


def test_only_what_keeps_the_condition_is_proposed_and_all_of_it():
    space = flat_space()
    searcher = Constrained(ExhaustiveSearcher(space, seed=0), narrows)
    proposed = every_proposal(searcher)
    assert all(map(narrows, proposed))
    assert len(proposed) == sum(map(narrows, space.enumerate(0)))


def test_the_searcher_learns_that_a_refused_one_failed():
    inner = Recording(flat_space(), [{"x0": 2, "x1": 4, "x2": 8}, {"x0": 8, "x1": 4, "x2": 2}])
    searcher = Constrained(inner, narrows)
    assert searcher.ask().architecture.decisions["x0"] == 8
    (told,) = inner.told
    assert (told.state, told.decisions["x0"]) == (TrialState.FAILED, 2)
    assert "'narrows'" in told.failure.message


def test_a_condition_that_nothing_keeps_ends_the_search_with_its_name():
    space = HyperSpace()
    with space.as_default():
        Dense(Choice(range(1, 100_000), name="units"))(Input(shape=(4,)))
    searcher = Constrained(RandomSearcher(space, seed=0), lambda architecture: False)
    with pytest.raises(SearchExhausted, match=r"10,000 proposals in a row .*<lambda>"):
        searcher.ask()
    with pytest.raises(SearchError, match="accepts must be a function of an architecture"):
        Constrained(RandomSearcher(space), {"units": 3})


def test_evolution_searches_within_a_condition():
    searcher = Constrained(RegularizedEvolution(flat_space(), seed=0), narrows)
    history = search(
        searcher.space, searcher, lambda a: sum(a.decisions.values()), max_trials=30, seed=0
    )
    assert all(narrows(trial.architecture) for trial in history)
    assert history.best.reward == 96


# --- warm start --------------------------------------------------------------------------


def history_of(space, rewards, names=None):
    random_one = RandomSearcher(space, seed=1)
    trials = [trial_of(number, random_one.ask(), r) for number, r in enumerate(rewards, start=1)]
    bare = [attrs.evolve(trial, architecture=None) for trial in trials]
    return History(Direction.MAX, bare)


def test_the_best_of_another_search_come_first_and_are_evaluated_anew():
    space = flat_space()
    other = history_of(space, [0.1, 0.9, 0.5, 0.7])
    searcher = WarmStart(LocalSearch(space, seed=0, n_initial=1), other, top=3)
    asked = []
    for number in range(1, 30):
        asked.append(searcher.ask())
        searcher.tell(trial_of(number, asked[-1], float(number)))
    best = [other[at].decisions for at in (1, 3, 2)]
    assert [each.architecture.decisions for each in asked[:3]] == best
    assert len({each.architecture.key for each in asked}) == len(asked)


def test_what_a_changed_space_does_not_have_is_passed_over():
    space = flat_space()
    narrow = space.restrict({"x0": [2, 4]})
    other = history_of(space, np.linspace(0.1, 0.9, 20).tolist())
    searcher = WarmStart(LocalSearch(narrow, seed=0), other, top=20)
    n_there = sum(trial.decisions["x0"] in (2, 4) for trial in other)
    assert searcher.n_passed_over == 20 - n_there
    for _ in range(n_there):
        assert searcher.ask().architecture.decisions["x0"] in (2, 4)


def test_a_warm_start_without_anything_to_start_with_is_refused():
    space = flat_space()
    with pytest.raises(SearchError, match="history must be a History; received 'runs/first'"):
        WarmStart(RandomSearcher(space), "runs/first")
    with pytest.raises(SearchError, match="must hold a trial of the space that succeeded"):
        WarmStart(RandomSearcher(space), History(Direction.MAX))
    with pytest.raises(SearchError, match="top must be an integer >= 1"):
        WarmStart(RandomSearcher(space), history_of(space, [0.5]), top=0)


# --- what all of them are to a search ------------------------------------------------------


@pytest.mark.parametrize("wrap", [Deduplicating, lambda s: Constrained(s, narrows)])
def test_a_wrapper_is_known_by_what_it_wraps(wrap):
    searcher = wrap(RegularizedEvolution(flat_space(), seed=3, population_size=7))
    assert searcher.options["searcher"] == "RegularizedEvolution"
    assert searcher.options["population_size"] == 7
    assert (searcher.seed, searcher.direction) == (3, Direction.MAX)
    again = searcher.fresh()
    assert type(again) is type(searcher)
    assert again.searcher is not searcher.searcher
    assert again.ask() == searcher.ask()


def test_a_limit_goes_through_a_wrapper():
    searcher = Deduplicating(RegularizedEvolution(flat_space(), seed=0, n_initial=2))
    searcher.keep_within(CostLimit(max_params=100))
    for number in range(1, 15):
        answer = searcher.ask()
        assert answer.architecture.cost().parameters <= 100
        searcher.tell(trial_of(number, answer, float(number)))


# --- a portfolio ---------------------------------------------------------------------------


def test_the_member_that_finds_something_is_asked_more_often():
    space = flat_space(6, 6)
    members = {"random": RandomSearcher, "local": lambda *a: LocalSearch(*a, n_initial=1)}
    searcher = Portfolio(space, seed=0, members=members)
    by_member = {"random": 0, "local": 0}
    for number in range(1, 41):
        answer = searcher.ask()
        by_member[next(reversed(searcher._asked.values()))] += 1
        reward = sum(np.log2(each) for each in answer.architecture.decisions.values())
        searcher.tell(trial_of(number, answer, float(reward)))
    assert by_member["local"] > 1.5 * by_member["random"]
    assert by_member["random"] >= 3  # is tried again and again


def test_each_member_is_told_of_every_trial():
    searcher = Portfolio(flat_space(), seed=0, members={"a": RandomSearcher, "b": LocalSearch})
    answers = [searcher.ask() for _ in range(6)]
    for number, answer in enumerate(answers, start=1):
        searcher.tell(trial_of(number, answer, float(number)))
    assert all(searcher.members["a"].knows(each.architecture) for each in answers)
    assert not any(searcher.members["b"].is_new(each.architecture) for each in answers)


def test_a_member_that_has_nothing_left_drops_out():
    space = flat_space(2, 3)
    grid = {"grid": lambda *a: WarmStart(RandomSearcher(*a), history_of(space, [0.5]), top=1)}
    searcher = Portfolio(space, seed=0, members={**grid, "exhaustive": ExhaustiveSearcher})
    proposed = [architecture.key for architecture in every_proposal(searcher)]
    assert len(set(proposed)) == len(proposed) == 9


def test_members_are_as_the_seed_says_and_are_told_to_a_store():
    searcher = Portfolio(flat_space(), seed=4)
    told = searcher.options["members"]
    assert told["evolution"]["searcher"] == "RegularizedEvolution"
    seeds = {name: member.seed for name, member in searcher.members.items()}
    assert len(set(seeds.values())) == 3
    assert {name: m.seed for name, m in Portfolio(flat_space(), seed=4).members.items()} == seeds
    assert isinstance(searcher.members["bayesian"], BayesianOptimization)


@pytest.mark.parametrize("members", [{}, "evolution", {"evolution": "evolution"}])
def test_members_that_make_no_searcher_are_refused(members):
    with pytest.raises(SearchError, match="members must map names to classes of searchers"):
        Portfolio(flat_space(), members=members)


def test_a_portfolio_searches():
    found = Search(
        Portfolio(flat_space(6, 6), seed=0),
        lambda a: float(sum(np.log2(each) for each in a.decisions.values())),
    ).run(60)
    assert found.best.reward >= 34.0  # of 36; a random one in 1,666 is as good
