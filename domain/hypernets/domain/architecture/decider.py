"""Deciding: a chooser is asked for exactly the decisions that an architecture needs.

Live outputs make live what is certain to be needed for them. Live decisions that are undecided
wait in a heap by rank, that is by (depth, creation); the lowest is asked, and what it chooses is
made live, until none waits. Every strategy, from random sampling to a controller's token sequence,
is a chooser, so conditions are solved here and nowhere else.
"""

import heapq
from collections.abc import Callable, Mapping
from typing import Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.decided import chosen_inputs
from hypernets.domain.architecture.evaluation import UNDECIDED, Blocked, Evaluation
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace, Mux, Pick
from hypernets.domain.space.hyperparameter import Cascade, Decision, ParameterSpace

__all__ = ["Chooser", "decide", "replay"]

Chooser = Callable[[Decision], Any]
"""Called with a decision, returns one of its values."""


def decide(frozen: FrozenSpace, chooser: Chooser) -> Architecture:
    """Return the architecture that a chooser decides.

    Raises:
        SpaceError: the chooser returned no value of a decision, or a `Dynamic` by which an op
            chooses has no value that suits it.
    """
    values: list[Any] = [UNDECIDED] * len(frozen.decisions)
    try:
        _Deciding(frozen, chooser, values).run()
    except BuildError as error:  # an op cannot choose: no architecture comes of it
        raise SpaceError(str(error)) from error
    return Architecture(frozen, tuple(values))


class _Deciding:
    def __init__(self, frozen: FrozenSpace, chooser: Chooser, values: list[Any]) -> None:
        self._frozen = frozen
        self._chooser = chooser
        self._values = values
        self._evaluation = Evaluation(frozen.ranks, values)
        self._live = 0
        self._heap: list[int] = []
        self._ready: list[int] = []  # switches to be expanded, by bit number
        self._waiting: dict[int, list[int]] = {}  # rank of a decision → switches that wait for it

    def run(self) -> None:
        frozen, values, heap, ready = self._frozen, self._values, self._heap, self._ready
        decisions, chooser, waiting = frozen.decisions, self._chooser, self._waiting
        self._enliven(frozen.certainty.roots)
        while True:
            while ready:
                self._expand(ready.pop())
            if not heap:
                return
            rank = heapq.heappop(heap)
            decision = decisions[rank]
            values[rank] = decision.normalise(chooser(decision))
            if rank in waiting:
                ready.extend(waiting.pop(rank))

    def _enliven(self, bits: int) -> None:
        """Make a set live: queue its new decisions and its new switches."""
        new = bits & ~self._live
        if not new:
            return
        self._live |= new
        n_decisions = len(self._values)
        while new:
            lowest = new & -new
            new ^= lowest
            number = lowest.bit_length() - 1
            if number < n_decisions:
                heapq.heappush(self._heap, number)
            else:
                self._ready.append(number)

    def _expand(self, number: int) -> None:
        """Make live what a live switch has chosen, or wait until it can choose."""
        certainty = self._frozen.certainty
        switch = certainty.switches[number - len(self._values)]
        if isinstance(switch, Cascade):
            target = self._evaluation.target(switch)
            if isinstance(target, Blocked):
                self._wait(number, target)
            elif isinstance(target, ParameterSpace):
                self._enliven(certainty.of_parameter[target.index])
            return
        node = self._frozen.nodes[switch]
        assert isinstance(node, (Mux, Pick))
        value = self._evaluation.value(node.parameter)
        if isinstance(value, Blocked):
            self._wait(number, value)
            return
        for position in chosen_inputs(self._frozen, switch, value):
            self._enliven(certainty.of_node[position])

    def _wait(self, number: int, blocked: Blocked) -> None:
        self._waiting.setdefault(blocked.rank, []).append(number)


def replay(frozen: FrozenSpace, decisions: Mapping[str, Any]) -> Architecture:
    """Return the architecture of given decisions, by name or label.

    Raises:
        SpaceError: one is missing, unknown, inactive, or has no such value.
    """
    if not isinstance(decisions, Mapping):
        raise SpaceError(
            f"decisions must be a mapping of hyperparameter names to values; received "
            f"{decisions!r}; give a dict"
        )
    used: set[str] = set()

    names = {decision.name for decision in frozen.decisions}

    def choose(decision: Decision) -> Any:
        for key in (decision.name, decision.label):
            # a label that is another's name means the other
            if key in decisions and (key == decision.name or key not in names):
                used.add(key)
                return decisions[key]
        raise SpaceError(
            f"decisions must hold every active hyperparameter; received none for "
            f"{decision.name!r} ({decision.label}); add one of {decision.describe()}"
        )

    architecture = frozen.decide(choose)
    surplus = [key for key in decisions if key not in used]
    if surplus:
        known = {key for d in frozen.decisions for key in (d.name, d.label)}
        unknown = [key for key in surplus if key not in known]
        named = {p.name for p in frozen.space.hyperparameters}
        what = "which this architecture does not need"
        if unknown:
            what = "which is no decision" if unknown[0] in named else "which no decision has"
        raise SpaceError(
            f"decisions must hold the active hyperparameters only; received "
            f"{(unknown or surplus)[0]!r}, {what}; leave it out"
        )
    return architecture
