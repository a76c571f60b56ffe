"""The cost of every layer of a space, as decision diagrams: from decisions to weights and work.

The shapes of what feeds a layer are known by their diagrams (see `verification.shape_pass`); here
the rule of the layer is applied to them. What cannot be told, because it depends on too many
combinations of decisions, on a continuous one, or on a layer that nothing describes, costs nothing:
a bound on the cost stays one.
"""

import math
from collections.abc import Mapping
from typing import Any

import attrs

from hypernets.domain.architecture.evaluation import Evaluation
from hypernets.domain.architecture.graph import LayerSpec, Shape, each_shape
from hypernets.domain.architecture.verification.diagram import TooLargeError
from hypernets.domain.architecture.verification.layer import macro_value
from hypernets.domain.architecture.verification.shape_pass import ShapePass
from hypernets.domain.architecture.verification.structure import reads_of, shared_layers
from hypernets.domain.architecture.verification.value import (
    Fault,
    LazyArguments,
    NeededError,
    Unknown,
    Value,
    deciding,
)
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.layers import LayerRule, OutsideRuleError, count_weights, rule_for
from hypernets.domain.space.frozen import FrozenSpace, Layer, Macro

__all__ = ["LayerCost", "LayerCosts"]


@attrs.frozen
class LayerCost:
    """What a layer costs, or several of them; infinitely much where it cannot be built.

    Attributes:
        parameters: weights.
        multiply_adds: for one example.
    """

    parameters: float = 0
    multiply_adds: float = 0

    def __add__(self, other: "LayerCost") -> "LayerCost":
        return LayerCost(
            self.parameters + other.parameters, self.multiply_adds + other.multiply_adds
        )


_NOTHING = LayerCost()
_IMPOSSIBLE = LayerCost(math.inf, math.inf)


class LayerCosts:
    """The least cost of each layer, given some of the decisions.

    Args:
        frozen: the space.
        cases: combinations of decisions that are told apart for one layer, about.

    Attributes:
        costing: bits of the nodes that may cost something.
        shared: node of a layer that is used at several places → name of the first.
        ranks: of the decisions that matter to the cost of some layer by its shapes and arguments.
    """

    def __init__(self, frozen: FrozenSpace, cases: int) -> None:
        self._frozen = frozen
        self._shapes = ShapePass(frozen, cases)
        self._shapes.run()
        self._inexact = _readers_of(frozen, self._shapes.inexact)
        self._constant: dict[int, LayerCost] = {}
        self._varying: dict[int, list[tuple[dict[int, int], int, list[int]]]] = {}
        self._known: dict[tuple[int, tuple[int | None, ...]], LayerCost] = {}
        self.shared = shared_layers(frozen)
        ranks: set[int] = set()
        for position, node in enumerate(frozen.nodes):
            if isinstance(node, (Layer, Macro)) and position not in self._inexact:
                self._take(position, node)
        for entries in self._varying.values():
            for context, _, support in entries:
                ranks.update(context, support)
        self.ranks = frozenset(ranks)
        self.costing = sum(1 << position for position in (*self._constant, *self._varying))

    def least(self, position: int, numbers: Mapping[int, int]) -> LayerCost:
        """Return what a node costs at least.

        Args:
            position: of the node.
            numbers: rank → number of the value, of the decisions that have been made.
        """
        constant = self._constant.get(position)
        if constant is not None:
            return constant
        found = [
            self._least_of(diagram, support, numbers)
            for context, diagram, support in self._varying.get(position, ())
            if all(numbers.get(rank, number) == number for rank, number in context.items())
        ]
        return _least(found)

    def _least_of(self, diagram: int, support: list[int], numbers: Mapping[int, int]) -> LayerCost:
        key = diagram, tuple([numbers.get(rank) for rank in support])
        found = self._known.get(key)
        if found is None:
            values = self._shapes.table.values(diagram, numbers)
            found = self._known[key] = _least(values)
        return found

    # --- the diagrams -------------------------------------------------------

    def _take(self, position: int, node: Layer | Macro) -> None:
        """Take a node in, if it costs something."""
        table = self._shapes.table
        entries = []
        for context, fed in self._shapes.fed(position):
            diagram = self._diagram(position, node, context, fed)
            entries.append((dict(context), diagram, table.support(diagram)))
        values = {value for _, diagram, _ in entries for value in table.values(diagram)}
        if len(values) == 1:
            (value,) = values
            if value != _NOTHING:
                self._constant[position] = value
        elif values:
            self._varying[position] = entries

    def _diagram(
        self, position: int, node: Layer | Macro, context: tuple[tuple[int, int], ...], fed: int
    ) -> int:
        shapes, table = self._shapes, self._shapes.table
        nothing = table.leaf(_NOTHING)

        def priced(given: Any) -> int:
            if isinstance(given, Unknown):
                return nothing
            if isinstance(given, Fault):
                return table.leaf(_IMPOSSIBLE)

            def price(evaluation: Evaluation) -> int:
                try:
                    return table.leaf(self._price(position, node, given, evaluation))
                except NeededError as error:
                    if self._frozen.decisions[error.rank].is_finite:
                        raise
                    return nothing

            return shapes.demand(price, dict(context))

        shapes.give_steps()
        try:
            return table.bind(fed, priced)
        except TooLargeError:
            return nothing

    def _price(
        self, position: int, node: Layer | Macro, given: Value, evaluation: Evaluation
    ) -> LayerCost:
        try:
            if isinstance(node, Layer):
                return _layer_cost(node, given, evaluation)
            return self._macro_cost(position, node, given, evaluation)
        except BuildError:
            return _IMPOSSIBLE
        except SpaceError:  # a definition that is wrong; deciding says so
            return _NOTHING

    def _macro_cost(
        self, position: int, node: Macro, given: Value, evaluation: Evaluation
    ) -> LayerCost:
        emitted: list[tuple[LayerSpec, tuple[Shape, ...]]] = []
        oracle = self._frozen.oracle
        found = macro_value(position, node, given, evaluation, oracle, {}, emitted)
        if isinstance(found, Unknown):
            return _NOTHING
        if isinstance(found, Fault):
            return _IMPOSSIBLE
        total = _NOTHING
        for spec, inputs in emitted:
            rule = rule_for(spec.layer)
            work = 0 if rule is None else _work(rule, spec.arguments, inputs)
            total += LayerCost(count_weights(spec, inputs, oracle).total, work)
        return total


def _layer_cost(node: Layer, given: Value, evaluation: Evaluation) -> LayerCost:
    """Return what a layer costs for what it is given.

    Raises:
        BuildError: it cannot be built.
        NeededError: a decision that matters has not been made.
    """
    module = node.module
    if module.is_input:
        return _NOTHING
    if not given.shapes:
        return _IMPOSSIBLE
    inputs = tuple(shape for shapes in given.shapes for shape in each_shape(shapes))
    decide = deciding(evaluation)
    rule = rule_for(module.layer) if module.factory is None else None
    if rule is not None:
        arguments = LazyArguments(node.template, decide)
        try:
            weights = rule.weights(arguments, inputs)
        except OutsideRuleError:  # the framework reads all arguments
            pass
        else:
            return LayerCost(weights.total, _work(rule, arguments, inputs))
    if module.oracle is None:
        return _NOTHING
    filled = node.template.fill(decide)
    spec = LayerSpec(module.layer, filled, module.original.name, module.factory)
    return LayerCost(module.oracle.weights(spec, inputs).total)


def _work(rule: LayerRule, arguments: Mapping[str, Any], inputs: tuple[Shape, ...]) -> int:
    try:
        return rule.multiply_adds(arguments, inputs)
    except BuildError:  # it cannot tell
        return 0


def _least(costs: list[LayerCost]) -> LayerCost:
    """Return the least of each kind, nothing where there is no cost at all."""
    if len(costs) == 1:
        return costs[0]
    return LayerCost(
        min((cost.parameters for cost in costs), default=0),
        min((cost.multiply_adds for cost in costs), default=0),
    )


def _readers_of(frozen: FrozenSpace, positions: set[int]) -> set[int]:
    """Return some nodes and all that may read them, directly or through others."""
    found, grown = set(positions), bool(positions)
    reads = reads_of(frozen)
    while grown:
        more = {i for i, ins in enumerate(reads) if i not in found and not found.isdisjoint(ins)}
        found |= more
        grown = bool(more)
    return found
