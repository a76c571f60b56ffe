"""Counting the architectures of a space exactly, and numbering them.

A memoised recursion over the states of deciding. In a state, a needed decision that no open switch
depends on multiplies; any other is branched on, the newest first. Two states are the same for what
follows if they agree on the decisions that wait, on the switches that are open, on what these could
still make needed, and on the decided values that these could still read. So independent parts of a
space do not multiply the number of states, and a space as large as 10^19 takes milliseconds.

The worst case is exponential all the same; past a limit the count is refused, never wrong.
"""

import math
from collections.abc import Sequence
from typing import Any

import attrs

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.decided import chosen_inputs
from hypernets.domain.architecture.evaluation import UNDECIDED, Blocked, Evaluation
from hypernets.domain.architecture.switch import (
    alternatives_of,
    numbers_in,
    possible_of,
    readers_of,
)
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace
from hypernets.domain.space.hyperparameter import Cascade, ParameterSpace

__all__ = ["SpaceCounter"]

STATE_LIMIT = 200_000
"""More states than this, and the structure counts as too entangled."""


@attrs.frozen(slots=True)
class _State:
    """What matters for what follows.

    Attributes:
        needed: ranks of needed decisions that have not been made, the newest last.
        switches: numbers of needed switches that have not chosen.
        live: bits of what is needed already, as far as open switches could make it needed.
        values: rank and value number of the decisions made that open switches could still read.
    """

    needed: tuple[int, ...]
    switches: tuple[int, ...]
    live: int
    values: tuple[tuple[int, int], ...]


@attrs.frozen(slots=True)
class _Node:
    """A state, taken apart.

    Attributes:
        free: ranks of the decisions that multiply.
        n_free: product of their sizes.
        branch: rank of the decision to branch on, -1 for none.
        rest: the state without the free decisions.
    """

    free: tuple[int, ...]
    n_free: int
    branch: int
    rest: _State


class SpaceCounter:
    """Counts, numbers and finds the architectures of a finite frozen space.

    The numbering is a fixed order of the space's own; it means nothing else.
    """

    def __init__(self, frozen: FrozenSpace) -> None:
        self._frozen = frozen
        self._n_decisions = len(frozen.decisions)
        self._decision_mask = (1 << self._n_decisions) - 1
        self._possible = possible_of(frozen)
        self._alternatives = alternatives_of(frozen)
        self._readers = readers_of(frozen)
        self._counts: dict[_State, int] = {}
        self._children: dict[_State, tuple[_State, ...]] = {}
        self._nodes: dict[_State, _Node] = {}
        self._readable: dict[_State, set[int]] = {}  # the switches that may yet choose

    def count(self) -> int | float:
        """Return the number of architectures, `inf` where a decision is continuous.

        Raises:
            SpaceError: the structure is too entangled to be counted exactly.
        """
        if not all(decision.is_finite for decision in self._frozen.decisions):
            return math.inf
        if not self._frozen.certainty.is_complete:
            raise SpaceError(
                f"a space must have cascades over few values to be counted; received "
                f"{self._frozen.space!r} with a Cascade that could not be tabulated; let it depend "
                "on finite hyperparameters"
            )
        return self._count(self._start())

    # --- states -------------------------------------------------------------

    def _start(self) -> _State:
        return self._settle((), (), 0, (), self._frozen.certainty.roots)

    def _settle(
        self,
        needed: Sequence[int],
        switches: Sequence[int],
        live: int,
        values: Sequence[tuple[int, int]],
        bits: int,
    ) -> _State:
        """Return the state after a set is needed and every switch that can choose has chosen."""
        frozen = self._frozen
        known: list[Any] = [UNDECIDED] * self._n_decisions
        for rank, number in values:
            known[rank] = frozen.decisions[rank].value_at(number)
        evaluation = Evaluation(frozen.ranks, known)
        waiting, open_switches = list(needed), list(switches)
        ready = list(switches)
        while True:
            new = bits & ~live
            live |= new
            while new:
                lowest = new & -new
                new ^= lowest
                number = lowest.bit_length() - 1
                if number < self._n_decisions:
                    waiting.append(number)
                else:
                    ready.append(number - self._n_decisions)
                    open_switches.append(number - self._n_decisions)
            if not ready:
                break
            switch = ready.pop()
            bits = 0
            if not self._could_add(switch, live):
                open_switches.remove(switch)
                continue
            chosen = self._choose(switch, evaluation)
            if chosen is None:
                continue
            open_switches.remove(switch)
            bits = chosen
        return self._canonical(waiting, open_switches, live, values, evaluation)

    def _could_add(self, switch: int, live: int) -> bool:
        return bool(self._possible[switch] & ~live & self._decision_mask)

    def _choose(self, switch: int, evaluation: Evaluation) -> int | None:
        """Return what a switch makes needed for certain, or `None` where it cannot choose yet."""
        frozen, certainty = self._frozen, self._frozen.certainty
        which = certainty.switches[switch]
        if isinstance(which, Cascade):
            target = evaluation.target(which)
            if isinstance(target, Blocked):
                return None
            return certainty.of_parameter[target.index] if isinstance(target, ParameterSpace) else 0
        node: Any = frozen.nodes[which]
        value = evaluation.value(node.parameter)
        if isinstance(value, Blocked):
            return None
        bits = 0
        for position in chosen_inputs(frozen, which, value):
            bits |= certainty.of_node[position]
        return bits

    def _canonical(
        self,
        needed: Sequence[int],
        switches: Sequence[int],
        live: int,
        values: Sequence[tuple[int, int]],
        evaluation: Evaluation,
    ) -> _State:
        reached = 0
        kept: list[int] = []
        steps: dict[int, int] = {}
        for switch in switches:
            if self._could_add(switch, live):
                possible = self._yet_possible(switch, live, evaluation, steps)
                if possible & ~live & self._decision_mask:
                    kept.append(switch)
                    reached |= possible
        readable = {*kept, *numbers_in((reached & ~live) >> self._n_decisions)}
        read = tuple(
            (rank, number) for rank, number in sorted(values) if self._readers[rank] & readable
        )
        state = _State(tuple(needed), tuple(sorted(kept)), live & reached, read)
        self._readable[state] = readable
        return state

    def _yet_possible(
        self, switch: int, live: int, evaluation: Evaluation, steps: dict[int, int]
    ) -> int:
        """Return the bits of what an open switch could make needed, by the decisions made so far.

        Less than `_possible`: of the switches on the way, those that can choose by now do so.
        """
        reached = self._alternatives[switch]
        seen = live
        while True:
            new = (reached & ~seen) >> self._n_decisions
            if not new:
                return reached
            seen |= reached
            for number in numbers_in(new):
                step = steps.get(number)
                if step is None:
                    step = steps[number] = self._step(number, evaluation)
                reached |= step

    def _step(self, switch: int, evaluation: Evaluation) -> int:
        """Return the bits of what a switch makes needed, of all it could where that is open."""
        try:
            chosen = self._choose(switch, evaluation)
        except (BuildError, SpaceError):  # it may never be needed where its function fails
            chosen = None
        return self._alternatives[switch] if chosen is None else chosen

    def _node(self, state: _State) -> _Node:
        node = self._nodes.get(state)
        if node is None:
            node = self._nodes[state] = self._take_apart(state)
        return node

    def _take_apart(self, state: _State) -> _Node:
        readable = self._readable[state]
        free = tuple(rank for rank in state.needed if not self._readers[rank] & readable)
        rest = tuple(rank for rank in state.needed if self._readers[rank] & readable)
        n_free = math.prod(int(self._frozen.decisions[rank].size) for rank in free)
        return _Node(free, n_free, rest[-1] if rest else -1, attrs.evolve(state, needed=rest))

    def _child(self, node: _Node, number: int) -> _State:
        """Return the state after the decision to branch on has been given a value."""
        rest = node.rest
        values = (*rest.values, (node.branch, number))
        return self._settle(rest.needed[:-1], rest.switches, rest.live, values, 0)

    def _children_of(self, state: _State) -> tuple[_State, ...]:
        children = self._children.get(state)
        if children is None:
            node = self._node(state)
            size = int(self._frozen.decisions[node.branch].size) if node.branch >= 0 else 0
            children = tuple(self._child(node, number) for number in range(size))
            self._children[state] = children
            if len(self._children) > STATE_LIMIT:
                raise SpaceError(
                    f"a space must fall into parts that are independent enough to be counted; "
                    f"received {self._frozen.space!r}, which has more than {STATE_LIMIT:,} states; "
                    "freeze or share some of its decisions, or sample it instead"
                )
        return children

    def _count(self, start: _State) -> int:
        """Count with a stack of its own: as many decisions may hang on each other as there are."""
        counts = self._counts
        stack = [start]
        while stack:
            state = stack[-1]
            if state in counts:
                stack.pop()
                continue
            node = self._node(state)
            if node.branch < 0:
                counts[state] = node.n_free
                stack.pop()
                continue
            children = self._children_of(state)
            missing = [child for child in dict.fromkeys(children) if child not in counts]
            if missing:
                stack.extend(missing)
                continue
            counts[state] = node.n_free * sum(counts[child] for child in children)
            stack.pop()
        return counts[start]

    # --- numbering ----------------------------------------------------------

    def unrank(self, index: int) -> Architecture:
        """Return architecture number `index`, from 0.

        Raises:
            SpaceError: there is no such number, or the space is infinite.
        """
        total = self.require_finite()
        if not hasattr(index, "__index__") or isinstance(index, bool) or not 0 <= index < total:
            raise SpaceError(
                f"the number of an architecture must be an integer from 0 to {total - 1}; "
                f"received {index!r}"
            )
        chosen: dict[int, int] = {}
        state, left = self._start(), int(index)
        while True:
            node = self._node(state)
            left, digits = divmod(left, node.n_free)
            for rank in node.free:
                digits, chosen[rank] = divmod(digits, int(self._frozen.decisions[rank].size))
            if node.branch < 0:
                break
            for number, child in enumerate(self._children_of(state)):
                if left < self._counts[child]:
                    chosen[node.branch] = number
                    state = child
                    break
                left -= self._counts[child]
        values = [UNDECIDED] * self._n_decisions
        for rank, number in chosen.items():
            values[rank] = self._frozen.decisions[rank].value_at(number)
        return Architecture(self._frozen, tuple(values))

    def rank(self, architecture: Architecture) -> int:
        """Return the number of an architecture.

        Raises:
            SpaceError: it is of another space, or the space is infinite.
        """
        if architecture.frozen is not self._frozen:
            raise SpaceError(
                f"an architecture must be of the space that numbers it; received {architecture!r} "
                "of another one; make it anew with space.architecture(decisions)"
            )
        self.require_finite()
        numbers = {
            rank: self._frozen.decisions[rank].index_of(value)
            for rank, value in enumerate(architecture.values)
            if value is not UNDECIDED
        }
        path: list[tuple[_Node, int]] = []  # a node, and the number of its branch's predecessors
        state = self._start()
        while True:
            node = self._node(state)
            if node.branch < 0:
                path.append((node, 0))
                break
            children, number = self._children_of(state), numbers[node.branch]
            path.append((node, sum(self._counts[child] for child in children[:number])))
            state = children[number]
        index = 0
        for node, before in reversed(path):
            digits = 0
            for rank in reversed(node.free):
                digits = digits * int(self._frozen.decisions[rank].size) + numbers[rank]
            index = (index + before) * node.n_free + digits
        return index

    def require_finite(self) -> int:
        """Return the number of architectures.

        Raises:
            SpaceError: it is infinite, or cannot be counted.
        """
        total = self.count()
        if total == math.inf:
            (first, *_) = [d for d in self._frozen.decisions if not d.is_finite]
            raise SpaceError(
                f"only a finite space can be numbered; received one with the continuous "
                f"{first.label!r}; give it a step"
            )
        return int(total)
