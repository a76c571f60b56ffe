"""What a rule is: the arithmetic of one class of layer, without a framework.

A rule answers for a layer that is not built: what shape it puts out, how many weights it has and
how many multiply-adds it costs. The answers are Keras's own, argument names included; a test
compares every rule with the real layer.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

import attrs

from hypernets.domain.architecture.graph import Shape, Shapes
from hypernets.domain.error import BuildError

__all__ = [
    "Arguments",
    "LayerRule",
    "OutsideRuleError",
    "ShapeError",
    "Weights",
    "failure",
    "make_rule",
    "outside",
    "single",
]

Arguments = Mapping[str, Any]
"""The arguments that were given to a layer; those left out have the framework's defaults."""

T = TypeVar("T")
_REMEMBERED = 4096  # answers kept per class of layer: a space has far fewer different ones


class ShapeError(BuildError):
    """The inputs or the arguments of a layer do not fit it."""


class OutsideRuleError(ShapeError):
    """A rule cannot tell; the framework may. `infer_shape` then asks the oracle, if it has one."""


def failure(layer: str, rule: str, received: str, advice: str) -> ShapeError:
    """Return the error that says which rule of a layer was broken, by what, and what to do."""
    return ShapeError(f"{layer}: {rule}; received {received}; {advice}")


def outside(layer: str, rule: str, received: str) -> OutsideRuleError:
    """Return the error that says that a rule does not cover a case."""
    return OutsideRuleError(
        f"{layer}: the rule of this layer covers {rule} only; received {received};"
        " give a shape oracle, which asks the framework"
    )


@attrs.frozen(slots=True)
class Weights:
    """Numbers of weights of a layer, in scalars.

    Attributes:
        trainable: those that an optimizer moves.
        non_trainable: the others: moving averages, and all weights of a frozen layer.
    """

    trainable: int = 0
    non_trainable: int = 0

    @property
    def total(self) -> int:
        """All of them, what Keras's `count_params` says."""
        return self.trainable + self.non_trainable


ShapeFunction = Callable[[Arguments, tuple[Shape, ...]], Shapes]
WeightsFunction = Callable[[Arguments, tuple[Shape, ...]], Weights]
MultiplyAddsFunction = Callable[[Arguments, tuple[Shape, ...]], int]
IdentityFunction = Callable[[Arguments, int], bool]
ZeroFunction = Callable[[Arguments], bool]


@attrs.frozen(slots=True, eq=False)
class LayerRule:
    """The arithmetic and the traits of one class of layer.

    Attributes:
        layer: class name, never an alias.
        shape: `(arguments, input shapes)` to the output shape, or shapes where the layer has
            several outputs. Unknown sizes stay `None`. Raises `ShapeError` where the framework
            would refuse, `OutsideRuleError` where only the framework can tell.
        weights: `(arguments, input shapes)` to the numbers of weights; raises as `shape` does.
        multiply_adds: `(arguments, input shapes)` to the products that are summed for one example:
            those of kernels and of matrix products. Element-wise work (biases, activations,
            normalization, pooling, merges) counts as none, as papers on mobile networks count.
            Raises `ShapeError` also where a size that matters is not known.
        defaults: the framework's defaults of the arguments that have one, by name, so that an
            argument left out and one given with its default can be told to be the same.
            `data_format` stands with its effective default.
        integer_arguments: names of the arguments that are whole numbers or sequences of them.
        commutative: whether the order of the inputs is irrelevant.
        associative: whether one like it among the inputs may give way to what feeds that, in its
            place, if this is floats without a mask: `f(f(a, b), c)` is `f(a, b, c)` but for
            rounding.
        takes_many: whether the layer is called on a list of inputs, as merges are.
        is_identity: `(arguments, number of inputs)` to whether the output is the input, in
            training as in inference.
        is_zero: `(arguments)` to whether the output is zero whatever the input, as far as that is
            finite, in training as in inference.
        drops_zeros: whether zeros among the inputs make no difference, but to the shape.
    """

    layer: str
    shape: ShapeFunction
    weights: WeightsFunction
    multiply_adds: MultiplyAddsFunction
    defaults: Mapping[str, Any]
    integer_arguments: frozenset[str]
    commutative: bool
    associative: bool
    takes_many: bool
    is_identity: IdentityFunction
    is_zero: ZeroFunction
    drops_zeros: bool


def make_rule(
    layer: str,
    shape: Callable[..., Shapes],
    reads: tuple[str, ...] = (),
    *,
    defaults: Mapping[str, Any] | None = None,
    integers: tuple[str, ...] = (),
    weights: WeightsFunction | None = None,
    multiply_adds: MultiplyAddsFunction | None = None,
    commutative: bool = False,
    associative: bool = False,
    takes_many: bool = False,
    is_identity: IdentityFunction | None = None,
    is_zero: ZeroFunction | None = None,
    drops_zeros: bool = False,
) -> LayerRule:
    """Return a rule whose shapes are remembered.

    Args:
        layer: class name.
        shape: pure function of the input shapes and of the values of the arguments in `reads`.
        reads: names of the arguments that decide the shape; the value of one left out is its
            default, `None` where it has none.
        defaults: see `LayerRule.defaults`.
        integers: see `LayerRule.integer_arguments`.
        weights: numbers of weights for a layer that is not frozen; without it, there are none.
        multiply_adds: multiply-adds; without it, there are none.
        commutative: see `LayerRule.commutative`.
        associative: see `LayerRule.associative`.
        takes_many: see `LayerRule.takes_many`.
        is_identity: see `LayerRule.is_identity`; without it, never.
        is_zero: see `LayerRule.is_zero`; without it, never.
        drops_zeros: see `LayerRule.drops_zeros`.
    """
    known: Mapping[str, Any] = defaults if defaults is not None else {}
    infer = _remembered(shape, tuple((name, known.get(name)) for name in reads))
    return LayerRule(
        layer,
        infer,
        _none_of(infer, Weights()) if weights is None else _respecting_freezing(layer, weights),
        _none_of(infer, 0) if multiply_adds is None else multiply_adds,
        known,
        frozenset(integers),
        commutative,
        associative,
        takes_many,
        _never if is_identity is None else is_identity,
        _is_no_zero if is_zero is None else is_zero,
        drops_zeros,
    )


def _remembered(
    shape: Callable[..., Shapes], reads: tuple[tuple[str, Any], ...]
) -> Callable[[Arguments, tuple[Shape, ...]], Shapes]:
    """Return `shape` as a function of arguments; a search asks for the same few over and over."""
    cached = lru_cache(maxsize=_REMEMBERED)(shape)

    def infer(arguments: Arguments, inputs: tuple[Shape, ...]) -> Shapes:
        get = arguments.get
        try:
            return cached(inputs, *[get(name, default) for name, default in reads])
        except TypeError:  # a value that cannot be a key: a list, or a layer
            values = [_hashable(get(name, default)) for name, default in reads]
        try:
            return cached(_hashable(inputs), *values)
        except TypeError:
            return shape(_hashable(inputs), *values)

    return infer


def single(shapes: Shapes) -> Shape:
    """Return the shapes of a layer that has one output, typed as the one shape that they are."""
    return cast(Shape, shapes)


def _hashable(value: Any) -> Any:
    """Return the value with its lists turned into tuples."""
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value


def _none_of(infer: ShapeFunction, nothing: T) -> Callable[[Arguments, tuple[Shape, ...]], T]:
    """Return a function that answers `nothing`, once the shapes are seen to fit."""

    def answer(arguments: Arguments, inputs: tuple[Shape, ...]) -> T:
        infer(arguments, inputs)
        return nothing

    return answer


def _respecting_freezing(layer: str, weights: WeightsFunction) -> WeightsFunction:
    """Return `weights` for a layer that may be frozen or quantized."""

    def count(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
        if arguments.get("quantization_config") is not None:
            raise outside(layer, "layers without quantization", "a quantization_config")
        found = weights(arguments, inputs)
        return found if arguments.get("trainable", True) else Weights(0, found.total)

    return count


def _never(arguments: Arguments, n_inputs: int) -> bool:
    """Say that the layer is no identity."""
    return False


def _is_no_zero(arguments: Arguments) -> bool:
    """Say that the layer puts out more than zeros."""
    return False
