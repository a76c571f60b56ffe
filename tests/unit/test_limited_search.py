"""Random search within limits on the cost: nothing beyond them, everything within, then the end."""

import pytest

from hypernets.application import make_searcher, search
from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import SearchExhausted, SpaceError
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.searchers.odometer import Odometer
from hypernets.domain.space import Choice, HyperSpace, Optional
from hypernets.frameworks.keras.layers import Add, Dense, Input

LIMIT = CostLimit(max_params=60)


def chain() -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,))
        x = Optional(Dense(4), keep_link=True)(x)
        x = Dense(Choice([1, 3, 6, 20, 50]))(x)
        Dense(Choice([1, 2, 8, 30]))(x)
    return space


def misfit() -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        x = Input(shape=(4,))
        Add()([x, Dense(Choice([4, 5, 6, 7]))(x)])
    return space


def everything(searcher):
    found = []
    for _ in range(1_000):
        try:
            found.append(searcher.ask())
        except SearchExhausted as end:
            return found, str(end)
    raise AssertionError("it never ends")


@pytest.mark.parametrize("seed", range(4))
def test_a_finite_space_ends_when_all_within_the_limit_has_been_proposed_once(seed):
    searcher = RandomSearcher(chain, seed=seed, limit=LIMIT)
    found, message = everything(searcher)
    within = [a for a in searcher.space.every_architecture() if LIMIT.accepts(a)]
    assert 1 < len(within) < searcher.space.count()
    assert sorted(a.key for a in found) == sorted(a.key for a in within)
    assert "within max_params=60 has been proposed" in message
    with pytest.raises(SearchExhausted):
        searcher.ask()


def test_what_makes_no_network_is_left_out():
    found, _ = everything(RandomSearcher(misfit, seed=0, limit=CostLimit(max_params=10**6)))
    assert [list(a.decisions.values()) for a in found] == [[4]]


def test_a_space_without_a_network_within_the_limit_is_refused_at_once():
    with pytest.raises(SpaceError, match="every network takes at least 7"):
        RandomSearcher(chain, limit=CostLimit(max_params=6))


def test_the_same_seed_proposes_the_same_within_a_limit():
    first, again = (
        [a.key for a in everything(RandomSearcher(chain, seed=3, limit=LIMIT))[0]] for _ in range(2)
    )
    assert first == again


def test_a_limit_may_be_given_later_and_only_narrows():
    searcher = RandomSearcher(chain, seed=0)
    assert searcher.limit is None
    assert searcher.sampler is None
    searcher.keep_within(LIMIT)
    searcher.keep_within(CostLimit(max_params=1_000, max_depth=2))
    assert searcher.limit == CostLimit(max_params=60, max_depth=2)
    found, _ = everything(searcher)
    assert found
    assert all(a.cost().depth <= 2 for a in found)
    assert all(a.cost().parameters <= 60 for a in found)


def test_a_rare_corner_of_a_huge_space_is_searched():
    def make():
        space = HyperSpace()
        with space.as_default():
            x = Input(shape=(4,))
            for _ in range(40):
                x = Dense(Choice([4, 5, 900]))(x)
        return space

    limit = CostLimit(max_params=40 * 20 + 12)
    searcher = RandomSearcher(make, seed=0, limit=limit)
    found = [searcher.ask() for _ in range(3)]
    assert all(map(limit.accepts, found))
    assert len({a.key for a in found}) == 3


def test_with_replacement_a_limited_space_never_ends():
    searcher = RandomSearcher(chain, seed=0, limit=LIMIT, with_replacement=True)
    assert all(LIMIT.accepts(searcher.ask()) for _ in range(60))


def test_a_searcher_is_made_with_a_limit_by_its_name_and_searches():
    searcher = make_searcher("random", chain, seed=0, limit=LIMIT)
    history = search(searcher.space, searcher, lambda a: -a.cost().parameters, seed=0)
    assert len(history) > 1
    assert all(trial.architecture.cost().parameters <= 60 for trial in history)


def test_the_walk_leaves_out_what_nothing_wanted_begins_with():
    space = chain()
    unwanted = space.decisions[0].value_at(0)
    shown = list(Odometer(space, 0, lambda values: values[0] != unwanted))
    assert shown.count(None) == 1  # for all of them
    kept = [a.key for a in shown if a is not None]
    wanted = [a.key for a in space.every_architecture() if a.values[0] != unwanted]
    assert sorted(kept) == sorted(wanted)
