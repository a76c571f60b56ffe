"""The cost of small networks, worked out by hand."""

import pytest

from hypernets.core.search_space import HyperSpace
from hypernets.domain.error import BuildError
from hypernets.frameworks.keras.layers import Add, Conv2D, Dense, Flatten, Input


def network(author) -> object:
    space = HyperSpace()
    with space.as_default():
        author()
    return space.sample(0)


def test_a_dense_network_is_counted_by_hand():
    cost = network(lambda: Dense(units=2)(Dense(units=5)(Input(shape=3)))).cost()
    assert cost.parameters == (3 * 5 + 5) + (5 * 2 + 2)
    assert cost.trainable_parameters == cost.parameters
    assert cost.multiply_adds == 3 * 5 + 5 * 2
    assert cost.flops == 2 * cost.multiply_adds
    assert cost.depth == 2
    assert cost.weight_bytes == 4 * cost.parameters
    assert cost.training_activation_bytes == 4 * (3 + 5 + 2)
    assert cost.activation_bytes == 4 * (3 + 5)
    assert cost.uncounted == ()


def test_training_takes_weights_gradients_slots_and_activations():
    cost = network(lambda: Dense(units=2)(Input(shape=3))).cost()
    assert cost.training_bytes(batch_size=10) == 4 * 8 * 4 + 10 * 4 * (3 + 2)
    assert cost.training_bytes(batch_size=1, slots=0) == 2 * 8 * 4 + 4 * (3 + 2)


def test_a_shared_layer_has_one_set_of_weights_and_is_computed_twice():
    def author():
        x = Input(shape=3)
        first = Dense(units=3, name="dense")
        Add()([first(x), first.share()(Input(shape=3))])

    cost = network(author).cost()
    assert cost.parameters == 3 * 3 + 3
    assert cost.multiply_adds == 2 * 3 * 3


def test_depth_is_that_of_the_longest_path_and_counts_layers_with_weights():
    def author():
        x = Input(shape=4)
        long = Dense(units=4)(Dense(units=4)(x))
        Add()([long, Dense(units=4)(x)])

    assert network(author).cost().depth == 2


def test_a_size_that_is_not_known_is_refused():
    def author():
        x = Conv2D(filters=2, kernel_size=1)(Input(shape=(None, None, 3)))
        Conv2D(filters=2, kernel_size=1)(x)

    with pytest.raises(BuildError, match=r"size|known"):
        network(author).cost()


def test_the_cost_of_shapes_that_do_not_fit_is_refused_with_the_layer():
    def author():
        x = Conv2D(filters=2, kernel_size=9, name="too_large")(Input(shape=(4, 4, 3)))
        Dense(units=1)(Flatten()(x))

    with pytest.raises(BuildError, match="too_large"):
        network(author).cost()
