"""What tells two architectures apart: in their decisions, and in the layers that come of them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from hypernets.domain.architecture.drawing.caption import long_arguments
from hypernets.domain.architecture.graph import LayerNode
from hypernets.domain.space.description import brief_label

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["ABSENT", "DecisionChange", "Difference", "LayerChange", "diff"]


class _Absent:
    """Stands for the value of a decision that an architecture does not make."""

    def __repr__(self) -> str:
        return "not decided"


ABSENT: Any = _Absent()
"""The value of a decision that an architecture does not make."""


@attrs.frozen(slots=True)
class DecisionChange:
    """A decision that two architectures make differently.

    Attributes:
        name: of the hyperparameter.
        label: what a log prints for it.
        before: its value in the first, `ABSENT` where only the second makes it.
        after: its value in the second, `ABSENT` where only the first makes it.
    """

    name: str
    label: str
    before: Any
    after: Any

    def __str__(self) -> str:
        label = brief_label(self.label)
        if self.before is ABSENT:
            return f"+ {label} = {self.after!r}"
        if self.after is ABSENT:
            return f"- {label} = {self.before!r}"
        return f"~ {label}: {self.before!r} -> {self.after!r}"


@attrs.frozen(slots=True, eq=False)
class LayerChange:
    """A layer that stands in both networks, yet is not the same.

    Attributes:
        before: the layer in the first network.
        after: the layer in the second.
    """

    before: LayerNode
    after: LayerNode

    def __str__(self) -> str:
        told = []
        if self.before.layer != self.after.layer:
            told.append(f"{self.before.layer} -> {self.after.layer}")
        before, after = self.before.arguments, self.after.arguments
        for keyword in dict.fromkeys((*before, *after)):
            old, new = before.get(keyword, ABSENT), after.get(keyword, ABSENT)
            if not _same(old, new):
                told.append(f"{keyword} {_given(keyword, old)} -> {_given(keyword, new)}")
        if self.before.inputs != self.after.inputs:
            told.append(f"fed by {_names(self.before.inputs)} -> {_names(self.after.inputs)}")
        if self.before.weights != self.after.weights:
            told.append(f"weights of {self.before.weights} -> {self.after.weights}")
        return f"~ {self.before.name}: {'; '.join(told)}"


@attrs.frozen(slots=True, eq=False)
class Difference:
    """What tells two architectures apart; false where nothing does.

    Attributes:
        decisions: the decisions made differently, in the order of a log.
        added: the layers that only the second network has, in its order.
        removed: the layers that only the first network has, in its order.
        changed: the layers of one name that differ in class, arguments, inputs or weights.
    """

    decisions: tuple[DecisionChange, ...]
    added: tuple[LayerNode, ...]
    removed: tuple[LayerNode, ...]
    changed: tuple[LayerChange, ...]

    def __bool__(self) -> bool:
        """Say whether anything differs."""
        return bool(self.decisions or self.added or self.removed or self.changed)

    def __str__(self) -> str:
        lines = []
        if self.decisions:
            lines += ["decisions", *(f"  {change}" for change in self.decisions)]
        layers = [f"- {_written(node)}" for node in self.removed]
        layers += [f"+ {_written(node)}" for node in self.added]
        layers += [str(change) for change in self.changed]
        if layers:
            lines += ["layers", *(f"  {line}" for line in layers)]
        return "\n".join(lines) or "no difference"


def diff(first: "Architecture", second: "Architecture") -> Difference:
    """Return what tells two architectures apart.

    Decisions and layers are matched by name, so the two may be of different spaces, such as a space
    and one refined from it.

    Raises:
        BuildError: the decisions of one of them do not make a network.

    Example:
        >>> from hypernets.domain.space.hyper_space import HyperSpace
        >>> from hypernets.domain.space.hyperparameter import Choice
        >>> from hypernets.domain.space.operation import Identity
        >>> space = HyperSpace()
        >>> with space.as_default():
        ...     _ = Identity(a=Choice([1, 2], name="size"), name="part")
        >>> print(diff(space.unrank(0), space.unrank(1)))
        decisions
          ~ part.a: 1 -> 2
    """
    before, after = first.graph, second.graph
    return Difference(
        decisions=tuple(_decisions(first, second)),
        added=tuple(node for node in after if node.name not in before),
        removed=tuple(node for node in before if node.name not in after),
        changed=tuple(
            LayerChange(node, after[node.name])
            for node in before
            if node.name in after and not _alike(node, after[node.name])
        ),
    )


def _decisions(first: "Architecture", second: "Architecture") -> Iterable[DecisionChange]:
    before, after = first.decisions, second.decisions
    for name, label in {**second.labels, **first.labels}.items():
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        if not _same(old, new):
            yield DecisionChange(name, label, old, new)


def _alike(one: LayerNode, other: LayerNode) -> bool:
    return (
        one.layer == other.layer
        and one.inputs == other.inputs
        and one.weights == other.weights
        and one.arguments.keys() == other.arguments.keys()
        and all(_same(value, other.arguments[key]) for key, value in one.arguments.items())
    )


def _same(one: Any, other: Any) -> bool:
    """Say whether two values are equal, by their text where they do not compare to one answer."""
    if one is other:
        return True
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # arrays compare element by element
        return repr(one) == repr(other)


def _given(keyword: str, value: Any) -> str:
    if value is ABSENT:
        return "not given"
    return long_arguments({keyword: value}).removeprefix(f"{keyword}=")


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"


def _written(node: LayerNode) -> str:
    return f"{node.name}: {node.layer}({long_arguments(node.arguments)})"
