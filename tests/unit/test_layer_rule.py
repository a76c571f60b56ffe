"""The rules of layers by themselves: figures by hand, errors, traits, and no surprise."""

import random
from typing import Any

import pytest

from hypernets.domain.architecture.graph import LayerSpec, Shape
from hypernets.domain.error import BuildError
from hypernets.domain.layers import (
    OutsideRuleError,
    ShapeError,
    ShapeOracle,
    Weights,
    count_weights,
    infer_shape,
    rule_for,
    ruled_layers,
)

IMAGE: Shape = (None, 28, 28, 32)


def rule(layer: str) -> Any:
    found = rule_for(layer)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("layer", "arguments", "inputs", "expected"),
    [
        ("Conv2D", {"filters": 64, "kernel_size": 3}, (IMAGE,), 26 * 26 * 9 * 32 * 64),
        (
            "Conv2D",
            {"filters": 64, "kernel_size": 3, "groups": 4, "strides": 2, "padding": "same"},
            (IMAGE,),
            14 * 14 * 9 * 8 * 64,
        ),
        ("Conv1D", {"filters": 4, "kernel_size": 3}, ((None, 10, 2),), 8 * 3 * 2 * 4),
        (
            "SeparableConv2D",
            {"filters": 64, "kernel_size": 5, "padding": "same", "depth_multiplier": 2},
            (IMAGE,),
            28 * 28 * (25 * 32 * 2 + 64 * 64),
        ),
        ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same"}, (IMAGE,), 28 * 28 * 9 * 32),
        (
            "Conv2DTranspose",
            {"filters": 8, "kernel_size": 3, "strides": 2},
            (IMAGE,),
            28 * 28 * 9 * 32 * 8,
        ),
        ("Dense", {"units": 10}, ((None, 128),), 1280),
        ("Dense", {"units": 10}, ((None, 7, 128),), 8960),
        ("LSTM", {"units": 5}, ((None, 11, 3),), 11 * 4 * (3 * 5 + 5 * 5)),
        ("GRU", {"units": 5}, ((None, 11, 3),), 11 * 3 * (3 * 5 + 5 * 5)),
        ("SimpleRNN", {"units": 5}, ((None, 11, 3),), 11 * (3 * 5 + 5 * 5)),
        (
            "Bidirectional",
            {"layer": LayerSpec("LSTM", {"units": 5})},
            ((None, 11, 3),),
            2 * 11 * 4 * (3 * 5 + 5 * 5),
        ),
        (
            "TimeDistributed",
            {"layer": LayerSpec("Dense", {"units": 4})},
            ((None, 11, 3),),
            11 * 3 * 4,
        ),
        ("Dot", {"axes": (2, 1)}, ((None, 3, 4), (None, 4, 5)), 3 * 4 * 5),
        ("Attention", {}, ((None, 3, 8), (None, 5, 8)), 3 * 5 * (8 + 8)),
        (
            "MultiHeadAttention",
            {"num_heads": 2, "key_dim": 4},
            ((None, 3, 8), (None, 5, 6)),
            3 * 8 * 8 + 2 * (5 * 6 * 8) + 3 * 5 * (8 + 8) + 3 * 8 * 8,
        ),
        ("BatchNormalization", {}, (IMAGE,), 0),
        ("MaxPooling2D", {"pool_size": 2}, (IMAGE,), 0),
        ("Add", {}, (IMAGE, IMAGE), 0),
        ("Embedding", {"input_dim": 9, "output_dim": 4}, ((None, 5),), 0),
    ],
)
def test_multiply_adds_are_those_counted_by_hand(
    layer: str, arguments: dict[str, Any], inputs: tuple[Shape, ...], expected: int
) -> None:
    assert rule(layer).multiply_adds(arguments, inputs) == expected


@pytest.mark.parametrize(
    ("layer", "arguments", "inputs", "expected"),
    [
        ("Conv2D", {"filters": 64, "kernel_size": 3}, (IMAGE,), Weights(18496)),
        ("Conv2D", {"filters": 6, "kernel_size": 1, "use_bias": False}, (IMAGE,), Weights(192)),
        ("SeparableConv2D", {"filters": 64, "kernel_size": 3}, (IMAGE,), Weights(2400)),
        ("BatchNormalization", {}, (IMAGE,), Weights(64, 64)),
        ("BatchNormalization", {"trainable": False}, (IMAGE,), Weights(0, 128)),
        ("Dense", {"units": 10}, ((None, 256),), Weights(2570)),
        ("Dense", {"units": 10, "lora_rank": 2}, ((None, 256),), Weights(542, 2560)),
        ("Flatten", {}, (IMAGE,), Weights()),
    ],
)
def test_weights_are_those_counted_by_hand(
    layer: str, arguments: dict[str, Any], inputs: tuple[Shape, ...], expected: Weights
) -> None:
    assert rule(layer).weights(arguments, inputs) == expected


@pytest.mark.parametrize(
    ("layer", "arguments", "inputs", "reason"),
    [
        ("Conv2D", {"kernel_size": 3}, (IMAGE,), "filters must be an integer >= 1; received None"),
        ("Conv2D", {"filters": 2.5, "kernel_size": 3}, (IMAGE,), "filters must be an integer"),
        ("Conv2D", {"filters": 2, "kernel_size": (3, 3, 3)}, (IMAGE,), "kernel_size must be one"),
        ("Conv2D", {"filters": 2, "kernel_size": 3}, ((None, 9),), "must have 4 dimensions"),
        ("Conv2D", {"filters": 2, "kernel_size": 9}, ((None, 8, 8, 1),), "window must fit"),
        ("Conv2D", {"filters": 2, "kernel_size": 3}, ((None, 8, 8, None),), "axis 3 .*known"),
        ("Conv2D", {"filters": 4, "kernel_size": 1, "groups": 3}, (IMAGE,), "groups must divide"),
        ("Conv2D", {"filters": 4, "kernel_size": 1, "padding": "causal"}, (IMAGE,), "padding must"),
        (
            "Conv2D",
            {"filters": 4, "kernel_size": 3, "strides": 2, "dilation_rate": 2},
            (IMAGE,),
            "must not both be above 1",
        ),
        ("Conv2D", {"filters": 4, "kernel_size": 1, "data_format": "x"}, (IMAGE,), "data_format"),
        ("MaxPooling2D", {"pool_size": 2}, ((None, 1, 1, 8),), "fewer reductions before it"),
        ("Add", {}, (IMAGE, (None, 14, 14, 32)), "same strides, padding and filters"),
        ("Add", {}, ((2, 3), (4, 3)), "one batch size"),
        ("Subtract", {}, (IMAGE,), "exactly 2 input"),
        ("Concatenate", {}, (IMAGE, (None, 14, 14, 32)), "equal shapes except along axis -1"),
        ("Concatenate", {"axis": 4}, (IMAGE,), "choose axis between -4 and 3"),
        ("Dense", {"units": 3}, ((None, 4), (None, 4)), "takes one input; received 2"),
        ("BatchNormalization", {"axis": 7}, (IMAGE,), "axis must be an axis"),
        ("Reshape", {"target_shape": (5, -1)}, ((None, 12),), "hold as many values"),
        ("Permute", {"dims": (1, 1)}, ((None, 3, 4),), "dims must hold each of 1"),
        ("Cropping2D", {"cropping": 4}, ((None, 8, 8, 1),), "leave at least one place"),
        ("LSTM", {"units": 3, "stateful": True}, ((None, 5, 2),), "batch size must be known"),
        ("Input", {}, (), "needs either shape"),
        ("Input", {"shape": (3,)}, (IMAGE,), "takes no input"),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 2}, ((None, 3, 4),), "query, value"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_what_where_received_and_what_to_do(
    layer: str, arguments: dict[str, Any], inputs: tuple[Shape, ...], reason: str
) -> None:
    with pytest.raises(ShapeError, match=reason) as caught:
        rule(layer).shape(arguments, inputs)
    message = str(caught.value)
    assert message.startswith(f"{layer}: ")
    assert "; received " in message
    assert len(message.split("; ")) >= 3


def test_multiply_adds_of_an_unknown_size_are_refused_and_not_guessed() -> None:
    arguments = {"filters": 2, "kernel_size": 3}
    assert rule("Conv2D").shape(arguments, ((None, None, 8, 1),)) == (None, None, 6, 2)
    with pytest.raises(ShapeError, match="must be known"):
        rule("Conv2D").multiply_adds(arguments, ((None, None, 8, 1),))
    with pytest.raises(ShapeError, match="must be known"):
        rule("LSTM").multiply_adds({"units": 2}, ((None, None, 8),))


def test_weights_of_a_quantized_layer_are_outside_of_the_rule() -> None:
    with pytest.raises(OutsideRuleError):
        rule("Dense").weights({"units": 2, "quantization_config": object()}, ((None, 3),))


def test_lists_tuples_and_single_numbers_say_the_same() -> None:
    shapes = [
        rule("Conv2D").shape({"filters": 2, "kernel_size": size, "strides": step}, (IMAGE,))
        for size, step in [(3, 2), ((3, 3), (2, 2)), ([3, 3], [2, 2]), (3.0, 2.0)]
    ]
    assert shapes == [(None, 13, 13, 2)] * 4


@pytest.mark.parametrize(
    ("layer", "arguments", "n_inputs", "expected"),
    [
        ("Dropout", {"rate": 0}, 1, True),
        ("Dropout", {"rate": 0.0}, 1, True),
        ("Dropout", {"rate": 0.1}, 1, False),
        ("Dropout", {"rate": 0, "dtype": "float16"}, 1, False),
        ("SpatialDropout2D", {"rate": 0}, 1, True),
        ("GaussianNoise", {"stddev": 0}, 1, True),
        ("Activation", {"activation": "linear"}, 1, True),
        ("Activation", {"activation": "relu"}, 1, False),
        ("Activation", {}, 1, False),
        ("Identity", {}, 1, True),
        ("ActivityRegularization", {"l2": 0.0}, 1, False),
        ("Add", {}, 1, True),
        ("Add", {}, 2, False),
        ("Concatenate", {}, 1, True),
        ("Conv2D", {"filters": 1, "kernel_size": 1}, 1, False),
    ],
)
def test_a_layer_that_gives_its_input_back_is_known(
    layer: str, arguments: dict[str, Any], n_inputs: int, expected: bool
) -> None:
    assert rule(layer).is_identity(arguments, n_inputs) is expected


def test_merges_take_many_and_those_of_which_the_order_is_irrelevant_commute() -> None:
    every = [rule(layer) for layer in ruled_layers()]
    commuting = {"Add", "Average", "Maximum", "Minimum", "Multiply"}
    listing = commuting | {"Subtract", "Concatenate", "Dot", "Attention", "AdditiveAttention"}
    assert {found.layer for found in every if found.commutative} == commuting
    assert {found.layer for found in every if found.takes_many} == listing


def test_arguments_that_decide_shapes_by_numbers_are_known_as_integers() -> None:
    assert rule("Dense").integer_arguments == {"units", "lora_rank"}
    assert {"filters", "kernel_size", "strides"} <= rule("Conv2D").integer_arguments
    assert "rate" not in rule("Dropout").integer_arguments


def test_a_layer_that_is_unknown_has_no_rule() -> None:
    assert rule_for("ConvLSTM2D") is None
    with pytest.raises(BuildError, match="'ConvLSTM2D'; give one"):
        infer_shape(LayerSpec("ConvLSTM2D"), (IMAGE,))


class Answering:
    """An oracle that always says the same."""

    def infer(self, layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> Shape:
        return (None, 7)

    def weights(self, layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> Weights:
        return Weights(5, 2)


def test_the_oracle_is_asked_for_what_no_rule_covers_and_for_nothing_else() -> None:
    oracle = Answering()
    assert isinstance(oracle, ShapeOracle)
    own = LayerSpec("Dense", {"units": 3}, factory=object())
    nested = LayerSpec("TimeDistributed", {"layer": own})
    assert infer_shape(LayerSpec("Dense", {"units": 3}), ((None, 4),), oracle) == (None, 3)
    assert infer_shape(LayerSpec("Custom"), ((None, 4),), oracle) == (None, 7)
    assert infer_shape(own, ((None, 4),), oracle) == (None, 7)
    assert infer_shape(nested, ((None, 3, 4),), oracle) == (None, 7)
    with pytest.raises(ShapeError, match="takes one input"):
        infer_shape(LayerSpec("Dense", {"units": 3}), (), oracle)
    assert count_weights(LayerSpec("Dense", {"units": 3}), ((None, 4),), oracle) == Weights(15)
    assert count_weights(LayerSpec("Custom"), ((None, 4),), oracle) == Weights(5, 2)
    assert count_weights(own, ((None, 4),), oracle) == Weights(5, 2)
    assert count_weights(nested, ((None, 3, 4),), oracle) == Weights(5, 2)
    with pytest.raises(ShapeError, match="takes one input"):
        count_weights(LayerSpec("Dense", {"units": 3}), (), oracle)
    with pytest.raises(BuildError, match=r"weights.*received no oracle for 'Custom'; give one"):
        count_weights(LayerSpec("Custom"), ((None, 4),))


def test_an_error_of_a_named_layer_names_it() -> None:
    with pytest.raises(ShapeError, match="'stem': Conv2D: filters"):
        infer_shape(LayerSpec("Conv2D", {"kernel_size": 3}, "stem"), (IMAGE,))


ODD: tuple[Any, ...] = (
    None,
    "three",
    -1,
    0,
    1,
    2,
    2.5,
    float("nan"),
    float("inf"),
    True,
    (),
    [],
    (1, 2),
    [2, None],
    ((1, 2), (0, 1)),
    {"a": 1},
    object(),
    LayerSpec("Dense", {"units": 2}),
    LayerSpec("LSTM", {"units": "two"}),
)
ODD_SHAPES: tuple[Shape, ...] = (
    (),
    (None,),
    (None, 4),
    (None, 3, 4),
    (2, None, None),
    IMAGE,
    (3, 4, 4, None),
    (None, 2, 3, 4, 2),
)
PLAUSIBLE: dict[str, tuple[Any, ...]] = {
    "layer": (LayerSpec("LSTM", {"units": 2}), LayerSpec("Dense", {"units": 2})),
    "kernel_size": (1, 2),
    "filters": (2, 4),
}
READ = (
    *("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups"),
    *("depth_multiplier", "output_padding", "pool_size", "keepdims", "cropping", "size", "axis"),
    *("axes", "units", "input_dim", "output_dim", "shape", "batch_size", "batch_shape", "dims"),
    *("target_shape", "n", "layer", "merge_mode", "backward_layer", "return_state", "stateful"),
    *("num_heads", "key_dim", "value_dim", "output_shape", "attention_axes", "score_mode"),
    *("shared_axes", "use_scale", "use_bias", "scale", "center", "rate", "activation", "lora_rank"),
)


@pytest.mark.parametrize("layer", ruled_layers())
def test_odd_arguments_and_shapes_end_in_an_answer_or_in_a_shape_error(layer: str) -> None:
    rng = random.Random(layer)  # noqa: S311 - cases, not secrets
    found = rule(layer)
    for _ in range(400):
        names = rng.sample(READ, rng.randint(0, 12))
        arguments = {name: rng.choice((*ODD, *PLAUSIBLE.get(name, ()) * 9)) for name in names}
        inputs = tuple(rng.choice(ODD_SHAPES) for _ in range(rng.choice((0, 1, 1, 1, 2, 3))))
        for ask in (found.shape, found.weights, found.multiply_adds):
            try:
                ask(arguments, inputs)
            except ShapeError:
                continue
        assert isinstance(found.is_identity(arguments, len(inputs)), bool)


@pytest.mark.parametrize("layer", ruled_layers())
def test_the_answer_does_not_depend_on_what_was_asked_before(layer: str) -> None:
    found = rule(layer)
    asked = [
        ({"filters": value, "kernel_size": value, "units": value, "n": value}, (shape,))
        for value in (1, True, 1.0, 2, [2], (2,))
        for shape in ODD_SHAPES
    ]

    def answers(order: list[int]) -> dict[int, str]:
        told = {}
        for index in order:
            try:
                told[index] = repr(found.shape(*asked[index]))
            except ShapeError as error:
                told[index] = str(error)
        return told

    forward = list(range(len(asked)))
    assert answers(forward) == answers(forward[::-1]) == answers(forward)
