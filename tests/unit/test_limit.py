"""Limits on the cost of a network."""

import pytest

from hypernets.domain.architecture.limit import CostLimit
from hypernets.domain.error import SpaceError
from hypernets.domain.space import Choice, HyperSpace, LayerModule, Repeat
from hypernets.frameworks.keras.layers import Dense, Input


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
        (CostLimit(max_params=20), 2),
        (CostLimit(max_params=29), 2),
        (CostLimit(max_params=30), 3),  # a limit is included
        (CostLimit(max_flops=54), 3),
        (CostLimit(max_weight_bytes=4 * 30), 3),
        (CostLimit(max_activation_bytes=4 * (9 + 1)), 1),
        (CostLimit(max_params=30, max_flops=36), 2),
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
    limit = CostLimit(max_params=10, max_flops=200, max_weight_bytes=12)
    assert limit.excess(cost) == {"max_params": 40, "max_weight_bytes": 160}


def test_a_limit_without_any_limit_is_refused():
    with pytest.raises(SpaceError, match="max_params"):
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
    assert CostLimit(max_params=10).accepts(architecture)
    with pytest.raises(SpaceError, match="odd"):
        CostLimit(max_flops=10).accepts(architecture)


def test_two_limits_together_are_the_smaller_of_each():
    limit = CostLimit(max_params=10, max_depth=3).within(CostLimit(max_params=20, max_flops=5))
    assert limit == CostLimit(max_params=10, max_depth=3, max_flops=5)
    assert limit.within(None) == limit
    assert str(limit) == "max_params=10, max_flops=5, max_depth=3"
