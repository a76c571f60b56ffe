"""Infers shape and weights of any layer: by its rule, else by the framework."""

from hypernets.domain.architecture.graph import LayerSpec, Shape, Shapes
from hypernets.domain.error import BuildError
from hypernets.domain.layers.oracle import ShapeOracle
from hypernets.domain.layers.registry import rule_for
from hypernets.domain.layers.rule import LayerRule, OutsideRuleError, ShapeError, Weights

__all__ = ["count_weights", "infer_shape"]


def infer_shape(
    spec: LayerSpec, inputs: tuple[Shape, ...], oracle: ShapeOracle | None = None
) -> Shapes:
    """Return what a layer puts out, by its rule where it has one, else as the oracle says.

    Args:
        spec: the layer; one with a factory is the user's own and has no rule.
        inputs: shapes of what feeds it, in order, the batch first.
        oracle: the framework; without it, only layers with a rule have an answer.

    Raises:
        ShapeError: the rule refuses the inputs or the arguments; the message names the layer.
        BuildError: the oracle refuses them, or there is no rule and no oracle.

    Example:
        >>> infer_shape(LayerSpec("Flatten"), ((None, 7, 7, 64),))
        (None, 3136)
    """
    rule = _rule_of(spec)
    if rule is not None:
        try:
            return rule.shape(spec.arguments, inputs)
        except ShapeError as error:
            _require_outside(error, spec, oracle)
    return _require_oracle(oracle, spec, "shape").infer(spec, inputs)


def count_weights(
    spec: LayerSpec, inputs: tuple[Shape, ...], oracle: ShapeOracle | None = None
) -> Weights:
    """Return the numbers of weights of a layer, by its rule, else as the oracle says.

    Raises:
        ShapeError: the rule refuses the inputs or the arguments; the message names the layer.
        BuildError: the oracle refuses them, or there is no rule and no oracle.

    Example:
        >>> count_weights(LayerSpec("Dense", {"units": 10}), ((None, 64),)).total
        650
    """
    rule = _rule_of(spec)
    if rule is not None:
        try:
            return rule.weights(spec.arguments, inputs)
        except ShapeError as error:
            _require_outside(error, spec, oracle)
    return _require_oracle(oracle, spec, "weights").weights(spec, inputs)


def _rule_of(spec: LayerSpec) -> LayerRule | None:
    return rule_for(spec.layer) if spec.factory is None else None


def _require_outside(error: ShapeError, spec: LayerSpec, oracle: ShapeOracle | None) -> None:
    """Raise a refusal of the rule, unless it leaves the answer to an oracle that there is."""
    if oracle is None or not isinstance(error, OutsideRuleError):
        raise _located(error, spec) from error


def _require_oracle(oracle: ShapeOracle | None, spec: LayerSpec, what: str) -> ShapeOracle:
    if oracle is None:
        raise BuildError(
            f"{_label(spec)}: the {what} of a layer without a rule can only be told by the"
            f" framework; received no oracle for {spec.layer!r}; give one, such as the"
            " KerasShapeOracle of the Keras adapter"
        )
    return oracle


def _label(spec: LayerSpec) -> str:
    """Return how a message calls a layer."""
    return spec.layer if spec.name is None else repr(spec.name)


def _located(error: ShapeError, spec: LayerSpec) -> ShapeError:
    """Return the error with the name of the layer before it, if it has one."""
    return error if spec.name is None else type(error)(f"{spec.name!r}: {error}")
