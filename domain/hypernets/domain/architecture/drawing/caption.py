"""What a drawing says of a layer: its arguments and its shape in short, and its kind."""

from collections.abc import Mapping
from typing import Any

from hypernets.domain.architecture.graph import LayerNode, LayerSpec, each_shape
from hypernets.domain.error import BuildError
from hypernets.domain.layers import rule_for

__all__ = ["TIMES", "kind_of", "long_arguments", "shape_text", "short_arguments", "shortened"]

TIMES = "\u00d7"
"""The sign between the sizes of a shape."""

_NEVER_SHOWN = frozenset(("padding", "data_format", "name", "seed", "momentum", "epsilon"))
_INPUT_SHAPES = frozenset(("shape", "batch_shape"))  # the shape is shown anyway
_FIRST = ("units", "filters", "output_dim", "kernel_size", "pool_size", "strides")
_PER_AXIS = frozenset(("kernel_size", "pool_size", "size"))
_NO_ACTIVATION = ("activation", "linear")
_BARE = frozenset(
    (
        *("units", "filters", "rate", "activation", "kernel_size", "pool_size", "size", "n"),
        *("output_dim", "target_shape", "function", "layer"),
    )
)
_WORDS = {"strides": "stride", "dilation_rate": "dilation", "use_bias": "bias"}
_KINDS = {  # in this order: "SpatialDropout2D" is no pooling, "ConvLSTM2D" is recurrent
    "input": ("Input",),
    "recurrent": ("LSTM", "GRU", "RNN", "Bidirectional", "TimeDistributed"),
    "attention": ("Attention",),
    "convolution": ("Conv",),
    "pooling": ("Pool", "UpSampling"),
    "normalization": ("Norm",),
    "regularization": ("Dropout", "Noise", "Regularization"),
    "dense": ("Dense", "Embedding"),
    "activation": ("Activation", "ReLU", "ELU", "Softmax"),
    "merge": (
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"),
        *("Concatenate", "Dot"),
    ),
    "reshaping": ("Flatten", "Reshape", "Permute", "RepeatVector", "Padding", "Cropping"),
}


def kind_of(layer: str) -> str:
    """Return the kind of a layer by its class name: `"convolution"`, …, `"other"`."""
    for kind, parts in _KINDS.items():
        if any(part in layer for part in parts):
            return kind
    return "other"


def short_arguments(node: LayerNode | LayerSpec) -> str:
    """Return the arguments that make a difference, in a few words: `32, 3x3, stride 2`."""
    rule = rule_for(node.layer) if node.factory is None else None
    defaults: Mapping[str, Any] = rule.defaults if rule is not None else {}
    told = []
    for keyword, value in _in_order(node.arguments):
        if keyword in _NEVER_SHOWN or value is None or (keyword, value) == _NO_ACTIVATION:
            continue
        if node.layer == "Input" and keyword in _INPUT_SHAPES:
            continue
        text = _short(value)
        if keyword in _PER_AXIS and type(value) is int:
            text = TIMES.join([text] * _axes(node.layer))
        if keyword in defaults and text == _short(defaults[keyword]):
            continue
        if keyword in _WORDS and keyword != "use_bias" and _is_one(value):
            continue
        if keyword == "use_bias" and value is False:
            told.append("no bias")
        elif keyword in _WORDS:
            told.append(f"{_WORDS[keyword]} {text}")
        else:
            told.append(text if keyword in _BARE else f"{keyword}={text}")
    return ", ".join(told)


def long_arguments(arguments: Mapping[str, Any]) -> str:
    """Return the arguments as they would be written: `units=64, activation='relu'`."""
    return ", ".join(
        f"{keyword}={value!r}" if isinstance(value, str) else f"{keyword}={_long(value)}"
        for keyword, value in _in_order(arguments)
    )


def shape_text(node: LayerNode) -> str:
    """Return the sizes of what a layer puts out, the batch left out: `28x28x32`.

    Empty where the shape cannot be told: a picture of a network that does not fit is still a
    picture.
    """
    try:
        shapes = node.shape
    except BuildError:
        return ""
    texts = [TIMES.join("?" if n is None else str(n) for n in s[1:]) for s in each_shape(shapes)]
    return ", ".join(text or "scalar" for text in texts)


def shortened(text: str, limit: int) -> str:
    """Return the text on one line, cut off with an ellipsis beyond `limit` characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip(" ,") + "…"


def _axes(layer: str) -> int:
    """Return how many axes a layer has that slides over some, by the end of its name."""
    return int(layer[-2]) if layer[-2:] in ("2D", "3D") else 1


def _in_order(arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the arguments, first those by which a layer is known, then the others as given."""
    first = [(keyword, arguments[keyword]) for keyword in _FIRST if keyword in arguments]
    return first + [item for item in arguments.items() if item[0] not in _FIRST]


def _is_one(value: Any) -> bool:
    return value == 1 if not isinstance(value, (list, tuple)) else all(v == 1 for v in value)


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)) and value and all(type(item) is int for item in value):
        return TIMES.join(map(str, value))
    if isinstance(value, str):
        return value
    if type(value) is float:
        return f"{value:g}"
    return _long(value)


def _long(value: Any) -> str:
    if isinstance(value, LayerSpec):
        return f"{value.layer}({long_arguments(value.arguments)})"
    if isinstance(value, (list, tuple)):
        items = ", ".join(map(_long, value))
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items},)" if len(value) == 1 else f"({items})"
    if hasattr(value, "__array__"):
        sizes = tuple(getattr(value, "shape", ()))
        return f"array of {TIMES.join(map(str, sizes))}" if sizes else repr(value)
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    return repr(value)
