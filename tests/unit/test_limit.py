"""Limits on the cost, and sampling under them."""

import numpy as np
import pytest

from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.architecture.limit_sampler import LimitedSampler
from hypernets.domain.error import SpaceError
from hypernets.domain.space import Choice, HyperSpace, LayerModule, Optional, Repeat
from hypernets.frameworks.keras.layers import Add, Dense, Input


def authored(author) -> HyperSpace:
    space = HyperSpace()
    with space.as_default():
        author()
    return space


def dense(units=(1, 2, 3, 4)) -> HyperSpace:
    return authored(lambda: Dense(Choice(units, name="units"))(Input(shape=(9,))))


def deep() -> HyperSpace:
    def author():
        x = Repeat(lambda step: Dense(4), repeat_num_choices=[1, 2, 3])(Input(shape=(4,)))
        Dense(2)(x)

    return authored(author)


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        (CostLimit(max_parameters=20), 2),
        (CostLimit(max_parameters=29), 2),
        (CostLimit(max_parameters=30), 3),  # a limit is included
        (CostLimit(max_multiply_adds=27), 3),
        (CostLimit(max_weight_bytes=4 * 30), 3),
        (CostLimit(max_activation_bytes=4 * (9 + 1)), 1),
        (CostLimit(max_parameters=30, max_multiply_adds=18), 2),
        (CostLimit(max_depth=1), 4),
    ],
)
def test_every_limit_accepts_what_keeps_within_it_and_nothing_else(limit, most):
    space = dense()
    accepted = [a.decisions["units"] for a in space.every_architecture() if limit.accepts(a)]
    assert accepted == list(range(1, most + 1))


def test_depth_is_limited_too():
    space = deep()
    limit = CostLimit(max_depth=3)
    depths = [a.cost().depth for a in space.every_architecture() if limit.accepts(a)]
    assert depths == [2, 3]


def test_the_excess_names_the_limits_and_the_cost():
    cost = dense().architecture({"units": 4}).cost()
    limit = CostLimit(max_parameters=10, max_multiply_adds=100, max_weight_bytes=12)
    assert limit.excess(cost) == {"max_parameters": 40, "max_weight_bytes": 160}


def test_a_limit_without_any_limit_is_refused():
    with pytest.raises(SpaceError, match="max_parameters"):
        CostLimit()


@pytest.mark.parametrize("value", [-1, 1.5, "many", True])
def test_a_limit_that_is_no_integer_is_refused(value):
    with pytest.raises(SpaceError, match=r"max_depth must be an integer >= 0"):
        CostLimit(max_depth=value)


def test_multiply_adds_that_nothing_can_tell_are_no_ground_for_a_limit():
    class Oracle:
        def infer(self, layer, input_shapes):
            return (None, 2)

        def weights(self, layer, input_shapes):
            from hypernets.domain.layers import Weights

            return Weights(10)

    class Strange(LayerModule):
        oracle = Oracle()

    architecture = authored(lambda: Strange(name="odd")(Input(shape=(2,)))).sample(0)
    assert CostLimit(max_parameters=10).accepts(architecture)
    with pytest.raises(SpaceError, match="odd"):
        CostLimit(max_multiply_adds=10).accepts(architecture)


def test_samples_keep_within_the_limit_and_the_rest_is_counted():
    sampler = LimitedSampler(dense(), CostLimit(max_parameters=20))
    assert sampler.acceptance_rate == 1
    rng = np.random.default_rng(0)
    units = [sampler.sample(rng).decisions["units"] for _ in range(400)]
    assert set(units) == {1, 2}
    assert 0.4 < units.count(1) / 400 < 0.6  # drawn as the space would draw
    assert sampler.accepted == 400
    assert 0.4 < sampler.acceptance_rate < 0.6
    assert sampler.exceeded == {"max_parameters": sampler.attempts - 400}
    assert sampler.smallest == {"max_parameters": 10}
    assert sampler.unbuildable == 0


def test_the_same_seed_gives_the_same_architecture():
    limit = CostLimit(max_parameters=20)
    for seed in (0, 1, 2):
        first, again = (LimitedSampler(dense(), limit).sample(seed) for _ in range(2))
        assert first.decisions == again.decisions
    with pytest.raises(SpaceError, match="seed"):
        LimitedSampler(dense(), limit).sample(-1)


def test_an_empty_space_is_refused_with_the_limit_and_the_smallest_cost_seen():
    limit = CostLimit(max_parameters=9, max_depth=5)
    sampler = LimitedSampler(dense(), limit, max_attempts=50)
    with pytest.raises(SpaceError, match="max_parameters=9") as caught:
        sampler.sample(0)
    message = str(caught.value)
    assert "exceeded by 50 of 50" in message
    assert "smallest seen is 10" in message
    assert "max_depth" not in message
    assert sampler.acceptance_rate == 0


def test_a_practically_empty_space_is_refused_after_so_many_attempts():
    sampler = LimitedSampler(
        dense(range(1, 100_000)), CostLimit(max_parameters=10), max_attempts=20
    )
    with pytest.raises(SpaceError, match="last 20 architectures"):
        sampler.sample(0)


def test_what_cannot_be_built_is_rejected_and_counted():
    def author():
        x = Input(shape=(4,))
        Add()([x, Dense(Choice([4, 5], name="units"))(x)])

    sampler = LimitedSampler(authored(author), CostLimit(max_parameters=100))
    rng = np.random.default_rng(0)
    assert {sampler.sample(rng).decisions["units"] for _ in range(20)} == {4}
    assert sampler.unbuildable == sampler.attempts - 20 > 0


def test_a_space_without_networks_is_refused_with_the_way_to_the_reason():
    def author():
        x = Input(shape=(4,))
        Optional(Dense(1), keep_link=True)(Add()([x, Dense(5)(x)]))

    sampler = LimitedSampler(authored(author), CostLimit(max_parameters=100), max_attempts=5)
    with pytest.raises(SpaceError, match=r"Add.*verify\(\)"):
        sampler.sample(0)


@pytest.mark.parametrize("attempts", [0, -1, 1.5, True, None])
def test_a_number_of_attempts_that_makes_no_sense_is_refused(attempts):
    with pytest.raises(SpaceError, match="max_attempts"):
        LimitedSampler(dense(), CostLimit(max_depth=1), max_attempts=attempts)
