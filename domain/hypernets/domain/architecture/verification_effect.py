"""What a space holds for nothing: what is never chosen, and decisions without effect."""

import heapq
import random
from collections.abc import Iterable
from typing import Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.decider import decide
from hypernets.domain.architecture.evaluation import UNDECIDED, Evaluation
from hypernets.domain.architecture.verification_diagram import TooLargeError
from hypernets.domain.architecture.verification_pass import ShapePass
from hypernets.domain.architecture.verification_value import Fault, deciding
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace, Inputs, Join, Layer, Loose, Macro, Mux, Pick
from hypernets.domain.space.hyperparameter import Cascade, Decision, Dynamic, ParameterSpace

__all__ = ["never_chosen", "without_effect"]

_SAMPLES = 6  # architectures in which a decision is varied
_VALUES = 4  # values that are tried in each
_LAYERS = 100_000  # of all the networks whose signatures are compared


def never_chosen(shapes: ShapePass) -> tuple[str, ...]:
    """Return the names of modules in no architecture, and of decisions that none needs.

    Exact, except that what depends on too many combinations of decisions counts as chosen.
    """
    return _Activity(shapes).idle()


class _Activity:
    """For every node and hyperparameter, a diagram that says when it is needed."""

    def __init__(self, shapes: ShapePass) -> None:
        self._shapes = shapes
        self._table = shapes.table
        self._frozen = shapes.frozen
        self._yes, self._no = self._table.leaf(True), self._table.leaf(False)
        self._n_nodes = len(self._frozen.nodes)
        self._when = [self._no] * (self._n_nodes + len(self._frozen.space.hyperparameters))
        self._turn = _readers_first(self._frozen)
        self._changed: list[tuple[int, int]] = []  # a heap: readers before what they read

    def idle(self) -> tuple[str, ...]:
        frozen = self._frozen
        for place in [*frozen.inputs, *frozen.outputs, *self._places(frozen.training.parameters)]:
            self._need(place, self._yes)
        while self._changed:
            _, place = heapq.heappop(self._changed)
            if place < self._n_nodes:
                self._follow_node(place)
            else:
                self._follow_parameter(frozen.space.hyperparameters[place - self._n_nodes], place)
        used = {frozen.owners[i] for i in range(self._n_nodes) if self._when[i] != self._no}
        modules = [
            module.name
            for module in frozen.space.modules
            if module.index not in used and not module.used_as_argument
        ]
        decisions = [
            parameter.name
            for parameter in frozen.space.hyperparameters
            if isinstance(parameter, Decision)
            and parameter.is_decision
            and self._when[self._n_nodes + parameter.index] == self._no
        ]
        return (*modules, *decisions)

    def _places(self, parameters: Iterable[Any]) -> list[int]:
        return [self._n_nodes + p.index for p in parameters if isinstance(p, ParameterSpace)]

    def _need(self, place: int, when: int) -> None:
        before = self._when[place]
        if before == self._yes:
            return
        self._shapes.give_steps()
        try:
            after = self._table.combine(lambda a, b: a or b, [before, when])
        except TooLargeError:
            after = self._yes
        if after != before:
            self._when[place] = after
            heapq.heappush(self._changed, (self._turn[place], place))

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

        def target(evaluation: Evaluation) -> int:
            decide_value = deciding(evaluation)
            try:
                for dependency in parameter.dependencies.values():
                    if isinstance(dependency, ParameterSpace):
                        decide_value(dependency)
                return self._table.leaf(tuple(self._places([evaluation.target(parameter)])))
            except (BuildError, SpaceError):
                return self._table.leaf(())

        self._shapes.give_steps()
        try:
            self._follow(place, self._shapes.demand(target, {}))
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


def without_effect(frozen: FrozenSpace, seed: int) -> tuple[str, ...]:
    """Return the labels of decisions that change no signature, as far as samples show.

    Arguments of the training are left out: they never change the signature. So are, in very large
    networks, the last decisions, which are not tested.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    samples = [decide(frozen, lambda decision: decision.sample(rng)) for _ in range(_SAMPLES)]
    training = _of_training(frozen)
    signatures = _Signatures()
    found: list[str] = []
    for rank, decision in enumerate(frozen.decisions):
        if rank in training or _matters(frozen, rank, samples, rng, signatures):
            continue
        found.append(decision.label)
    return tuple(found)


class _Signatures:
    """Signatures, as long as they take no more than a few seconds in all."""

    def __init__(self) -> None:
        self.left = _LAYERS

    def of(self, architecture: Architecture) -> str:
        try:
            self.left -= 1 + len(architecture.graph)
            return architecture.signature
        except BuildError as error:
            return str(error)


def _matters(
    frozen: FrozenSpace,
    rank: int,
    samples: list[Architecture],
    rng: random.Random,
    signatures: _Signatures,
) -> bool:
    """Say whether a change of a decision changes a signature; also where it was not varied."""
    varied = False
    for sample in samples:
        if sample.values[rank] is UNDECIDED:
            continue
        varied = True
        before: str | None = None
        for other in _varied(frozen, rank, sample, rng):
            if signatures.left <= 0:
                return True
            before = before or signatures.of(sample)
            if signatures.of(other) != before:
                return True
    return not varied


def _varied(
    frozen: FrozenSpace, rank: int, sample: Architecture, rng: random.Random
) -> Iterable[Architecture]:
    decision = frozen.decisions[rank]
    if decision.is_finite:
        size = int(decision.size)
        numbers = range(size) if size <= _VALUES else rng.sample(range(size), _VALUES)
        values = [decision.value_at(number) for number in numbers]
    else:
        values = [decision.sample(rng) for _ in range(_VALUES)]
    for value in values:

        def choose(asked: Decision, value: Any = value) -> Any:
            if asked is decision:
                return value
            known = sample.values[frozen.ranks[asked.index]]
            return asked.sample(rng) if known is UNDECIDED else known

        yield decide(frozen, choose)


def _of_training(frozen: FrozenSpace) -> set[int]:
    """Return the ranks of the decisions that the training reads."""
    found: set[int] = set()
    stack: list[Any] = list(frozen.training.parameters)
    seen: set[int] = set()
    while stack:
        parameter = stack.pop()
        if not isinstance(parameter, ParameterSpace) or parameter.index in seen:
            continue
        seen.add(parameter.index)
        found.add(frozen.ranks[parameter.index])
        if isinstance(parameter, (Dynamic, Cascade)):
            stack.extend(parameter.dependencies.values())
    for cascade in frozen.space.hyperparameters:
        if isinstance(cascade, Cascade) and cascade.index in seen:  # what it may return
            position = len(frozen.nodes) + cascade.index
            for ins in frozen.certainty.equations[position].alternatives:
                found.update(frozen.ranks[i - len(frozen.nodes)] for i in ins)
    return found - {-1}
