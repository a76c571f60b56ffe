"""When each module, and each decision, of a space is needed: a diagram for every one of them."""

import heapq
from collections.abc import Iterable
from typing import Any

from hypernets.domain.architecture.evaluation import Evaluation
from hypernets.domain.architecture.verification.diagram import TooLargeError
from hypernets.domain.architecture.verification.shape_pass import ShapePass
from hypernets.domain.architecture.verification.value import Fault, deciding
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace, Inputs, Join, Layer, Loose, Macro, Mux, Pick
from hypernets.domain.space.hyperparameter import Cascade, Decision, Dynamic, ParameterSpace

__all__ = ["Activity"]


class Activity:
    """For every node and hyperparameter, a diagram that says when it is needed.

    Exact, except that what depends on too many combinations of decisions counts as needed.

    Args:
        shapes: the pass over the shapes, which has run; its diagrams are used and added to.
    """

    def __init__(self, shapes: ShapePass) -> None:
        self._shapes = shapes
        self._table = shapes.table
        self._frozen = shapes.frozen
        self._yes, self._no = self._table.leaf(True), self._table.leaf(False)
        self._n_nodes = len(self._frozen.nodes)
        self._when = [self._no] * (self._n_nodes + len(self._frozen.space.hyperparameters))
        self._turn = _readers_first(self._frozen)
        self._unions: dict[tuple[int, int], int] = {}
        self._changed: list[tuple[int, int]] = []  # a heap: readers before what they read
        self._run()

    def of_node(self, position: int) -> int:
        """Return the diagram of a node: `True` where it is needed."""
        return self._when[position]

    def of_decision(self, decision: Decision) -> int:
        """Return the diagram of a decision: `True` where it is needed."""
        return self._when[self._n_nodes + decision.index]

    def is_ever(self, diagram: int) -> bool:
        """Say whether some decisions lead to `True`."""
        return diagram != self._no

    def idle_modules(self) -> tuple[str, ...]:
        """Return the names of the modules that no architecture contains."""
        frozen = self._frozen
        used = {frozen.owners[i] for i in range(self._n_nodes) if self._when[i] != self._no}
        return tuple(
            module.name
            for module in frozen.space.modules
            if module.index not in used and not module.used_as_argument
        )

    def idle_decisions(self) -> tuple[str, ...]:
        """Return the names of the decisions that no architecture needs."""
        return tuple(
            parameter.name
            for parameter in self._frozen.space.hyperparameters
            if isinstance(parameter, Decision)
            and parameter.is_decision
            and self._when[self._n_nodes + parameter.index] == self._no
        )

    def _run(self) -> None:
        frozen = self._frozen
        for place in [*frozen.inputs, *frozen.outputs, *self._places(frozen.training.parameters)]:
            self._need(place, self._yes)
        while self._changed:
            _, place = heapq.heappop(self._changed)
            if place < self._n_nodes:
                self._follow_node(place)
            else:
                self._follow_parameter(frozen.space.hyperparameters[place - self._n_nodes], place)

    def _places(self, parameters: Iterable[Any]) -> list[int]:
        return [self._n_nodes + p.index for p in parameters if isinstance(p, ParameterSpace)]

    def _need(self, place: int, when: int) -> None:
        before = self._when[place]
        after = self._either(before, when)
        if after != before:
            self._when[place] = after
            heapq.heappush(self._changed, (self._turn[place], place))

    def _either(self, a: int, b: int) -> int:
        if a == b or b == self._no or a == self._yes:
            return a
        if a == self._no or b == self._yes:
            return b
        key = (min(a, b), max(a, b))
        found = self._unions.get(key)
        if found is None:
            self._shapes.give_steps()
            try:
                found = self._table.combine(lambda a, b: a or b, key)
            except TooLargeError:
                found = self._yes
            self._unions[key] = found
        return found

    def _follow_node(self, position: int) -> None:
        node = self._frozen.nodes[position]
        if isinstance(node, (Mux, Pick)):
            for place in self._places([node.parameter]):
                self._need(place, self._when[position])
            self._follow_choice(position, node)
            return
        parameters: Iterable[ParameterSpace] = ()
        if isinstance(node, (Layer, Macro)):
            parameters = node.template.parameters
        elif isinstance(node, Join):
            parameters = node.parameters
        else:
            assert isinstance(node, Loose)
        for place in [*node.ins, *self._places(parameters)]:
            self._need(place, self._when[position])

    def _follow_choice(self, position: int, node: Mux | Pick) -> None:
        self._shapes.give_steps()
        try:
            selection = self._shapes.selection((position, None))
        except TooLargeError:
            ins: Iterable[int] = (
                [i for chosen in node.selection.alternatives for i in chosen]
                if isinstance(node, Mux)
                else node.ins
            )
            for i in ins:
                self._need(i, self._when[position])
            return
        self._follow(position, selection)

    def _follow(self, place: int, selection: int) -> None:
        """Need what a diagram of positions says, where `place` is needed."""
        found: list[Inputs] = [v for v in self._table.values(selection) if not isinstance(v, Fault)]
        for i in dict.fromkeys(i for chosen in found for i in chosen):

            def needed(active: bool, chosen: Any, i: int = i) -> bool:
                return active and not isinstance(chosen, Fault) and i in chosen

            self._shapes.give_steps()
            try:
                when = self._table.combine(needed, [self._when[place], selection])
            except TooLargeError:
                when = self._yes
            self._need(i, when)

    def _follow_parameter(self, parameter: ParameterSpace, place: int) -> None:
        if not isinstance(parameter, (Dynamic, Cascade)):
            return
        for other in self._places(parameter.dependencies.values()):
            self._need(other, self._when[place])
        if not isinstance(parameter, Cascade):
            return
        dependencies = [p for p in parameter.dependencies.values() if isinstance(p, ParameterSpace)]

        def target(evaluation: Evaluation) -> int:
            decide_value = deciding(evaluation)
            try:
                for dependency in dependencies:
                    decide_value(dependency)
                return self._table.leaf(tuple(self._places([evaluation.target(parameter)])))
            except (BuildError, SpaceError):
                return self._table.leaf(())

        self._shapes.give_steps()
        try:
            self._follow(place, self._shapes.demand(target, {}, dependencies))
        except TooLargeError:
            for possible in self._places(self._frozen.space.hyperparameters):
                self._need(possible, self._when[place])  # it may return any of them


def _readers_first(frozen: FrozenSpace) -> list[int]:
    """Return, by node and then hyperparameter, its turn: after all that read it, but for cycles."""
    reads = [
        (*equation.always, *(i for chosen in equation.alternatives for i in chosen))
        for equation in frozen.certainty.equations
    ]
    turns = [0] * len(reads)
    seen = bytearray(len(reads))
    done = 0
    for start in range(len(reads)):
        if seen[start]:
            continue
        seen[start] = 1
        stack = [(start, iter(reads[start]))]
        while stack:
            place, rest = stack[-1]
            for other in rest:
                if not seen[other]:
                    seen[other] = 1
                    stack.append((other, iter(reads[other])))
                    break
            else:
                done += 1
                turns[place] = -done
                stack.pop()
    return turns
