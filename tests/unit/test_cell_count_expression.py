"""The digest of the unfolded expression, by which NAS-Bench-201 tells its cells apart."""

from hypernets.adapters.keras.layers import Add, Concatenate, Dense, Input, Rescaling
from hypernets.domain.architecture.signature.expression import expression_of
from hypernets.domain.space import HyperSpace, Identity


def graph_of(build):
    space = HyperSpace()
    with space.as_default():
        build(Input(shape=4))
    return space.sample(0).graph


def expression(build, **options):
    return expression_of(graph_of(build), **options)


def test_a_value_used_twice_is_written_twice():
    def shared(x):
        a = Dense(4)(x)
        Add()([Dense(4, activation="relu")(a), Dense(4, activation="tanh")(a)])

    def twice(x):
        Add()([Dense(4, activation="relu")(Dense(4)(x)), Dense(4, activation="tanh")(Dense(4)(x))])

    assert expression(shared) == expression(twice)


def test_the_order_of_what_is_added_makes_no_difference_that_of_a_concatenation_does():
    def merged(merge, first, second):
        return lambda x: merge()([Dense(first)(x), Dense(second)(x)])

    assert expression(merged(Concatenate, 3, 4)) != expression(merged(Concatenate, 4, 3))
    assert expression(lambda x: Add()([Dense(4)(x), Dense(4, activation="relu")(x)])) == expression(
        lambda x: Add()([Dense(4, activation="relu")(x), Dense(4)(x)])
    )


def test_what_gives_its_input_back_is_not_written():
    def plain(x):
        Dense(4)(Dense(3)(x))

    def padded(x):
        Dense(4)(Add()(Identity()(Dense(3)(x))))

    assert expression(plain) == expression(padded)


def test_a_layer_fed_by_zero_alone_is_zero_once_zeros_are_absorbed():
    def before(x):
        Dense(4)(Rescaling(0.0)(x))

    def after(x):
        Rescaling(0.0)(Dense(4)(x))

    def scaled(x):
        Rescaling(0.5)(Dense(4)(x))

    assert expression(before) != expression(after)
    assert expression(before, absorb_zeros=True) == expression(after, absorb_zeros=True)
    assert expression(scaled, absorb_zeros=True) != expression(after, absorb_zeros=True)


def test_an_argument_of_a_layer_and_the_place_of_an_input_make_a_difference():
    assert expression(lambda x: Dense(4)(x)) != expression(lambda x: Dense(5)(x))

    def difference_of_inputs(swapped):
        space = HyperSpace()
        with space.as_default():
            a, b = Input(shape=4), Input(shape=4)
            Concatenate()([b, a] if swapped else [a, b])
            space.set_inputs([a, b])
        return expression_of(space.sample(0).graph)

    assert difference_of_inputs(False) != difference_of_inputs(True)


def test_an_expression_too_long_to_write_out_is_known_all_the_same():
    def doubled(last):
        def build(x):
            for _ in range(25):  # 2 ** 25 terms and more
                a, b = Dense(4, activation="relu")(x), Dense(4, activation="tanh")(x)
                x = Add()([x, x, a, b])
            Dense(last)(x)

        return build

    found = expression(doubled(4))
    assert found == expression(doubled(4))
    assert found != expression(doubled(5))
