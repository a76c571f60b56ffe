"""What there is to know of a layer apart from its place in a network."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import attrs

from hypernets.domain.architecture.graph import LayerNode, LayerSpec
from hypernets.domain.architecture.signature.layer_text import (
    is_weightless,
    layer_text,
    plain_key,
    rule_of,
)
from hypernets.domain.architecture.signature.structure import digest_of
from hypernets.domain.layers import LayerRule

__all__ = ["MASKED", "NOT_FLOAT", "Label", "label_of", "layers_within", "plain_label", "told"]

NOT_FLOAT, MASKED = 1, 2
"""Doubts about a tensor, as bits: that it may hold no floats, that it may carry a mask."""

_REMEMBERED = 4096  # layers with plain arguments; a space has far fewer different ones
_known: dict[Hashable, "Label"] = {}


@attrs.frozen(slots=True)
class Label:
    """What there is to know of a layer apart from its place; by default, of one without a rule.

    Attributes:
        digest: of its text.
        references: names of the shared layers that the text refers to, in order.
        is_input: whether it is an input of the network.
        commutative: whether the order of its inputs is irrelevant.
        associative: whether one like it among its inputs may give way to what feeds that.
        gives_back: whether it puts out what it is fed with, given one tensor.
        is_zero: whether it puts out zeros whatever feeds it.
        drops_zeros: whether zeros among its inputs make no difference.
        takes_many: whether one layer may feed it several tensors.
        gives_one: whether it certainly puts out one tensor.
        weightless: whether it makes no difference that it is used at several places.
        silent: whether nothing of it is trained or adds to the loss.
        adds: the doubts that it brings to its output.
        passes: the doubts about its inputs that hold of its output as well.
    """

    digest: bytes
    references: tuple[str, ...]
    is_input: bool = False
    commutative: bool = False
    associative: bool = False
    gives_back: bool = False
    is_zero: bool = False
    drops_zeros: bool = False
    takes_many: bool = False
    gives_one: bool = False
    weightless: bool = False
    silent: bool = False
    adds: int = NOT_FLOAT | MASKED
    passes: int = NOT_FLOAT | MASKED


def plain_label(node: LayerNode) -> Label | None:
    """Return the label of a layer whose arguments are plain values, `None` for any other."""
    key = plain_key(node)
    if key is None:
        return None
    label = _known.get(key)
    if label is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        label = _known[key] = _make_label(node, {}, plain=True)
    return label


def label_of(node: LayerNode, hubs: Mapping[str, int]) -> Label:
    """Return the label of a layer whose arguments are not all plain values.

    Args:
        node: a use of the layer.
        hubs: by name, the layers among arguments that stand apart, as `told` takes them.

    Raises:
        BuildError: an argument does not say what it is made of.
    """
    return _make_label(node, hubs, plain=False)


def told(spec: Any, hubs: Mapping[str, int]) -> tuple[str, tuple[str, ...]]:
    """Return the text of a layer, and the names of the hubs it refers to, in order."""
    references: list[str] = []

    def nested(inner: LayerSpec) -> str:
        if inner.name is not None and inner.name in hubs:
            references.append(inner.name)
            return "<hub>"
        return layer_text(inner, nested)

    return layer_text(spec, nested), tuple(references)


def layers_within(value: Any, seen: set[str]) -> Iterator[LayerSpec]:
    """Yield the layers in an argument, and those within them, but within a named one once only."""
    if isinstance(value, LayerSpec):
        yield value
        if value.name not in seen:
            if value.name is not None:
                seen.add(value.name)
            yield from layers_within(value.arguments, seen)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from layers_within(item, seen)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from layers_within(item, seen)


def _make_label(node: LayerNode, hubs: Mapping[str, int], *, plain: bool) -> Label:
    rule, arguments = rule_of(node), node.arguments
    text, references = told(node, hubs)
    digest = digest_of(text.encode())
    if rule is None:
        return Label(digest, references)
    is_input = rule.layer == "Input"
    gives_back = rule.is_identity(arguments, 1)
    wraps = next(layers_within(arguments, set()), None) is not None
    bare = plain and is_weightless(rule)
    adds, passes = _doubts(rule, arguments, wraps=wraps)
    return Label(
        digest,
        references,
        is_input=is_input,
        commutative=rule.commutative,
        associative=rule.associative and bare and _says_no_more(rule, arguments),
        gives_back=gives_back,
        is_zero=plain and rule.is_zero(arguments),
        drops_zeros=rule.drops_zeros,
        takes_many=rule.takes_many,
        # a wrapper gives what it wraps gives
        gives_one=rule.layer != "Identity" and not arguments.get("return_state") and not wraps,
        weightless=is_input or gives_back or bare,
        silent=is_input or (bare and not _adds_to_the_loss(rule, arguments)),
        adds=adds,
        passes=passes,
    )


def _says_no_more(rule: LayerRule, arguments: Mapping[str, Any]) -> bool:
    """Say whether no argument is given but those that make the function of the layer."""
    return all(name in rule.defaults or value is None for name, value in arguments.items())


def _adds_to_the_loss(rule: LayerRule, arguments: Mapping[str, Any]) -> bool:
    return (
        rule.layer == "ActivityRegularization" or arguments.get("activity_regularizer") is not None
    )


def _doubts(rule: LayerRule, arguments: Mapping[str, Any], *, wraps: bool) -> tuple[int, int]:
    """Return what a layer with a rule adds to the doubts about its inputs, and what it passes."""
    dtype = arguments.get("dtype")
    certain = dtype is None or (isinstance(dtype, str) and "float" in dtype)
    adds = 0 if certain else NOT_FLOAT
    if wraps:  # of what is wrapped, nothing is known here
        return NOT_FLOAT | MASKED, MASKED
    if rule.layer == "Embedding":
        return adds | (MASKED if arguments.get("mask_zero") else 0), 0
    if rule.layer == "Masking":
        adds |= MASKED
    return adds, MASKED | (NOT_FLOAT if is_weightless(rule) else 0)
