"""Rules of the layers that take a layer: `TimeDistributed` and `Bidirectional`."""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import LayerSpec, Shape, Shapes
from hypernets.domain.layers.argument import known_size, ranked_input
from hypernets.domain.layers.rule import (
    Arguments,
    LayerRule,
    Weights,
    failure,
    make_rule,
    outside,
    single,
)

__all__ = ["wrapper_rules"]

Lookup = Callable[[str], LayerRule | None]

_BOTH = "Bidirectional"
_STEPWISE = "TimeDistributed"
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
_MODES = ("sum", "mul", "ave", "concat", None)


def _inner(wrapper: str, rule_for: Lookup, spec: Any) -> tuple[LayerRule, Arguments]:
    """Return the rule and the arguments of the layer that a wrapper was given."""
    rule = rule_for(spec.layer) if isinstance(spec, LayerSpec) and spec.factory is None else None
    if rule is None:
        raise outside(wrapper, "layers that have a rule themselves", f"layer={spec!r}")
    arguments: Arguments = spec.arguments
    return rule, arguments


def _step(inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """Return the shape of one step of the one sequence, as inputs."""
    given = ranked_input(_STEPWISE, inputs, 3, float("inf"))
    return ((given[0], *given[2:]),)


def _stepwise_shape(rule_for: Lookup, inputs: tuple[Shape, ...], layer: Any) -> Shape:
    """Return the shape of a layer applied to every step."""
    rule, arguments = _inner(_STEPWISE, rule_for, layer)
    out = rule.shape(arguments, _step(inputs))
    if out and isinstance(out[0], tuple):
        raise outside(_STEPWISE, "layers with one output", f"layer={layer!r}")
    batch, *sizes = single(out)
    return (batch, inputs[0][1], *sizes)


def _stepwise_weights(rule_for: Lookup, arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    rule, inner = _inner(_STEPWISE, rule_for, arguments.get("layer"))
    return rule.weights(inner, _step(inputs))


def _stepwise_multiply_adds(
    rule_for: Lookup, arguments: Arguments, inputs: tuple[Shape, ...]
) -> int:
    rule, inner = _inner(_STEPWISE, rule_for, arguments.get("layer"))
    return rule.multiply_adds(inner, _step(inputs)) * known_size(_STEPWISE, inputs[0], 1)


def _directions(
    rule_for: Lookup, layer: Any, backward: Any
) -> tuple[tuple[LayerRule, Arguments], tuple[LayerRule, Arguments]]:
    """Return rule and arguments of the layer that reads forward and of the one that does not."""
    rule, arguments = _inner(_BOTH, rule_for, layer)
    if rule.layer not in _RECURRENT:
        raise outside(_BOTH, f"the layers {sorted(_RECURRENT)}", f"layer={layer!r}")
    if backward is None:
        backward = LayerSpec(layer.layer, {**arguments, "go_backwards": True})
    other, given = _inner(_BOTH, rule_for, backward)
    reversed_both = bool(arguments.get("go_backwards")) == bool(given.get("go_backwards"))
    differing = [
        name
        for name in ("stateful", "return_sequences", "return_state")
        if bool(arguments.get(name)) != bool(given.get(name))
    ]
    if reversed_both or differing:
        raise failure(
            _BOTH,
            "its two layers must differ in go_backwards and agree in stateful, return_sequences"
            " and return_state",
            f"layer={layer!r} and backward_layer={backward!r}",
            "set go_backwards=True on backward_layer and give both the same other arguments",
        )
    return (rule, arguments), (other, given)


def _both_shape(
    rule_for: Lookup, inputs: tuple[Shape, ...], layer: Any, merge_mode: Any, backward: Any
) -> Shapes:
    """Return the shape, or shapes, of a sequence read in both directions."""
    if merge_mode not in _MODES:
        raise failure(
            _BOTH, f"merge_mode must be one of {_MODES}", repr(merge_mode), "correct merge_mode"
        )
    (rule, arguments), (other, given) = _directions(rule_for, layer, backward)
    forward = rule.shape(arguments, inputs)
    reverse = other.shape(given, inputs)
    several = arguments.get("return_state", False)
    out: Shape = forward[0] if several else forward  # type: ignore[assignment]
    states: tuple[Shape, ...] = forward[1:] if several else ()  # type: ignore[assignment]
    if reverse != forward:
        raise outside(_BOTH, "two layers of one output shape", f"{forward} and {reverse}")
    if merge_mode is None:
        return (out, out, *states, *states)
    if merge_mode == "concat":
        out = (*out[:-1], 2 * known_size(_BOTH, out, -1))
    return (out, *states, *states) if several else out


def _both_weights(rule_for: Lookup, arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
    pair = _directions(rule_for, arguments.get("layer"), arguments.get("backward_layer"))
    counts = [rule.weights(given, inputs) for rule, given in pair]
    return Weights(
        sum(count.trainable for count in counts), sum(count.non_trainable for count in counts)
    )


def _both_multiply_adds(rule_for: Lookup, arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
    pair = _directions(rule_for, arguments.get("layer"), arguments.get("backward_layer"))
    return sum(rule.multiply_adds(given, inputs) for rule, given in pair)


def wrapper_rules(rule_for: Lookup) -> tuple[LayerRule, ...]:
    """Return the rules of this family.

    Args:
        rule_for: finds the rule of the layer inside, wrappers included.
    """
    return (
        make_rule(
            _STEPWISE,
            partial(_stepwise_shape, rule_for),
            ("layer",),
            weights=partial(_stepwise_weights, rule_for),
            multiply_adds=partial(_stepwise_multiply_adds, rule_for),
        ),
        make_rule(
            _BOTH,
            partial(_both_shape, rule_for),
            ("layer", "merge_mode", "backward_layer"),
            defaults=MappingProxyType(
                {"merge_mode": "concat", "weights": None, "backward_layer": None}
            ),
            weights=partial(_both_weights, rule_for),
            multiply_adds=partial(_both_multiply_adds, rule_for),
        ),
    )
