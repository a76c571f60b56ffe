"""Sampling under limits on the cost: by rejection, then by propagation; empty spaces refused."""

import collections

import numpy as np
import pytest

from hypernets.adapters.keras.spaces.cnn import cnn_search_space
from hypernets.adapters.keras.spaces.enas_micro import enas_micro_search_space
from hypernets.domain.architecture.limit import CostLimit, LimitedSampler
from hypernets.domain.error import SpaceError
from hypernets.domain.space import Choice, HyperSpace, Int, Optional, Or, Real
from hypernets.frameworks.keras.layers import Add, Conv2D, Dense, Dropout, Flatten, Input


def authored(author) -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        author()
    return space


def dense(units=(1, 2, 3, 4)) -> HyperSpace:
    return authored(lambda: Dense(Choice(units, name="units"))(Input(shape=(9,))))


def wide(depth=12) -> HyperSpace:
    """A chain of layers, each narrow or wide: one in 2^depth is narrow throughout."""

    def author():
        x = Input(shape=(4,))
        for number in range(depth):
            x = Dense(Choice([4, 400], name=f"units{number}"))(x)

    return authored(author)


NARROW = CostLimit(max_params=12 * 20)


# --- rejection -----------------------------------------------------------------------------


def test_samples_keep_within_the_limit_and_the_rest_is_counted():
    sampler = LimitedSampler(dense(), CostLimit(max_params=20))
    assert sampler.acceptance_rate == 1
    rng = np.random.default_rng(0)
    units = [sampler.sample(rng).decisions["units"] for _ in range(400)]
    assert set(units) == {1, 2}
    assert 0.4 < units.count(1) / 400 < 0.6  # drawn as the space would draw
    assert sampler.accepted == 400
    assert sampler.propagated == 0
    assert 0.4 < sampler.acceptance_rate < 0.6
    assert sampler.exceeded == {"max_params": sampler.attempts - 400}
    assert sampler.smallest == {"max_params": 10}
    assert sampler.least == {"max_params": 10}
    assert sampler.unbuildable == 0


def test_plain_draws_that_are_given_up_early_leave_the_distribution_as_it_is():
    def author():
        x = Input(shape=(4,))
        kind = Choice([0, 1], name="kind")
        deep = [Dense(Choice([1, 2, 3, 50], name="a"))]
        Dense(Choice([1, 40], name="b"))(Or([*deep, Dense(2)], hp_or=kind)(x))

    space, limit = authored(author), CostLimit(max_params=30)
    kept = [space.sample(seed) for seed in range(2_000)]
    kept = [a for a in kept if limit.accepts(a)]
    sampler = LimitedSampler(space, limit)
    rng = np.random.default_rng(0)
    drawn = [sampler.sample(rng) for _ in range(len(kept))]
    assert sampler.propagated == 0
    expected = collections.Counter(a.key for a in kept)
    found = collections.Counter(a.key for a in drawn)
    assert set(found) == set(expected)
    for key, count in expected.items():
        assert abs(found[key] - count) < 5 * count**0.5 + 5


@pytest.mark.parametrize("limit", [CostLimit(max_params=20), CostLimit(max_params=15)])
def test_the_same_seed_gives_the_same_architecture_whatever_was_drawn_before(limit):
    used = LimitedSampler(dense(), limit)
    for seed in (0, 1, 2):
        fresh = LimitedSampler(dense(), limit).sample(seed)
        assert used.sample(seed).decisions == fresh.decisions
    with pytest.raises(SpaceError, match="seed"):
        used.sample(-1)


# --- propagation ---------------------------------------------------------------------------


def test_propagation_finds_at_once_what_rejection_would_never_find():
    sampler = LimitedSampler(wide(40), CostLimit(max_params=40 * 20), max_attempts=51)
    architecture = sampler.sample(0)
    assert set(architecture.decisions.values()) == {4}
    assert sampler.attempts == 51  # fifty plain ones, then the first by propagation
    assert (sampler.accepted, sampler.propagated) == (1, 1)
    assert sampler.acceptance_rate == 0


def test_a_limit_that_fewer_than_one_in_ten_thousand_enas_networks_meet_is_met_at_once():
    # 11 of 139,480 random ones meet it
    space, limit = enas_micro_search_space("NRNR", (28, 28, 1), 16), CostLimit(max_params=14_000)
    plain = LimitedSampler(space, limit)
    rng = np.random.default_rng(0)
    assert [plain.draw(rng) for _ in range(100)] == [None] * 100
    sampler = LimitedSampler(space, limit, plain_draws=0)
    found = [sampler.sample(seed) for seed in range(3)]
    assert all(map(limit.accepts, found))
    assert sampler.propagated == 3
    assert sampler.attempts <= 6


def test_propagation_copes_with_several_limits_with_continuous_decisions_and_with_many_values():
    def author():
        x = Input(shape=(8, 8, 3))
        x = Conv2D(Int(1, 12, name="filters"), Choice([1, 3, 5, 7], name="kernel"))(x)
        x = Dropout(Real(0.1, 0.5, name="rate"))(Flatten()(x))
        Dense(Int(1, 15, name="units"))(x)

    limit = CostLimit(max_params=1_000, max_flops=20_000)
    sampler = LimitedSampler(authored(author), limit, plain_draws=0)
    assert all(limit.accepts(sampler.sample(seed)) for seed in range(10))
    assert sampler.acceptance_rate == 1  # of plain draws, of which there is none
    assert sampler.attempts < 40


def test_depth_is_kept_by_propagation_and_activations_by_rejection():
    def author():
        x = Input(shape=(4,))
        for number in range(12):
            x = Optional(Dense(4), keep_link=True, hp_opt=Choice([True, False], name=f"{number}"))(
                x
            )
        Dense(Choice([1, 30], name="units"))(x)

    sampler = LimitedSampler(authored(author), CostLimit(max_depth=1), plain_draws=0)
    assert sampler.sample(0).cost().depth == 1
    assert sampler.attempts == 1
    narrow = CostLimit(max_activation_bytes=4 * 8)
    sampler = LimitedSampler(authored(author), narrow, plain_draws=0)
    assert {sampler.sample(seed).decisions["units"] for seed in range(5)} == {1}
    assert sampler.attempts > 5


def test_what_could_not_be_built_is_not_offered():
    def author():
        x = Input(shape=(4,))
        Add()([x, Dense(Choice([4, *range(5, 30)], name="units"))(x)])

    sampler = LimitedSampler(authored(author), CostLimit(max_params=10**6), plain_draws=0)
    assert {sampler.sample(seed).decisions["units"] for seed in range(5)} == {4}


# --- reports -------------------------------------------------------------------------------


def test_the_report_says_what_was_drawn_and_what_was_in_the_way():
    sampler = LimitedSampler(dense(range(1, 101)), CostLimit(max_params=10, max_depth=4))
    sampler.sample(1)
    rate = f"{sampler.acceptance_rate:.2%}"
    assert str(sampler) == sampler.report()
    lines = str(sampler).splitlines()
    assert lines[0] == "limits: max_params=10, max_depth=4"
    assert lines[1].startswith(f"accepted: 1 of {sampler.attempts} draws")
    assert rate in lines[2]
    assert lines[-1] == f"exceeding max_params: {sampler.attempts - 1}"


def test_a_space_samples_within_limits_given_by_name():
    sampler = dense().within(max_params=10)
    assert sampler.sample(0).decisions == {"units": 1}
    with pytest.raises(SpaceError, match="must be given a limit"):
        dense().within()


def test_what_cannot_be_built_is_rejected_and_counted():
    def author():
        x = Input(shape=(4,))
        Add()([x, Dense(Choice([4, 5], name="units"))(x)])

    sampler = LimitedSampler(authored(author), CostLimit(max_params=100))
    rng = np.random.default_rng(0)
    assert {sampler.sample(rng).decisions["units"] for _ in range(20)} == {4}
    assert sampler.unbuildable == sampler.attempts - 20 > 0


# --- refusals ------------------------------------------------------------------------------


def test_an_empty_space_is_refused_before_any_draw_with_the_limit_and_the_least_cost():
    with pytest.raises(SpaceError) as caught:
        LimitedSampler(dense(), CostLimit(max_params=9, max_depth=5))
    message = str(caught.value)
    assert "max_params=9, where every network takes at least 10" in message
    assert "raise the limit" in message
    assert "max_depth" not in message


def test_a_space_that_is_empty_for_reasons_unknown_is_refused_after_so_many_attempts():
    def author():  # the activations of both layers at once are beyond what either has alone
        Dense(Choice([50, 60], name="units"))(Input(shape=(9,)))

    sampler = LimitedSampler(
        authored(author), CostLimit(max_activation_bytes=100, max_depth=1), max_attempts=70
    )
    with pytest.raises(SpaceError, match="last 70 architectures") as caught:
        sampler.sample(0)
    message = str(caught.value)
    assert "max_activation_bytes=100 (exceeded by 70 of 70, the smallest seen is 236" in message
    assert "max_depth" not in message
    assert sampler.acceptance_rate == 0


def test_a_practically_empty_space_is_refused_after_so_many_attempts():
    sampler = LimitedSampler(dense(range(1, 100_000)), CostLimit(max_params=10), max_attempts=20)
    with pytest.raises(SpaceError, match="last 20 architectures"):
        sampler.sample(0)


def test_a_space_without_networks_is_refused_with_the_way_to_the_reason():
    def author():
        x = Input(shape=(4,))
        Optional(Dense(1), keep_link=True)(Add()([x, Dense(5)(x)]))

    sampler = LimitedSampler(authored(author), CostLimit(max_params=100), max_attempts=60)
    with pytest.raises(SpaceError, match=r"Add.*verify\(\)"):
        sampler.sample(0)


@pytest.mark.parametrize("attempts", [0, -1, 1.5, True, None])
def test_a_number_of_attempts_that_makes_no_sense_is_refused(attempts):
    with pytest.raises(SpaceError, match="max_attempts"):
        LimitedSampler(dense(), CostLimit(max_depth=1), max_attempts=attempts)
    if attempts != 0:
        with pytest.raises(SpaceError, match="plain_draws"):
            LimitedSampler(dense(), CostLimit(max_depth=1), plain_draws=attempts)


def test_the_ready_convolutional_space_is_sampled_within_tight_limits():
    space = cnn_search_space((28, 28, 1), 10, "softmax")
    limit = CostLimit(max_params=1_600_000)  # the smallest of all has 1,542,634
    sampler = LimitedSampler(space, limit, plain_draws=0, max_attempts=5)
    assert all(limit.accepts(sampler.sample(seed)) for seed in range(3))
