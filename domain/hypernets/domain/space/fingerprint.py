"""Fingerprints: a digest of what a space is, equal for the same space made anew.

It rests on the frozen form: every decision by rank with its name, kind and options, the nodes and
what they read, the arguments of layers and of the training. Names of modules do not count; names of
decisions do, since they are the keys under which architectures are stored.

A `Dynamic` or `Cascade` counts by the table of its results, where what it reads has few values. A
longer one counts by what it reads and by the attribute `version` of its function, if that has one:
raise it when the function changes. Code is never looked at, so rewriting a function that returns
the same changes nothing. Functions and classes among arguments and options count by name.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from hypernets.domain.architecture.value_text import text_of
from hypernets.domain.error import BuildError
from hypernets.domain.space.frozen import FrozenSpace, Join, Layer, Loose, Macro, Mux, Pick
from hypernets.domain.space.hyperparameter import (
    Cascade,
    Choice,
    Constant,
    Decision,
    Dynamic,
    Int,
    MultipleChoice,
    ParameterSpace,
    Real,
)
from hypernets.domain.space.layer import LayerModule

__all__ = ["VERSION", "fingerprint_of"]

VERSION = 1
"""The first part of every fingerprint; rises when a change makes them unlike stored ones."""

_TABLE_LIMIT = 4096
"""Longer tables of a function, and longer lazy lists of options, are not written out."""

_FAILED = Exception  # stands for the result of a function that raised one

_PLAIN = frozenset({bool, int, float, str, type(None)})  # their text is what Python writes


def fingerprint_of(frozen: FrozenSpace) -> str:
    """Return the fingerprint of a space: the version, a dash and 32 hexadecimal digits."""
    text = _Description(frozen).text().encode("utf-8", "surrogatepass")
    return f"{VERSION}-{hashlib.blake2b(text, digest_size=16).hexdigest()}"


class _Description:
    def __init__(self, frozen: FrozenSpace) -> None:
        self._frozen = frozen
        self._numbers: dict[int, int] = {}  # index of a derived hyperparameter → its number here
        self._met: list[Dynamic | Cascade] = []  # by that number
        self._tables: dict[int, list[Any] | None] = {}
        self._places = {
            id(node.module): position
            for position, node in enumerate(frozen.nodes)
            if isinstance(node, Layer)
        }

    def text(self) -> str:
        frozen = self._frozen
        for parameter in frozen.space.hyperparameters:  # what one depends on stands before it
            if isinstance(parameter, (Dynamic, Cascade)):
                self._tables[parameter.index] = self._table(parameter)
        parts = [
            [self._decision(decision) for decision in frozen.decisions],
            [self._node(position) for position in range(len(frozen.nodes))],
            [frozen.inputs, frozen.outputs],
            self._plain(frozen.space.training),
        ]
        derived: list[Any] = []
        while len(derived) < len(self._met):  # describing one may meet others
            derived.append(self._derived(self._met[len(derived)]))
        return text_of([*parts, derived])

    # --- decisions and nodes ------------------------------------------------

    def _decision(self, decision: Decision) -> list[Any]:
        described: list[Any] = [type(decision).__name__, decision.name]
        if isinstance(decision, Int):
            described += [decision.low, decision.high, decision.step]
        elif isinstance(decision, Real):
            described += [decision.low, decision.high, decision.step, decision.prior]
        elif isinstance(decision, MultipleChoice):
            described += [self._options(decision.options), decision.max_chosen_num]
        elif isinstance(decision, Choice):
            described += [self._options(decision.options)]
        else:
            described += [decision.size, decision.describe()]
        return described

    def _options(self, options: Sequence[Any]) -> Any:
        if isinstance(options, tuple) or getattr(options, "length", math.inf) <= _TABLE_LIMIT:
            return [self._plain(option) for option in options]
        return _leaf(options)

    def _node(self, position: int) -> list[Any]:
        node = self._frozen.nodes[position]
        if isinstance(node, Layer):
            shared = self._places.get(id(node.module.original), position)
            return [*self._layer(node.module), node.ins, shared]
        if isinstance(node, Macro):
            kind = type(node.module).__qualname__
            return ["macro", kind, self._plain(node.module.arguments), node.ins]
        if isinstance(node, Join):
            return ["join", node.ins, [self._plain(p) for p in node.parameters]]
        if isinstance(node, Mux):
            owner = self._frozen.space.modules[self._frozen.owners[position]]
            part = self._frozen.names[position].removeprefix(owner.name)
            kind = type(owner).__name__
            return ["mux", kind, part, self._plain(node.parameter), node.selection.alternatives]
        if isinstance(node, Pick):
            return ["pick", self._plain(node.parameter), node.ins]
        assert isinstance(node, Loose)
        return ["loose", node.ins]

    def _layer(self, module: LayerModule) -> list[Any]:
        factory = None if module.factory is None else self._plain(module.factory)
        return ["layer", module.layer, factory, self._plain(module.arguments)]

    # --- values -------------------------------------------------------------

    def _plain(self, value: Any) -> Any:
        """Return a value as lists, mappings and text, hyperparameters by reference."""
        if type(value) in _PLAIN:
            return f"={value!r}"
        if isinstance(value, ParameterSpace):
            return self._reference(value)
        if isinstance(value, LayerModule):
            return self._layer(value)
        if isinstance(value, Mapping):
            return {key: self._plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return ["items", *map(self._plain, value)]
        if callable(value) and hasattr(value, "__qualname__"):
            return f"@{value.__qualname__}"
        return f"={_leaf(value)}"

    def _reference(self, parameter: ParameterSpace) -> Any:
        if isinstance(parameter, (Dynamic, Cascade)):
            if parameter.index not in self._numbers:
                self._numbers[parameter.index] = len(self._met)
                self._met.append(parameter)
            return ["derived", self._numbers[parameter.index]]
        if isinstance(parameter, Constant):
            return self._plain(parameter.value)
        if isinstance(parameter, Decision) and not parameter.is_decision:
            return self._plain(parameter.value_at(0))
        return ["decision", parameter.name]

    # --- functions ----------------------------------------------------------

    def _derived(self, parameter: Dynamic | Cascade) -> list[Any]:
        table = self._tables[parameter.index]
        if table is None:
            says: Any = ["version", self._plain(getattr(parameter.function, "version", None))]
        else:
            says = [self._plain(_rounded(result)) for result in table]
        return [type(parameter).__name__, self._plain(parameter.dependencies), says]

    def _table(self, parameter: Dynamic | Cascade) -> list[Any] | None:
        """Return the results for all values of what a function reads, `None` if these are many."""
        domains: list[Sequence[Any]] = []
        size = 1
        for dependency in parameter.dependencies.values():
            domain = self._domain(dependency)
            if domain is None:
                return None
            size *= len(domain)
            if size > _TABLE_LIMIT:
                return None
            domains.append(domain)
        results: list[Any] = []
        for values in product(*domains):
            arguments = dict(zip(parameter.dependencies, values, strict=True))
            try:
                results.append(parameter.function(**arguments))
            except Exception:  # of values that never come together, say
                results.append(_FAILED)
        return results

    def _domain(self, value: Any) -> Sequence[Any] | None:
        """Return the values that something may have, each once; `None` if these are many."""
        if isinstance(value, Constant):
            return [value.value]
        if isinstance(value, Decision):
            if value.size > _TABLE_LIMIT:
                return None
            return [value.value_at(i) for i in range(int(value.size))]
        if not isinstance(value, ParameterSpace):
            return [value]
        table = self._tables.get(value.index)
        if table is None:
            return None
        if isinstance(value, Dynamic):
            return self._distinct(table)
        domains = [self._domain(target) for target in table]
        known = [domain for domain in domains if domain is not None]
        if len(known) < len(domains):
            return None
        return self._distinct([item for domain in known for item in domain])

    def _distinct(self, values: Sequence[Any]) -> list[Any]:
        known = [value for value in values if value is not _FAILED]
        return list({text_of(self._plain(_rounded(value))): value for value in known}.values())


def _rounded(result: Any) -> Any:
    """Return a computed float without the digits in which machines may differ."""
    return float(f"{result:.12g}") if isinstance(result, float) else result


def _leaf(value: Any) -> str:
    try:
        return text_of(value)
    except BuildError:  # it does not say what it is made of: its kind has to do
        return type(value).__qualname__
