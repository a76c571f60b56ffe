"""Densities made of kernels around known architectures."""

import itertools

import numpy as np
import pytest

from hypernets.core.search_space import Choice, HyperSpace, MultipleChoice, Real
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.searchers.parzen import ParzenKernels, ParzenWindows, places
from hypernets.domain.space import Int, LayerModule, Or


class Op(LayerModule):
    pass


def make_space():
    space = HyperSpace()
    with space.as_default():
        start = Op({"kind": Choice(["a", "b", "c"], name="kind")}, name="start")
        start.is_input = True
        wide = Op({"width": Choice([8, 16, 32, 64], name="width")}, name="wide")
        deep = Op({"depth": Int(0, 4, name="depth")}, name="deep")
        Or([wide, deep], hp_or=Choice([0, 1], name="which"), name="either")(start)
    return space


def every_place(space):
    return np.array([places(each) for each in space.enumerate(0)])


def test_places_are_numbers_of_values_and_nan_where_inactive():
    space = make_space()
    for architecture in space.enumerate(0):
        found = places(architecture)
        inactive = [value is UNDECIDED for value in architecture.values]
        assert np.isnan(found).tolist() == inactive
        decisions = architecture.frozen.decisions
        for rank, value in enumerate(architecture.values):
            if value is not UNDECIDED:
                assert decisions[rank].value_at(int(found[rank])) == value


@pytest.mark.parametrize("width", [0.05, 0.3, 1.0])
def test_a_density_sums_to_one_over_the_architectures_of_a_conditional_space(width):
    space = make_space()
    kernels = ParzenKernels(space.freeze().decisions, width)
    every = every_place(space)
    for known in (every[:1], every[::7], np.zeros((0, every.shape[1]))):
        chances = np.exp(ParzenWindows(kernels, known).logs(every))
        assert chances.sum() == pytest.approx(1.0)


def test_what_is_drawn_has_the_density():
    space = make_space()
    frozen = space.freeze()
    kernels = ParzenKernels(frozen.decisions, 0.3)
    every = every_place(space)
    windows = ParzenWindows(kernels, every[[3, 11]])
    expected = np.exp(windows.logs(every))
    rng, counts = np.random.default_rng(0), dict.fromkeys(map(str, every.tolist()), 0)
    n = 20_000
    for _ in range(n):
        known = windows.draw(rng)

        def choose(decision, known=known):
            rank = frozen.ranks[decision.index]
            return kernels.draw(rank, float(known[rank]), rng)

        counts[str(places(space.decide(choose)).tolist())] += 1
    found = np.array(list(counts.values())) / n
    error = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(found - expected) < 5 * error + 1e-4).all()


def test_near_numbers_are_likelier_and_names_are_all_alike():
    decisions = {d.name: (rank, d) for rank, d in enumerate(make_space().freeze().decisions)}
    kernels = ParzenKernels([d for _, d in decisions.values()], 0.3)
    every = np.arange(4.0)
    by_width = kernels.logs(decisions["width"][0], every, np.array([0.0]))[:, 0]
    assert (np.diff(by_width) < 0).all()
    by_kind = kernels.logs(decisions["kind"][0], np.arange(3.0), np.array([1.0]))[:, 0]
    assert by_kind[0] == by_kind[2] < by_kind[1]


@pytest.mark.parametrize("decision", ["rate", "many", "subset"])
def test_long_scales_and_subsets_have_densities_too(decision):
    space = HyperSpace()
    with space.as_default():
        space_of = {
            "rate": lambda: Real(1e-4, 1.0, prior="log_uniform", name="rate"),
            "many": lambda: Int(1, 1000, name="many"),
            "subset": lambda: MultipleChoice(list(range(9)), max_chosen_num=9, name="subset"),
        }
        Op({"x": space_of[decision]()}, name="only").is_input = True
    frozen = space.freeze()
    kernels = ParzenKernels(frozen.decisions, 0.2)
    rng = np.random.default_rng(0)
    known = places(space.sample(rng))
    drawn = np.array(
        [
            places(space.decide(lambda _: kernels.draw(0, float(known[0]), rng)))
            for _ in range(2_000)
        ]
    )
    logs = kernels.logs(0, drawn[:, 0], known)[:, 0]
    assert np.isfinite(logs).all()
    if decision == "subset":  # keeps its value, or takes any
        assert 0.75 < (drawn[:, 0] == known[0]).mean() < 0.85
        return
    edges = np.linspace(0.0, 1.0, 6)
    for low, high in itertools.pairwise(edges):
        middle = np.linspace(low, high, 101)
        chance = np.exp(kernels.logs(0, middle, known)[:, 0]).mean() * (high - low)
        there = ((drawn[:, 0] >= low) & (drawn[:, 0] < high)).mean()
        assert there == pytest.approx(chance, abs=0.04)
