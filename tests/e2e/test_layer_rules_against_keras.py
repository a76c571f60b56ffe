"""Every rule of a layer is compared with the real layer, on generated arguments and shapes."""

import inspect
import random
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from hypernets.adapters.keras.shape_oracle import KerasShapeOracle
from hypernets.domain.architecture.graph import LayerSpec, Shape
from hypernets.domain.error import BuildError
from hypernets.domain.layers import ShapeError, ShapeOracle, infer_shape, rule_for, ruled_layers

keras = pytest.importorskip("keras")
from hypernets.adapters.keras.layer_call import call_layer, make_layer  # noqa: E402

pytestmark = pytest.mark.keras

Case = tuple[dict[str, Any], tuple[Shape, ...]]
N_CASES = 24


class Draw:
    """Draws arguments and shapes, small and now and then unfitting."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - cases, not secrets

    def one(self, *options: Any) -> Any:
        return self.rng.choice(options)

    def often(self, usual: Any, *others: Any) -> Any:
        return usual if self.rng.random() < 0.8 else self.rng.choice(others)

    def size(self) -> int:
        return self.rng.randint(1, 9)

    def batch(self) -> int | None:
        return self.often(None, 2)

    def some(self, **arguments: Any) -> dict[str, Any]:
        """Keep each argument with even odds; the others keep their defaults."""
        return {key: value for key, value in arguments.items() if self.rng.random() < 0.5}

    def per_axis(self, rank: int, *options: int) -> Any:
        several = [self.one(*options) for _ in range(rank)]
        return self.one(self.one(*options), tuple(several), several)

    def image(self, rank: int, data_format: str | None, channels: int | None = None) -> Shape:
        sizes = [self.often(self.size(), None) for _ in range(rank)]
        depth = channels or self.often(self.one(2, 4, 6), 1, 3)
        last = data_format != "channels_first"
        inner = (*sizes, depth) if last else (depth, *sizes)
        shape: Shape = (self.batch(), *inner)
        return shape if self.rng.random() < 0.95 else shape[:-1]

    def format(self) -> dict[str, Any]:
        return self.some(data_format=self.one("channels_first", "channels_last", None))


def convolved(kind: str, rank: int) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        paddings = ["valid", "same", "SAME", "causal"] if rank == 1 else ["valid", "same", "causal"]
        arguments = {
            "kernel_size": draw.per_axis(rank, 1, 2, 3),
            **draw.some(padding=draw.one(*paddings), use_bias=draw.one(True, False)),
            **draw.some(strides=draw.per_axis(rank, 1, 1, 2)),
            **draw.some(dilation_rate=draw.per_axis(rank, 1, 1, 2)),
            **draw.some(activation="relu", trainable=draw.often(True, False)),
            **draw.format(),
        }
        if kind != "depthwise":
            arguments["filters"] = draw.often(draw.one(2, 4, 6), 1, 5, 0)
        if kind == "plain":
            arguments |= draw.some(groups=draw.often(1, 2, 3), lora_rank=draw.one(2, None))
        if kind in ("separable", "depthwise"):
            arguments |= draw.some(depth_multiplier=draw.one(1, 2, 3))
        if kind == "transposed":
            arguments |= draw.some(output_padding=draw.one(None, 0, 1))
        return arguments, (draw.image(rank, arguments.get("data_format")),)

    return case


def pooled(rank: int) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        arguments = {
            **draw.some(padding=draw.often("same", "valid", "causal"), **draw.format()),
            **draw.some(strides=draw.one(None, draw.per_axis(rank, 1, 2, 3))),
            "pool_size": draw.per_axis(rank, 1, 2, 3),
        }
        return arguments, (draw.image(rank, arguments.get("data_format")),)

    return case


def pooled_globally(rank: int) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        arguments = {**draw.some(keepdims=draw.one(True, False)), **draw.format()}
        return arguments, (draw.image(rank, arguments.get("data_format")),)

    return case


def bordered(name: str, rank: int) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        pairs = [draw.one(1, (0, 1), [2, 0]) for _ in range(rank)]
        value = draw.one(1, 2, pairs if rank > 1 else draw.one((1, 2), [0, 1]), 0)
        formats = {} if (name, rank) == ("cropping", 1) else draw.format()
        arguments = {**draw.some(**{name: value}), **formats}
        return arguments, (draw.image(rank, arguments.get("data_format")),)

    return case


def enlarged(rank: int) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        size = draw.one(1, 2, 3) if rank == 1 else draw.per_axis(rank, 1, 2, 3)
        arguments = {**draw.some(size=size), **({} if rank == 1 else draw.format())}
        return arguments, (draw.image(rank, arguments.get("data_format")),)

    return case


def any_shape(draw: Draw, least: int = 1) -> Shape:
    rank = draw.rng.randint(least, 4)
    return (draw.batch(), *(draw.often(draw.size(), None) for _ in range(rank)))


def kept(**arguments: Any) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        given = {name: draw.one(*options) for name, options in arguments.items()}
        return given, (any_shape(draw),)

    return case


def kept_image(rank: int) -> Callable[[Draw], Case]:
    return lambda draw: ({"rate": draw.one(0, 0.2, 0.5)}, (draw.image(rank, None),))


def normalized(*extra: str) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        several = "several" in extra
        axis = draw.one(-1, 1, -2, 4, *(([1, 2], (-1, -2)) if several else ()))
        arguments = draw.some(axis=axis)
        if "affine" in extra:
            arguments |= draw.some(center=draw.one(True, False), scale=draw.one(True, False))
        if "moving" in extra:
            arguments |= draw.some(renorm=True, trainable=False)
        if "groups" in extra:
            arguments["groups"] = draw.one(-1, 1, 2, 3)
        return arguments, (any_shape(draw, 2),)

    return case


def merged(draw: Draw) -> Case:
    shape = any_shape(draw)
    stretched = tuple(draw.often(size, 1, None) for size in shape[1:])
    others = [
        shape,
        draw.often((shape[0], *stretched), (shape[0], *shape[2:]), any_shape(draw)),
    ]
    return {}, (shape, *others[: draw.rng.randint(0, 2)])


def subtracted(draw: Draw) -> Case:
    shape = any_shape(draw)
    return {}, draw.often((shape, shape), (shape,), (shape, any_shape(draw)))


def concatenated(draw: Draw) -> Case:
    shape = any_shape(draw)
    axis = draw.one(-1, 1, -2)
    others = []
    for _ in range(draw.rng.randint(0, 3)):
        other = list(shape)
        if -len(shape) <= axis < len(shape):
            other[axis] = draw.often(draw.size(), None)
        others.append(draw.often(tuple(other), any_shape(draw)))
    return draw.some(axis=axis), (shape, *others)


def dotted(draw: Draw) -> Case:
    steps, features = draw.size(), draw.size()
    axes = draw.one(1, 2, -1, (1, 2), [2, 1], (-1, -1))
    one = (None, steps, features)
    return {"axes": axes}, (one, draw.one(one, (None, features, steps), (None, 3, features)))


def recurrent(**extra: Any) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        arguments = {
            "units": draw.size(),
            **draw.some(return_sequences=True, return_state=True, use_bias=False),
            **draw.some(stateful=draw.often(False, True), dropout=0.1),
            **draw.some(**extra),
        }
        return arguments, (draw.image(1, None),)

    return case


def read_both_ways(draw: Draw) -> Case:
    inner = {"units": draw.size(), **draw.some(return_sequences=True, return_state=True)}
    layer = draw.one("LSTM", "GRU", "SimpleRNN")
    arguments: dict[str, Any] = {
        "layer": LayerSpec(layer, inner),
        **draw.some(merge_mode=draw.one("sum", "mul", "ave", "concat", None)),
    }
    if draw.rng.random() < 0.3:
        back = {**inner, "go_backwards": draw.often(True, False)}
        arguments["backward_layer"] = LayerSpec(layer, back)
    if draw.rng.random() < 0.2:
        arguments["layer"] = LayerSpec(layer, {**inner, "go_backwards": True})
    return arguments, (draw.image(1, None),)


def stepwise(draw: Draw) -> Case:
    layer = draw.one(
        LayerSpec("Dense", {"units": draw.size()}),
        LayerSpec("Conv2D", {"filters": 2, "kernel_size": 2}),
        LayerSpec("Flatten"),
        LayerSpec("BatchNormalization"),
        LayerSpec("MaxPooling2D", {"pool_size": 2}),
    )
    rank = 3 if layer.layer in ("Conv2D", "MaxPooling2D") else draw.rng.randint(1, 3)
    sizes = tuple(draw.often(draw.rng.randint(2, 6), None) for _ in range(rank))
    return {"layer": layer}, ((draw.batch(), draw.often(3, None), *sizes),)


def attending(**options: Any) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        features = draw.size()
        steps = 1 + draw.size()  # Keras warns of attention to one step
        query = (draw.batch(), draw.often(draw.size(), None), features)
        value = (query[0], steps, draw.size())
        key = (query[0], steps, features)
        three = (query, value, key)
        arguments = {name: draw.one(*values) for name, values in options.items()}
        return arguments, draw.often(three, (query, key), (query,))

    return case


def multi_headed(draw: Draw) -> Case:
    arguments, inputs = attending()(draw)
    arguments = {
        "num_heads": draw.size(),
        "key_dim": draw.size(),
        **draw.some(value_dim=draw.size(), use_bias=False, use_gate=True),
        **draw.some(output_shape=draw.one(None, 5, (2, 3))),
    }
    return arguments, inputs


def declared(draw: Draw) -> Case:
    shape = any_shape(draw)
    if draw.rng.random() < 0.3:
        return {"batch_shape": shape}, ()
    return {"shape": draw.one(shape[1:], list(shape[1:])), **draw.some(batch_size=4)}, ()


def reshaped(draw: Draw) -> Case:
    target = draw.one((-1,), (2, -1), [3, 2, -1], (-1, -1), (4, 3), (12,), (-2,), (0, -1))
    return {"target_shape": target}, (draw.one((None, 12), (2, 3, 4), (None, None, 6), (None,)),)


def permuted(draw: Draw) -> Case:
    dims = draw.one((2, 1), [1, 2], (3, 1, 2), (1, 1), (0, 1), (1,))
    return {"dims": dims}, (draw.often((2, *range(3, 3 + len(dims))), any_shape(draw)),)


def repeated(draw: Draw) -> Case:
    return {"n": draw.often(3, 1, 0)}, (draw.often((None, draw.size()), any_shape(draw)),)


def dense(draw: Draw) -> Case:
    arguments = {
        "units": draw.often(draw.size(), 0, -1),
        **draw.some(use_bias=False, activation="relu", trainable=False, lora_rank=2),
    }
    return arguments, (draw.often(any_shape(draw), (None,)),)


def learned_slopes(draw: Draw) -> Case:
    return draw.some(shared_axes=draw.one([1], [1, 2], 1, None, [4])), (any_shape(draw),)


def embedded(draw: Draw) -> Case:
    arguments = {"input_dim": draw.often(9, 0), "output_dim": draw.size()}
    return {**arguments, **draw.some(mask_zero=True, lora_rank=3)}, (any_shape(draw),)


RANKS = (1, 2, 3)
GENERATORS: dict[str, Callable[[Draw], Case]] = {
    **{f"Conv{n}D": convolved("plain", n) for n in RANKS},
    **{f"Conv{n}DTranspose": convolved("transposed", n) for n in RANKS},
    **{f"SeparableConv{n}D": convolved("separable", n) for n in (1, 2)},
    **{f"DepthwiseConv{n}D": convolved("depthwise", n) for n in (1, 2)},
    **{f"{kind}Pooling{n}D": pooled(n) for kind in ("Max", "Average") for n in RANKS},
    **{
        f"Global{kind}Pooling{n}D": pooled_globally(n) for kind in ("Max", "Average") for n in RANKS
    },
    **{f"ZeroPadding{n}D": bordered("padding", n) for n in RANKS},
    **{f"Cropping{n}D": bordered("cropping", n) for n in RANKS},
    **{f"UpSampling{n}D": enlarged(n) for n in RANKS},
    **{f"SpatialDropout{n}D": kept_image(n) for n in RANKS},
    "BatchNormalization": normalized("affine", "moving"),
    "LayerNormalization": normalized("affine", "several"),
    "GroupNormalization": normalized("affine", "groups"),
    "RMSNormalization": normalized("several"),
    "UnitNormalization": normalized("several"),
    "Normalization": normalized("several"),
    **dict.fromkeys(("Add", "Multiply", "Average", "Maximum", "Minimum"), merged),
    "Subtract": subtracted,
    "Concatenate": concatenated,
    "Dot": dotted,
    "Input": declared,
    "Dense": dense,
    "Embedding": embedded,
    "Activation": kept(activation=("relu", "linear", "gelu")),
    "ReLU": kept(max_value=(None, 6.0)),
    "LeakyReLU": kept(negative_slope=(0.1, 0.3)),
    "ELU": kept(alpha=(1.0, 0.5)),
    "Softmax": kept(),
    "PReLU": learned_slopes,
    "Dropout": kept(rate=(0, 0.5)),
    "AlphaDropout": kept(rate=(0, 0.5)),
    "GaussianDropout": kept(rate=(0, 0.5)),
    "GaussianNoise": kept(stddev=(0, 0.5)),
    "Identity": kept(),
    "Masking": kept(),
    "ActivityRegularization": kept(l2=(0.0, 0.1)),
    "Rescaling": kept(scale=(1.0, 1 / 255)),
    "Flatten": kept(data_format=(None, "channels_last", "channels_first")),
    "Reshape": reshaped,
    "Permute": permuted,
    "RepeatVector": repeated,
    "SimpleRNN": recurrent(),
    "LSTM": recurrent(unit_forget_bias=False),
    "GRU": recurrent(reset_after=False),
    "Bidirectional": read_both_ways,
    "TimeDistributed": stepwise,
    "Attention": attending(use_scale=(True, False), score_mode=("dot", "concat")),
    "AdditiveAttention": attending(use_scale=(True, False)),
    "MultiHeadAttention": multi_headed,
}


def cases_of(layer: str) -> list[Case]:
    draw = Draw(zlib.crc32(layer.encode()))
    return [GENERATORS[layer](draw) for _ in range(N_CASES)]


def answer_of(infer: Callable[[], Any]) -> Any:
    """Return what is inferred, or `"refused"`."""
    try:
        return infer()
    except BuildError:
        return "refused"


def test_every_rule_has_cases() -> None:
    assert set(GENERATORS) == set(ruled_layers())


@pytest.mark.parametrize("layer", ruled_layers())
def test_a_rule_infers_the_shapes_that_keras_infers_and_refuses_what_keras_refuses(
    layer: str,
) -> None:
    oracle = KerasShapeOracle()
    answers = []
    for arguments, inputs in cases_of(layer):
        spec = LayerSpec(layer, arguments)
        ruled = answer_of(lambda: infer_shape(spec, inputs))  # noqa: B023 - called at once
        told = answer_of(lambda: oracle.infer(spec, inputs))  # noqa: B023 - called at once
        assert ruled == told, f"{layer} {arguments} on {inputs}"
        answers.append(ruled)
    accepted = sum(answer != "refused" for answer in answers)
    assert accepted >= N_CASES // 4, f"{layer}: only {accepted} cases say anything"


@pytest.mark.parametrize("layer", sorted(set(ruled_layers()) - {"Input"}))
def test_a_rule_counts_the_weights_that_the_built_layer_has(layer: str) -> None:
    rule = rule_for(layer)
    assert rule is not None
    built = 0
    for arguments, inputs in cases_of(layer)[:12]:
        if answer_of(lambda: rule.shape(arguments, inputs)) == "refused":  # noqa: B023
            continue
        made = make_layer(LayerSpec(layer, arguments))
        call_layer(made, [keras.KerasTensor(shape) for shape in inputs])
        counted = rule.weights(arguments, inputs)
        where = f"{layer} {arguments} on {inputs}"
        assert counted.total == made.count_params(), where
        assert counted.trainable == sum(w.shape.num_elements() for w in made.trainable_weights), (
            where
        )
        built += 1
    assert built >= 2


@pytest.mark.parametrize("layer", sorted(set(ruled_layers()) - {"Input"}))
def test_a_rule_infers_the_shapes_of_the_values_that_the_layer_computes(layer: str) -> None:
    rule = rule_for(layer)
    assert rule is not None
    computed = 0
    for arguments, inputs in cases_of(layer):
        shapes = tuple((2, *(size or 5 for size in shape[1:])) for shape in inputs)
        ruled = answer_of(lambda: rule.shape(arguments, shapes))  # noqa: B023 - called at once
        if ruled == "refused" or not runs_here(arguments):
            continue
        made = make_layer(LayerSpec(layer, arguments))
        values = call_layer(made, [keras.ops.ones(shape) for shape in shapes])
        found = tuple(tuple(value.shape) for value in values)
        assert (found[0] if len(found) == 1 else found) == ruled, f"{layer} {arguments} {shapes}"
        computed += 1
        if computed == 3:
            break
    assert computed > 0


def runs_here(arguments: dict[str, Any]) -> bool:
    """Say whether TensorFlow can run such a layer on a CPU."""
    strides = arguments.get("strides", 1)
    return (
        arguments.get("data_format") != "channels_first"
        and arguments.get("dilation_rate") is None  # with groups or depthwise: not always
        and (not isinstance(strides, tuple | list) or len(set(strides)) == 1)
    )


@pytest.mark.parametrize("layer", ruled_layers())
def test_a_rule_states_the_defaults_that_keras_has(layer: str) -> None:
    rule = rule_for(layer)
    assert rule is not None
    made = keras.Input if layer == "Input" else getattr(keras.layers, layer)
    signature = inspect.signature(made if layer == "Input" else made.__init__)
    for name, default in rule.defaults.items():
        stated = "channels_last" if name == "data_format" else signature.parameters[name].default
        assert default == stated, f"{layer}.{name}"
    unstated = {
        name
        for name, parameter in signature.parameters.items()
        if parameter.default is not parameter.empty
        and name not in {"name", "dtype", "trainable", *rule.defaults}
    }
    assert not unstated


@pytest.mark.parametrize(
    "alias",
    sorted(
        name
        for name in dir(keras.layers)
        if inspect.isclass(found := getattr(keras.layers, name))
        and name != found.__name__
        and found.__name__ in GENERATORS
    ),
)
def test_an_alias_of_keras_has_the_rule_of_its_layer(alias: str) -> None:
    assert rule_for(alias) is rule_for(getattr(keras.layers, alias).__name__)


@pytest.mark.parametrize("layer", ["Dropout", "SpatialDropout2D", "Activation", "Identity", "Add"])
def test_a_layer_said_to_be_an_identity_gives_its_input_back_in_training(layer: str) -> None:
    rule = rule_for(layer)
    arguments = {"Activation": {"activation": "linear"}, "Identity": {}, "Add": {}}.get(
        layer, {"rate": 0}
    )
    assert rule is not None
    assert rule.is_identity(arguments, 1)
    tensor = keras.random.normal((2, 3, 3, 2), seed=1)
    given = [tensor] if layer == "Add" else tensor
    made = make_layer(LayerSpec(layer, arguments))
    out = made(given, training=True) if "Dropout" in layer else made(given)
    assert bool(keras.ops.all(out == tensor))


def test_the_oracle_satisfies_the_port() -> None:
    assert isinstance(KerasShapeOracle(), ShapeOracle)


def test_the_oracle_answers_for_layers_without_a_rule_or_with_several_outputs() -> None:
    infer = KerasShapeOracle().infer
    lstm = LayerSpec("LSTM", {"units": 3, "return_state": True})
    conv_lstm = LayerSpec("ConvLSTM2D", {"filters": 4, "kernel_size": 3})
    assert infer(lstm, ((None, 5, 2),)) == ((None, 3), (None, 3), (None, 3))
    assert infer(conv_lstm, ((None, 5, 8, 8, 1),)) == (None, 6, 6, 4)


def test_the_oracle_makes_layers_that_are_arguments_of_layers() -> None:
    cells = LayerSpec("RNN", {"cell": [LayerSpec("GRUCell", {"units": n}) for n in (4, 5)]})
    assert KerasShapeOracle().infer(cells, ((None, 7, 2),)) == (None, 5)


def test_the_oracle_asks_a_factory_of_the_users_own() -> None:
    class Doubled(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return keras.ops.concatenate([inputs, inputs])

        def compute_output_shape(self, input_shape: Shape) -> Shape:
            return (*input_shape[:-1], 2 * (input_shape[-1] or 0))

    spec = LayerSpec("Dense", {}, factory=Doubled)
    assert infer_shape(spec, ((None, 4),), KerasShapeOracle()) == (None, 8)


def test_the_oracle_takes_over_where_a_rule_cannot_tell() -> None:
    spec = LayerSpec("TimeDistributed", {"layer": LayerSpec("EinsumDense", EINSUM)})
    with pytest.raises(ShapeError, match="give a shape oracle"):
        infer_shape(spec, ((None, 3, 4),))
    assert infer_shape(spec, ((None, 3, 4),), KerasShapeOracle()) == (None, 3, 8)


EINSUM = {"equation": "ab,bc->ac", "output_shape": 8}


def test_the_oracle_raises_the_reason_of_keras_and_names_the_layer() -> None:
    spec = LayerSpec("ConvLSTM2D", {"filters": 4, "kernel_size": 3}, name="video")
    with pytest.raises(BuildError, match=r"'video'.*\(None, 5\).*expected ndim=5"):
        KerasShapeOracle().infer(spec, ((None, 5),))
    with pytest.raises(BuildError, match="NoSuchLayer"):
        KerasShapeOracle().infer(LayerSpec("NoSuchLayer"), ((None, 5),))
    with pytest.raises(BuildError, match="depth"):
        KerasShapeOracle().infer(LayerSpec("Dense", {"depth": 3}), ((None, 5),))


def test_the_oracle_allocates_no_weights_however_large_the_layer() -> None:
    oracle = KerasShapeOracle()
    huge = LayerSpec("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 10**6})
    assert oracle.infer(huge, ((None, 10),)) == (None, 10**6)  # imports and traces once
    tracemalloc.start()
    try:
        assert oracle.infer(huge, ((None, 10**6),)) == (None, 10**6)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10**7  # the weights would take 4 terabytes


def test_a_question_to_the_oracle_leaves_the_names_of_later_layers_alone() -> None:
    before = keras.layers.Dense(1).name
    KerasShapeOracle().infer(LayerSpec("Dense", {"units": 2}), ((None, 3),))
    after = keras.layers.Dense(1).name
    number = int(before.rpartition("_")[2]) if "_" in before else 0
    assert after == f"dense_{number + 1}"


def test_importing_the_oracle_loads_no_keras() -> None:
    program = (
        "import sys, hypernets.adapters.keras.shape_oracle as found;"
        "found.KerasShapeOracle();"
        "sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
