"""A space as a text that a person reads: what there is to decide, and what hangs on it."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter import Cascade, Constant, Decision, Dynamic
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.module import ModuleSpace, parameters_in
from hypernets.domain.space.operation import Optional, Or, Permutation, Repeat
from hypernets.domain.space.structure import Structure, structure_of

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["brief_label", "describe"]

_MOST_TRIED = 256  # values of a selector that are tried one by one
_MOST_NAMED = 8  # values that a condition lists
_LONGEST = 90  # letters of the values of a decision
_PART = {Or: "alternative", Repeat: "step", Permutation: "part"}


def describe(space: "HyperSpace") -> str:
    """Return the description of a space (see `HyperSpace.describe`).

    Raises:
        SpaceError: the definition is wrong.
    """
    lines = [f"space {space.name!r}", "", "decisions", *_decisions(space), "", "modules"]
    structure = structure_of(space)
    top = [
        m.index
        for m in structure.modules
        if structure.inside[m.index] is None and not m.used_as_argument
    ]
    lines += _Tree(structure, named=True).members(top, "  ")
    if space.training:
        lines += ["", "training"]
        lines += [f"  {keyword} = {_written(value)}" for keyword, value in space.training.items()]
    return "\n".join([*lines, "", _count(space)]) + "\n"


def brief_label(label: str) -> str:
    """Return a label, of several owners only the first and how many more there are."""
    first, *others = label.split(",")
    return f"{first} and {len(others)} more" if others else first


def _decisions(space: "HyperSpace") -> list[str]:
    """Return a line for each decision: name, values, number of values, where it is used."""
    rows = []
    for decision in space.decisions:
        size = decision.size
        number = "continuous" if size == math.inf else f"{int(size):,} values"
        label = brief_label(decision.label)
        used = "" if label == decision.name else f"for {label}"
        values = decision.describe()
        if len(values) > _LONGEST:
            values = f"{values[: _LONGEST - 3].rstrip(' ,')} \u2026]"
        rows.append((decision.name, values, number, used))
    if not rows:
        return ["  none"]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  " + "  ".join((*map(str.ljust, row[:3], widths), row[3])).rstrip() for row in rows]


def _count(space: "HyperSpace") -> str:
    try:
        count = space.count()
    except SpaceError as error:
        return f"number of architectures not known: {error}"
    if count == math.inf:
        endless = [decision.name for decision in space.decisions if not decision.is_finite]
        return f"infinitely many architectures, by {', '.join(endless)}"
    return f"{int(count):,} architecture{'' if count == 1 else 's'}"


class _Tree:
    """Writes modules and what they own.

    Args:
        structure: of the space.
        named: whether modules are told by name; else by how far back they were created, so that
            what was built alike is written alike.
    """

    def __init__(self, structure: Structure, *, named: bool) -> None:
        self._structure = structure
        self._named = named

    def members(self, subgraph: Sequence[int], indent: str, title: str = "") -> Iterator[str]:
        """Yield the lines of the modules of one subgraph, in the order of depth.

        Args:
            subgraph: the modules.
            indent: what the lines begin with.
            title: what is said of the subgraph, on the line of its module if it has only one.
        """
        depths = self._structure.depths
        if title and len(subgraph) > 1:
            yield f"{indent}{title}"
            indent += "  "
        before = f"{title}: " if title and len(subgraph) == 1 else ""
        for i in sorted(subgraph, key=lambda i: (depths[i], i)):
            module = self._structure.modules[i]
            yield f"{indent}{before}{self._headline(module)}"
            yield from self._parts(module, f"{indent}  ")

    def _headline(self, module: ModuleSpace) -> str:
        kind = module.layer if isinstance(module, LayerModule) else type(module).__name__
        arguments = ", ".join(f"{k}={_written(v)}" for k, v in module.arguments.items())
        if isinstance(module, Optional) and module.keep_link:
            arguments += ", keep_link=True"
        told = f"{kind} {module.name}" if self._named else kind
        told += f"({arguments})" if arguments else ""
        if isinstance(module, LayerModule) and module.original is not module:
            told += f" with the weights of {module.original.name}"
        if module.inputs:
            fed = [m.name if self._named else str(module.index - m.index) for m in module.inputs]
            told += f" <- {', '.join(fed)}"
        return told

    def _parts(self, module: ModuleSpace, indent: str) -> Iterator[str]:
        """Yield the lines of the subgraphs that an op owns, each with its condition."""
        kind = next((word for op, word in _PART.items() if isinstance(module, op)), "")
        written: dict[tuple[str, ...], int] = {}
        for place, subgraph in enumerate(self._structure.regions.get(module.index, ())):
            number = f"{kind} {place + isinstance(module, Repeat)}" if kind else ""
            title = ", ".join(filter(None, (number, _condition(module, place))))
            alike = tuple(_Tree(self._structure, named=False).members(subgraph, ""))
            first = written.setdefault(alike, place)
            if first != place and isinstance(module, Repeat):
                yield f"{indent}{title}: built like {kind} {first + 1}"
            else:
                yield from self.members(subgraph, indent, title)


def _condition(op: ModuleSpace, place: int) -> str:
    """Return when a subgraph of an op is part of an architecture; empty if it always is."""
    if isinstance(op, Or):
        selector, rest = op.hp_or, f"is {place}"
    elif isinstance(op, Optional):
        selector, rest = op.hp_opt, "is True"
    elif isinstance(op, Repeat):
        selector, rest = op.hp_repeat_num, f"is {place + 1} or more"
    else:
        return ""

    def selects(value: Any) -> bool:
        if isinstance(op, Optional):
            return bool(value)
        return bool(value > place if isinstance(op, Repeat) else value == place)

    if isinstance(selector, Constant):
        return "" if selects(selector.value) else "never"
    if isinstance(selector, Decision) and selector.size <= _MOST_TRIED:
        values = [selector.value_at(i) for i in range(int(selector.size))]
        chosen = [repr(value) for value in values if selects(value)]
        if len(chosen) == len(values):
            return ""
        if not chosen:
            return "never"
        if len(chosen) <= _MOST_NAMED:
            *most, last = chosen
            rest = f"is {', '.join(most)} or {last}" if most else f"is {last}"
    return f"if {_written(selector)} {rest}"


def _written(value: Any) -> str:
    """Return an argument as it would be written, its hyperparameters by name."""
    if isinstance(value, Constant):
        return _written(value.value)
    if isinstance(value, (Dynamic, Cascade)):
        given = ", ".join(f"{k}={_written(v)}" for k, v in value.dependencies.items())
        return f"{type(value).__name__}({given})"
    if isinstance(value, Decision):
        return value.name if value.is_decision else _written(value.value_at(0))
    if isinstance(value, LayerModule):
        given = ", ".join(f"{k}={_written(v)}" for k, v in value.arguments.items())
        return f"{value.layer}({given})"
    if isinstance(value, (list, tuple)) and any(True for _ in parameters_in(value)):
        items = ", ".join(map(_written, value))
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_written(v)}" for k, v in value.items()) + "}"
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    return " ".join(repr(value).split())
