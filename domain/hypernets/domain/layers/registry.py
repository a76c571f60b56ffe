"""Finds the rule of a layer by the name of its class."""

from hypernets.domain.layers import (
    attention,
    border,
    convolution,
    core,
    merge,
    normalization,
    pointwise,
    pooling,
    recurrent,
    reshaping,
    transposed_convolution,
)
from hypernets.domain.layers.rule import LayerRule
from hypernets.domain.layers.wrapper import wrapper_rules

__all__ = ["rule_for", "ruled_layers"]

_FAMILIES = (
    attention,
    border,
    convolution,
    core,
    merge,
    normalization,
    pointwise,
    pooling,
    recurrent,
    reshaping,
    transposed_convolution,
)
_ALIASES = {
    "InputLayer": "Input",
    **{f"AvgPool{n}D": f"AveragePooling{n}D" for n in (1, 2, 3)},
    **{f"MaxPool{n}D": f"MaxPooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalAvgPool{n}D": f"GlobalAveragePooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalMaxPool{n}D": f"GlobalMaxPooling{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}D": f"Conv{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}DTranspose": f"Conv{n}DTranspose" for n in (1, 2, 3)},
    **{f"SeparableConvolution{n}D": f"SeparableConv{n}D" for n in (1, 2)},
}


def rule_for(layer: str) -> LayerRule | None:
    """Return the rule of a layer of the framework, `None` where there is none.

    Args:
        layer: class name or an alias that Keras has for it.

    Example:
        >>> rule = rule_for("Conv2D")
        >>> rule.shape({"filters": 8, "kernel_size": 3}, ((None, 28, 28, 1),))
        (None, 26, 26, 8)
        >>> rule.weights({"filters": 8, "kernel_size": 3}, ((None, 28, 28, 1),))
        Weights(trainable=80, non_trainable=0)
        >>> rule_for("MaxPool2D") is rule_for("MaxPooling2D")
        True
    """
    return _RULES.get(layer)


def ruled_layers() -> tuple[str, ...]:
    """Return the class names that have a rule, aliases left out, in alphabetical order."""
    return tuple(sorted({rule.layer for rule in _RULES.values()}))


def _gather() -> dict[str, LayerRule]:
    """Return every rule by class name and alias."""
    rules = [rule for family in _FAMILIES for rule in family.RULES]
    by_name = {rule.layer: rule for rule in (*rules, *wrapper_rules(rule_for))}
    return by_name | {alias: by_name[layer] for alias, layer in _ALIASES.items()}


_RULES = _gather()
