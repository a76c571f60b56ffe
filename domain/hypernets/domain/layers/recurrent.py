"""Rules of the recurrent layers."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from hypernets.domain.architecture.graph import Shape, Shapes
from hypernets.domain.layers.argument import known_size, ranked_input, whole
from hypernets.domain.layers.rule import (
    Arguments,
    LayerRule,
    Weights,
    failure,
    make_rule,
    outside,
)

__all__ = ["RULES"]

_SIMPLE: Mapping[str, Any] = {
    "activation": "tanh",
    "use_bias": True,
    "kernel_initializer": "glorot_uniform",
    "recurrent_initializer": "orthogonal",
    "bias_initializer": "zeros",
    "kernel_regularizer": None,
    "recurrent_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "recurrent_constraint": None,
    "bias_constraint": None,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "return_sequences": False,
    "return_state": False,
    "go_backwards": False,
    "stateful": False,
    "unroll": False,
    "seed": None,
}
_GATED: Mapping[str, Any] = {
    **_SIMPLE,
    "recurrent_activation": "sigmoid",
    "use_cudnn": "auto",
}


def _recurrent(
    layer: str,
    defaults: Mapping[str, Any],
    *,
    gates: int,
    states: int,
    biases: Callable[[Arguments], int] = lambda arguments: 1,
) -> LayerRule:
    """Return the rule of a recurrent layer.

    Args:
        layer: class name.
        defaults: see `LayerRule.defaults`.
        gates: blocks of its kernels, each `units` wide.
        states: how many states it carries from step to step.
        biases: how many biases there are per unit and gate.
    """

    def shape(
        inputs: tuple[Shape, ...], units: Any, sequences: Any, state: Any, stateful: Any
    ) -> Shapes:
        if len(inputs) > 1:
            raise outside(layer, "one sequence as input", f"{len(inputs)} of shapes {inputs}")
        batch, steps, _ = given = ranked_input(layer, inputs, 3)
        known_size(layer, given, 2)
        width = whole(layer, "units", units, 1)
        if stateful and batch is None:
            raise failure(
                layer,
                "with stateful=True the batch size must be known",
                f"shape {given}",
                "give batch_size to Input, or leave stateful out",
            )
        out: Shape = (batch, steps, width) if sequences else (batch, width)
        return (out, *((batch, width),) * states) if state else out

    def sizes(arguments: Arguments, inputs: tuple[Shape, ...]) -> tuple[int, int]:
        """Return the products of one step, and the units."""
        rule.shape(arguments, inputs)
        units = whole(layer, "units", arguments.get("units"), 1)
        return gates * units * (known_size(layer, inputs[0], 2) + units), units

    def weights(arguments: Arguments, inputs: tuple[Shape, ...]) -> Weights:
        products, units = sizes(arguments, inputs)
        per_gate = biases(arguments) if arguments.get("use_bias", True) else 0
        return Weights(products + gates * units * per_gate)

    def multiply_adds(arguments: Arguments, inputs: tuple[Shape, ...]) -> int:
        return sizes(arguments, inputs)[0] * known_size(layer, inputs[0], 1)

    rule = make_rule(
        layer,
        shape,
        ("units", "return_sequences", "return_state", "stateful"),
        defaults=MappingProxyType(dict(defaults)),
        integers=("units",),
        weights=weights,
        multiply_adds=multiply_adds,
    )
    return rule


RULES: tuple[LayerRule, ...] = (
    _recurrent("SimpleRNN", _SIMPLE, gates=1, states=1),
    _recurrent("LSTM", {**_GATED, "unit_forget_bias": True}, gates=4, states=2),
    _recurrent(
        "GRU",
        {**_GATED, "reset_after": True},
        gates=3,
        states=1,
        biases=lambda arguments: 2 if arguments.get("reset_after", True) else 1,
    ),
)
"""The rules of this family."""
