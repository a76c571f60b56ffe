"""What a layer computes, apart from its place in a network: text that says it once only.

Left out is what only names: the name, and an argument given with its default. So is `seed`, which
draws another sample of the same noise. Kept is everything that changes what is computed or what
training makes of it: `dtype`, `trainable`, initializers, regularizers, constraints.
"""

from collections.abc import Hashable, Mapping
from typing import Any

from hypernets.domain.architecture.value_text import LayerTeller, text_of
from hypernets.domain.layers import LayerRule, rule_for

__all__ = ["is_weightless", "layer_text", "plain_key", "rule_of"]

_RANKS = (1, 2, 3)
_WEIGHTLESS = frozenset(
    (
        *("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax"),
        *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
        *("Identity", "Masking", "Rescaling", "ActivityRegularization", "UnitNormalization"),
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"),
        *("Flatten", "Reshape", "Permute", "RepeatVector"),
        *(f"SpatialDropout{rank}D" for rank in _RANKS),
        *(f"{scope}{kind}Pooling{rank}D" for scope in ("", "Global") for kind in ("Max", "Average")
          for rank in _RANKS),
        *(f"{border}{rank}D" for border in ("ZeroPadding", "Cropping", "UpSampling")
          for rank in _RANKS),
    )
)  # fmt: skip
_PER_AXIS = frozenset(
    {"kernel_size", "strides", "dilation_rate", "pool_size", "size", "output_padding"}
    | {"padding", "cropping"}
)
_WITHOUT_CASE = frozenset({"padding", "data_format"})
_IGNORED = frozenset({"name", "seed"})
_EXACT = frozenset({bool, int, str, type(None)})


def rule_of(spec: Any) -> LayerRule | None:
    """Return the rule of a node or spec; none for a layer of the user's own."""
    return rule_for(spec.layer) if spec.factory is None else None


def layer_text(spec: Any, nested: LayerTeller) -> str:
    """Return the text of the layer of a node or spec, equal for layers that compute the same.

    Args:
        spec: a `LayerSpec` or `LayerNode`.
        nested: gives the text of a layer among its arguments.

    Raises:
        BuildError: an argument does not say what it is made of.
    """
    rule = rule_of(spec)
    if rule is None:
        kind = repr(spec.layer) if spec.factory is None else text_of(spec.factory, nested)
        given = {name: value for name, value in spec.arguments.items() if name != "name"}
        return f"{kind}{text_of(given, nested)}"
    arguments = _telling(rule, spec.arguments)
    # in the order of names, in which `nested` sees the layers among them
    texts = {name: _argument_text(name, arguments[name], nested) for name in sorted(arguments)}
    defaults = rule.defaults
    told = [
        f"{name}={text}"
        for name, text in texts.items()
        if name not in defaults or text != _argument_text(name, defaults[name], nested)
    ]
    return f"{rule.layer}({','.join(told)})"


def is_weightless(rule: LayerRule | None) -> bool:
    """Say whether layers of a class have no weights if their arguments are plain values."""
    return rule is not None and rule.layer in _WEIGHTLESS


def plain_key(spec: Any) -> Hashable | None:
    """Return what tells a layer with plain arguments from any other; `None` for other arguments.

    Values that are equal yet of different types (`1`, `1.0`, `True`) are told apart.
    """
    if spec.factory is not None:
        return None
    parts: list[Any] = [spec.layer]
    for name, value in spec.arguments.items():
        kind = type(value)
        if kind in _EXACT:
            parts.extend((name, kind, value))
        elif kind is float:
            parts.extend((name, kind, repr(value)))
        elif kind is tuple or kind is list:
            kinds = tuple(map(type, value))
            if not _EXACT.issuperset(kinds):
                return None
            parts.extend((name, kinds, tuple(value)))
        else:
            return None
    return tuple(parts)


def _telling(rule: LayerRule, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments without those that say nothing, in one of their spellings."""
    given = {name: value for name, value in arguments.items() if name not in _IGNORED}
    defaults = rule.defaults
    if "strides" in defaults and "pool_size" in defaults and given.get("strides") is None:
        given["strides"] = given.get("pool_size", defaults["pool_size"])
    if rule.layer == "Input":
        given = _input_arguments(given)
    if given.get("data_format", "") is None:
        del given["data_format"]
    return {name: value for name, value in given.items() if value is not None or name in defaults}


def _input_arguments(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an input, its shape told by `shape` and `batch_size`."""
    batch_shape = given.pop("batch_shape", None)
    if batch_shape:
        given |= {"batch_size": batch_shape[0], "shape": list(batch_shape[1:])}
    elif isinstance(given.get("shape"), int):
        given["shape"] = [given["shape"]]
    return given


def _argument_text(name: str, value: Any, nested: LayerTeller) -> str:
    if name in _PER_AXIS and not isinstance(value, str):
        value = _collapsed(value)
    elif name in _WITHOUT_CASE:
        value = value.lower()
    elif name == "activation" and value is None:
        value = "linear"
    return text_of(value, nested, numbers=True)


def _collapsed(value: Any) -> Any:
    """Return one number for as many equal ones: `3` for `(3, 3)`, `(1, 2)` for `((1, 1), (2, 2))`.

    Pairs that are equal but not within themselves stay: `(0, 1)` means another thing.
    """
    if not isinstance(value, (list, tuple)) or not value:
        return value
    entries = [_collapsed(entry) for entry in value]
    alike = all(entry == entries[0] for entry in entries)
    return entries[0] if alike and not isinstance(entries[0], list) else entries
