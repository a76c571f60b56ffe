import os
import subprocess
import sys

import pytest

from hypernets.domain.error import SearchError, SearchExhausted, SpaceError
from hypernets.domain.history import Direction, Trial, TrialState
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.searchers.odometer import Odometer
from hypernets.domain.searchers.randomness import rng_for, seed_for
from hypernets.domain.space import Choice, HyperSpace, LayerModule, Optional, Or, Real, Repeat


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def small_space():
    """2 x 3 x 3 = 18 configurations."""
    space = HyperSpace()
    with space.as_default():
        x = Optional(Dense({"units": 7}), keep_link=True)(Input({"shape": (4,)}, name="in"))
        x = Dense({"units": Choice([1, 2, 3])})(x)
        Dense({"units": Choice([1, 2, 3])})(x)
    return space


def conditional_space():
    """Or of one plain layer and a chain of 1 or 2 layers: 1 + 4 + 16 = 21, very unevenly drawn."""
    space = HyperSpace()
    with space.as_default():
        chain = Repeat(lambda step: Dense({"units": Choice([1, 2, 3, 4])}), [1, 2])
        Or([Dense({"units": 9}), chain])(Input({"shape": (4,)}, name="in"))
    return space


def continuous_space():
    space = HyperSpace()
    with space.as_default():
        rare = Dense({"rate": Real(0.0, 1.0)})
        Or([Dense({"units": 9}), rare])(Input({"shape": (4,)}, name="in"))
    return space


def asked(searcher, n):
    return [searcher.ask() for _ in range(n)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("space", "size"), [(small_space, 18), (conditional_space, 21)])
def test_a_finite_space_ends_exactly_when_everything_has_been_proposed_once(space, size, seed):
    searcher = RandomSearcher(space, seed=seed)
    keys = {architecture.key for architecture in asked(searcher, size)}
    assert len(keys) == size
    for _ in range(2):
        with pytest.raises(SearchExhausted, match=f"each of the {size} architectures"):
            searcher.ask()


def test_the_odometer_visits_every_architecture_once():
    visited = [a.key for a in Odometer(conditional_space(), seed=3)]
    assert len(visited) == len(set(visited)) == 21


def test_the_first_proposals_are_drawn_and_not_enumerated():
    firsts = {RandomSearcher(small_space, seed=seed).ask().key for seed in range(200)}
    assert len(firsts) == 18


def test_an_infinite_space_goes_on_where_a_finite_part_of_it_is_used_up():
    architectures = asked(RandomSearcher(continuous_space, seed=0), 50)
    assert len({a.key for a in architectures}) == 50


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("space", "size"), [(small_space, 18), (conditional_space, 21)])
def test_with_replacement_a_finite_space_ends_once_everything_has_been_proposed(space, size, seed):
    searcher = RandomSearcher(space, seed=seed, with_replacement=True)
    keys = []
    while len(set(keys)) < size:
        keys.append(searcher.ask().key)
    assert len(keys) > size
    for _ in range(2):
        with pytest.raises(SearchExhausted, match=f"each of the {size} architectures"):
            searcher.ask()


def test_with_replacement_every_draw_is_independent_of_those_before():
    searcher = RandomSearcher(small_space, seed=0, with_replacement=True)
    fresh = small_space()
    for number in range(30):
        rng = rng_for(0, number, "ask")
        assert searcher.ask().key == fresh.decide(lambda d, rng=rng: d.sample(rng)).key


def test_with_replacement_an_infinite_space_never_ends():
    searcher = RandomSearcher(continuous_space, seed=0, with_replacement=True)
    assert len({a.key for a in asked(searcher, 50)}) < 50


def test_the_same_seed_proposes_the_same_and_another_seed_does_not():
    def keys(seed):
        return [a.key for a in asked(RandomSearcher(small_space, seed=seed), 18)]

    assert keys(7) == keys(7)
    assert keys(7) != keys(8)


def test_what_it_is_told_changes_nothing_about_what_it_proposed_itself():
    told, silent = RandomSearcher(small_space, seed=1), RandomSearcher(small_space, seed=1)
    for number in range(1, 19):
        architecture = told.ask()
        assert architecture.key == silent.ask().key
        state = TrialState.FAILED if number % 2 else TrialState.COMPLETED
        told.tell(Trial(number, architecture.decisions, "s", state, architecture=architecture))


def test_an_architecture_that_was_evaluated_elsewhere_is_not_proposed():
    space = small_space()
    searcher = RandomSearcher(space, seed=0)
    known = space.sample(5)
    searcher.tell(Trial(1, known.decisions, "s", TrialState.COMPLETED, architecture=known))
    assert known.key not in {a.key for a in asked(searcher, 17)}
    with pytest.raises(SearchExhausted):
        searcher.ask()


def test_a_space_function_is_called_once_and_a_space_is_taken_as_it_is():
    calls = []

    def function():
        calls.append(1)
        return small_space()

    searcher = RandomSearcher(function, seed=0)
    asked(searcher, 18)
    assert len(calls) == 1
    space = small_space()
    assert RandomSearcher(space).space is space


def test_a_seed_of_its_own_is_drawn_and_can_be_read():
    searcher = RandomSearcher(small_space)
    again = RandomSearcher(small_space, seed=searcher.seed)
    assert [a.key for a in asked(searcher, 5)] == [a.key for a in asked(again, 5)]


@pytest.mark.parametrize("given", ["min", Direction.MIN])
def test_the_direction_is_taken_by_name_or_as_the_enum(given):
    assert RandomSearcher(small_space, given).direction is Direction.MIN
    assert RandomSearcher(small_space, optimize_direction=given).direction is Direction.MIN


def test_a_wrong_direction_is_refused():
    with pytest.raises(SearchError, match=r"optimize_direction must be .*received 'up'; write"):
        RandomSearcher(small_space, "up")


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True])
def test_a_wrong_seed_is_refused(seed):
    with pytest.raises(SearchError, match=r"seed must be an integer >= 0, or None; received"):
        RandomSearcher(small_space, seed=seed)


def test_a_function_that_forgets_to_return_its_space_is_told_so():
    def forgetful():
        small_space()

    with pytest.raises(SpaceError, match=r"received None from forgetful; end it with"):
        RandomSearcher(forgetful)


@pytest.mark.parametrize("source", [None, 5, "space"])
def test_what_is_no_space_and_no_function_is_refused(source):
    with pytest.raises(SpaceError, match=r"RandomSearcher must be given a HyperSpace.*received"):
        RandomSearcher(source)


def test_a_wrong_definition_is_reported_when_the_searcher_is_made():
    def unfinished():
        space = HyperSpace()
        with space.as_default():
            Dense({"units": 3})(Input({"shape": (4,)}))
            Dense({"units": Choice([1, 2])})
        return space

    with pytest.raises(SpaceError):
        RandomSearcher(unfinished)


def test_a_keyed_draw_depends_on_every_part_of_its_key_and_on_nothing_else():
    keys = [(1, 2, "ask"), (2, 2, "ask"), (1, 3, "ask"), (1, 2, "trial")]
    assert len({rng_for(*key).random() for key in keys}) == 4
    assert rng_for(1, 2, "ask").random() == rng_for(1, 2, "ask").random()
    assert all(0 <= seed_for(*key) < 2**31 for key in keys)
    assert seed_for(1, 2, "trial") == 1_393_799_817  # the same on every machine


def test_nothing_depends_on_the_hash_seed_of_the_process():
    program = (
        "from hypernets.domain.searchers import RandomSearcher\n"
        "from hypernets.domain.space import Choice, HyperSpace, LayerModule\n"
        "class Input(LayerModule):\n    is_input = True\n"
        "class Dense(LayerModule):\n    pass\n"
        "space = HyperSpace()\n"
        "with space.as_default():\n"
        "    x = Dense({'activation': Choice(['a', 'b', 'c'])})(Input({'shape': (4,)}))\n"
        "    Dense({'units': Choice(range(40))})(x)\n"
        "searcher = RandomSearcher(space, seed=5)\n"
        "print([list(searcher.ask().decisions.items()) for _ in range(120)])\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1")
    }
    assert len(printed) == 1
