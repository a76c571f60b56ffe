"""Shapes of a whole space at once: for every node, a diagram from decisions to what it puts out.

The frozen nodes are visited once, inputs first. A decision that is shared by several nodes is one
variable in all their diagrams, so combinations that cannot occur do not occur here either. A node
whose diagram takes too many steps is left unknown, and with it what depends on it.

A permutation is cyclic as it stands. The nodes of such a cycle are visited once for each order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hypernets.domain.architecture.decided import chosen_inputs
from hypernets.domain.architecture.evaluation import UNDECIDED, Evaluation
from hypernets.domain.architecture.graph import Shape, each_shape
from hypernets.domain.architecture.verification.diagram import DiagramTable, TooLargeError
from hypernets.domain.architecture.verification.layer import layer_value, macro_value
from hypernets.domain.architecture.verification.loose_end import loose_ends, sources_through
from hypernets.domain.architecture.verification.option import options_of
from hypernets.domain.architecture.verification.structure import (
    cycles_of,
    is_order,
    loose_bits_of,
    shared_layers,
)
from hypernets.domain.architecture.verification.value import (
    Fault,
    NeededError,
    Unknown,
    Value,
    both,
    deciding,
    worse,
)
from hypernets.domain.architecture.verification.value_class import ValueClasses
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace, Inputs, Layer, Loose, Macro, Mux, Pick
from hypernets.domain.space.hyperparameter import ParameterSpace

__all__ = ["ShapePass"]

_Context = tuple[tuple[int, int], ...]
_Key = tuple[int, _Context | None]
_STEPS_PER_CASE = 4  # vertices that are visited for each combination, with several inputs


class ShapePass:
    """Computes the diagrams of the nodes that the outputs need.

    Args:
        frozen: the space.
        limit: combinations to be told apart for one node, about.
        data: position of an input of the network → shape of the data, without the batch.
        made: by rank, decisions made beforehand, `UNDECIDED` for the others.

    Attributes:
        table: the diagrams.
        cases: position of a layer or macro → how often its shape was inferred.
        names: name of a layer that macros emit → positions of these.
        inexact: positions of nodes whose shapes depend on a continuous decision.
        given: position of a layer that is used at several places → the shapes that feed it.
    """

    def __init__(
        self,
        frozen: FrozenSpace,
        limit: int,
        data: Mapping[int, Shape] | None = None,
        made: Sequence[Any] | None = None,
    ) -> None:
        self.frozen = frozen
        self.table = DiagramTable(lambda rank: len(self.options(rank)))
        self.cases: dict[int, int] = {}
        self.names: dict[str, set[int]] = {}
        self.inexact: set[int] = set()
        self.given: dict[int, set[tuple[Shape, ...]]] = {}
        self._at = -1
        self._given_up: set[int] = set()  # layers whose own arguments take too many steps
        self._limit = limit
        self._data = data or {}
        self._made = list(made) if made is not None else [UNDECIDED] * len(frozen.decisions)
        self._options: dict[int, list[Any]] = {}
        self._classes = ValueClasses(frozen, self.options)
        self._selections: dict[_Key, int] = {}
        self._known: dict[_Key, int] = {}
        self._cycles = cycles_of(frozen)
        self._shared = shared_layers(frozen)
        self._kept, self._relevant = loose_bits_of(frozen) if frozen.loose_bits else ({}, {})

    def run(self) -> int:
        """Return the diagram of the whole: `Value()`, or the first fault, or why it is unknown."""
        ends = dict.fromkeys([*self.frozen.inputs, *self.frozen.outputs])
        for position in ends:
            self._visit((position, None))
        has_layers = any(isinstance(node, (Layer, Macro)) for node in self.frozen.nodes)
        self.give_steps()
        result = self.table.leaf(Value())
        try:
            for position in ends:

                def judged(value: Any, position: int = position) -> Any:
                    if isinstance(value, Value) and not value.shapes and has_layers:
                        return self._cut(position)
                    return Value() if isinstance(value, Value) else value

                diagram = self.table.combine(judged, [self._known[position, None]])
                result = self.table.combine(worse, [result, diagram])
        except TooLargeError:
            return self._too_large("the network as a whole")
        return result

    def diagrams_of(self, position: int) -> list[int]:
        """Return the diagrams of a node: one, or one for each order where it is permuted."""
        return [diagram for (node, _), diagram in self._known.items() if node == position]

    def fed(self, position: int) -> list[tuple[_Context, int]]:
        """Return the diagrams of what feeds a node: one, or one for each order it may stand in.

        With each, rank and number of the decisions that the order takes. None at all where one of
        them takes too many steps, and for nodes that no output needs.
        """
        node, cycle = self.frozen.nodes[position], self._cycles.get(position)
        if isinstance(node, (Mux, Pick)):
            return []
        found: list[tuple[_Context, int]] = []
        orders: list[_Context | None] = [None]
        try:
            self.give_steps()
            if cycle is not None:
                orders = [*self._orders(cycle)]
            for order in orders:
                key = position, order
                if any(self._key_of(key, i) not in self._known for i in node.ins):
                    return []
                self.give_steps()
                found.append((order or (), self._joined(key, node.ins)))
        except TooLargeError:
            return []
        return found

    def options(self, rank: int) -> list[Any]:
        """Return the values of a decision that are told apart (see `options_of`)."""
        found = self._options.get(rank)
        if found is None:
            decision = self.frozen.decisions[rank]
            found = self._options[rank] = options_of(decision, self._limit)
        return found

    def demand(
        self,
        function: Callable[[Evaluation], int],
        numbers: Mapping[int, int],
        parameters: Sequence[ParameterSpace] | None = None,
    ) -> int:
        """Return the diagram of a function that raises `NeededError` until it knows enough.

        Args:
            function: of the decisions made so far.
            numbers: the decisions made beforehand: rank → number of the value.
            parameters: all that the function reads the decisions through, if that is known: values
                that make no difference to these are looked at once.

        Raises:
            TooLargeError: it has to know too much.
        """
        values = self._made.copy()
        for rank, number in numbers.items():
            values[rank] = self.options(rank)[number]
        self.table.steps -= 1
        if self.table.steps < 0:
            raise TooLargeError
        try:
            return function(Evaluation(self.frozen.ranks, values))
        except NeededError as error:
            rank = error.rank
        if not self.frozen.decisions[rank].is_finite:
            self.inexact.add(self._at)
        count = len(self.options(rank))
        classes = range(count) if parameters is None else self._classes.of(rank, parameters)
        below = {
            number: self.demand(function, {**numbers, rank: number}, parameters)
            for number in dict.fromkeys(classes)
        }
        return self.table.case(rank, [below[number] for number in classes])

    # --- the order of visits ------------------------------------------------

    def _visit(self, key: _Key) -> None:
        known, stack, waiting = self._known, [key], set[_Key]()
        while stack:
            top = stack[-1]
            if top in known:
                stack.pop()
                continue
            self._at = top[0]
            try:
                self.give_steps()
                missing = [other for other in self._reads(top) if other not in known]
                if any(other in waiting for other in missing):
                    known[top] = self.table.leaf(Unknown("it reads itself"))
                elif missing:
                    waiting.add(top)
                    stack.extend(missing)
                    continue
                else:
                    self.give_steps()
                    known[top] = self._computed(top)
            except TooLargeError:
                known[top] = self._too_large(repr(self.frozen.names[top[0]]))
            waiting.discard(top)

    def give_steps(self) -> None:
        """Allow another piece of work as many steps as one node may take."""
        self.table.steps = _STEPS_PER_CASE * self._limit

    def _too_large(self, what: str) -> int:
        reason = f"{what} depends on more combinations of decisions than the limit, {self._limit:,}"
        return self.table.leaf(Unknown(reason))

    def _reads(self, key: _Key) -> Iterable[_Key]:
        position, context = key
        cycle = self._cycles.get(position)
        if cycle is not None and context is None:
            return [(position, order) for order in self._orders(cycle)]
        node = self.frozen.nodes[position]
        if isinstance(node, (Mux, Pick)):
            chosen = self.table.values(self.selection(key))
            ins = dict.fromkeys(
                i for found in chosen if not isinstance(found, Fault) for i in found
            )
        else:
            ins = dict.fromkeys(node.ins)
        return [self._key_of(key, i) for i in ins]

    def _key_of(self, reader: _Key, position: int) -> _Key:
        """Return the key of a node that another reads: the same order within the same cycle."""
        cycle = self._cycles.get(position)
        same = cycle is not None and cycle == self._cycles.get(reader[0])
        return position, reader[1] if same else None

    def _orders(self, cycle: int) -> list[_Context]:
        return [v for v in self.table.values(self._order(cycle)) if not isinstance(v, Fault)]

    def _order(self, cycle: int) -> int:
        """Return the diagram of what is decided about the order within a cycle."""
        key: _Key = (-1 - cycle, None)
        found = self._selections.get(key)
        if found is not None:
            return found
        frozen = self.frozen
        heads = [i for i, number in self._cycles.items() if number == cycle and is_order(frozen, i)]

        def order(numbers: dict[int, int]) -> int:
            def known(evaluation: Evaluation) -> int:
                decide = deciding(evaluation)
                for head in heads:
                    decide(frozen.nodes[head].parameter)  # type: ignore[union-attr]  # a Mux
                return self.table.leaf(tuple(sorted(numbers.items())))

            try:
                return known(self._evaluation(numbers))
            except NeededError as error:
                rank = error.rank
            except (BuildError, SpaceError) as error:
                return self.table.leaf(Fault(heads[0], frozen.names[heads[0]], (), str(error)))
            self.table.steps -= 1
            count = len(self.options(rank))
            if self.table.steps < 0 or count > self._limit:
                raise TooLargeError
            return self.table.case(
                rank, [order({**numbers, rank: number}) for number in range(count)]
            )

        found = self._selections[key] = order({})
        return found

    def _evaluation(self, numbers: Mapping[int, int]) -> Evaluation:
        values = self._made.copy()
        for rank, number in numbers.items():
            values[rank] = self.options(rank)[number]
        return Evaluation(self.frozen.ranks, values)

    def selection(self, key: _Key) -> int:
        """Return the diagram of the inputs that a `Mux` or `Pick` has."""
        found = self._selections.get(key)
        if found is not None:
            return found
        position, context = key
        node = self.frozen.nodes[position]
        assert isinstance(node, (Mux, Pick))

        def chosen(evaluation: Evaluation) -> int:
            try:
                value = deciding(evaluation)(node.parameter)
                return self.table.leaf(tuple(chosen_inputs(self.frozen, position, value)))
            except (BuildError, SpaceError) as error:
                return self.table.leaf(Fault(position, self.frozen.names[position], (), str(error)))

        found = self._selections[key] = self.demand(chosen, dict(context or ()), [node.parameter])
        return found

    # --- what a node puts out -----------------------------------------------

    def _computed(self, key: _Key) -> int:
        position, context = key
        cycle = self._cycles.get(position)
        if cycle is not None and context is None:
            return self._bound(self._order(cycle), lambda order: self._known[position, order])
        node, table = self.frozen.nodes[position], self.table
        if isinstance(node, (Mux, Pick)):
            return self._bound(self.selection(key), lambda ins: self._joined(key, ins))
        if isinstance(node, Loose):
            bits, kept = self.frozen.loose_bits, self._kept
            ins = [(self._known[self._key_of(key, i)], bits[i], kept.get(i, -1)) for i in node.ins]
            return loose_ends(table, ins, self._relevant.get(position, 0))
        joined = self._joined(key, node.ins)
        if not isinstance(node, (Layer, Macro)):
            return joined
        numbers = dict(context or ())
        oracle = self.frozen.oracle

        def made(given: Value) -> int:
            if isinstance(node, Layer) and position in self._shared:
                inputs = tuple(shape for shapes in given.shapes for shape in each_shape(shapes))
                self.given.setdefault(position, set()).add(inputs)

            def inferred(evaluation: Evaluation) -> int:
                self.cases[position] = self.cases.get(position, 0) + 1
                if isinstance(node, Layer):
                    data = self._data.get(position)
                    found = layer_value(position, node, given, evaluation, data)
                else:
                    found = macro_value(position, node, given, evaluation, oracle, self.names)
                if isinstance(found, Value):
                    found = Value(found.shapes, given.sources)
                return table.leaf(found)

            if position in self._given_up:
                return self._too_large(repr(self.frozen.names[position]))
            try:
                return self.demand(inferred, numbers, node.template.parameters)
            except TooLargeError:  # faults of what feeds it stay known
                self._given_up.add(position)
                self.give_steps()
                return self._too_large(repr(self.frozen.names[position]))

        return self._bound(joined, made)

    def _bound(self, diagram: int, function: Callable[[Any], int]) -> int:
        """Return `function` of what a diagram holds; a fault, or what is unknown, stays."""

        def follow(value: Any) -> int:
            stays = isinstance(value, (Fault, Unknown))
            return self.table.leaf(value) if stays else function(value)

        return self.table.bind(diagram, follow)

    def _joined(self, key: _Key, ins: Inputs) -> int:
        """Return the diagram of all tensors of some nodes, in order."""
        result = self.table.leaf(Value())
        for place, i in enumerate(ins):
            diagram = self._read(key, i)
            result = self.table.combine(both, [result, diagram]) if place else diagram
        return result

    def _read(self, key: _Key, position: int) -> int:
        """Return the diagram of an input, with the sources that matter to who reads it."""
        diagram = self._known[self._key_of(key, position)]
        if not self.frozen.loose_bits:
            return diagram
        own = self.frozen.loose_bits.get(position, 0)
        kept = self._kept.get(position, -1)
        relevant = self._relevant.get(key[0], 0)

        def seen(value: Any) -> Any:
            if not isinstance(value, Value):
                return value
            return Value(value.shapes, sources_through(value, own, kept, relevant))

        return self.table.combine(seen, [diagram])

    def _cut(self, position: int) -> Fault:
        name = self.frozen.names[position]
        reason = (
            f"an output must have a value; {name!r} is cut off; use keep_link=True in the Optional "
            "before it"
        )
        return Fault(position, name, (), reason)
