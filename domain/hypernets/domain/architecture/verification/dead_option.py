"""Options offered for nothing: no architecture takes them, or none that can be built."""

from collections.abc import Iterator
from typing import Any

from hypernets.domain.architecture.verification.activity import Activity
from hypernets.domain.architecture.verification.diagram import TooLargeError
from hypernets.domain.architecture.verification.report import DeadOption
from hypernets.domain.architecture.verification.shape_pass import ShapePass
from hypernets.domain.architecture.verification.value import Fault
from hypernets.domain.space.frozen import Mux, Pick
from hypernets.domain.space.operation import InputChoice, Optional, Or, Repeat

__all__ = ["dead_options"]

_NEVER, _FAILS = "never selected", "always fails"
_Choosing = InputChoice | Optional | Or | Repeat


def dead_options(shapes: ShapePass, activity: Activity, root: int) -> tuple[DeadOption, ...]:
    """Return the options that no architecture takes, and those with which every network fails.

    Exact, except that what depends on too many combinations of decisions counts as taken, and a
    shape that is not known as one that fits. Of an op that is never chosen itself, and of a
    decision that occurs only where every network fails, no options are listed.

    Args:
        shapes: the pass over the shapes, which has run.
        activity: when the nodes are needed.
        root: what the pass has returned.
    """
    return (*_Selections(shapes, activity).dead(), *_failing(shapes, activity, root))


class _Selections:
    """What the ops of a space select, over all architectures."""

    def __init__(self, shapes: ShapePass, activity: Activity) -> None:
        self._shapes = shapes
        self._frozen = shapes.frozen
        self._activity = activity
        self._position = {name: position for position, name in enumerate(self._frozen.names)}

    def dead(self) -> Iterator[DeadOption]:
        for op in self._frozen.space.modules:
            if not isinstance(op, _Choosing) or not self._is_active(op.name):
                continue
            for value in self._unselected(op):
                selector = op.selector
                assert selector is not None
                yield DeadOption(selector.name, f"{op.name}.{op.keyword}", value, _NEVER)

    def _unselected(self, op: _Choosing) -> Iterator[Any]:
        if isinstance(op, InputChoice):
            for place, module in enumerate(op.choices):
                if not self._ever_reads(op, self._position[module.name], True):
                    yield place
            return
        first = 1 if isinstance(op, Repeat) else 0
        for place in range(len(op.alternatives)):
            if not self._is_active(f"{op.name}/{place}"):
                yield True if isinstance(op, Optional) else first + place
        tail = self._position.get(f"{op.name}/0", -1)
        if isinstance(op, Optional) and not self._ever_reads(op, tail, False):
            yield False

    def _is_active(self, name: str) -> bool:
        return self._activity.is_ever(self._activity.of_node(self._position[name]))

    def _ever_reads(self, op: _Choosing, source: int, does: bool) -> bool:
        """Say whether an op does read a node in some architecture, or does not in some."""
        position = self._position[op.name]
        node = self._frozen.nodes[position]
        if not isinstance(node, (Mux, Pick)):  # there was nothing to choose
            return (source in node.ins) is does

        def reads(active: bool, chosen: Any) -> bool:
            return active and not isinstance(chosen, Fault) and (source in chosen) is does

        table = self._shapes.table
        self._shapes.give_steps()
        try:
            selection = self._shapes.selection((position, None))
            found = table.combine(reads, [self._activity.of_node(position), selection])
        except TooLargeError:
            return True
        return self._activity.is_ever(found)


def _failing(shapes: ShapePass, activity: Activity, root: int) -> Iterator[DeadOption]:
    table = shapes.table
    results = table.values(root)
    if not any(isinstance(result, Fault) for result in results):
        return

    def builds(active: bool, result: Any) -> bool:
        return active and not isinstance(result, Fault)

    for rank, decision in enumerate(shapes.frozen.decisions):
        shapes.give_steps()
        try:
            built = table.combine(builds, [activity.of_decision(decision), root])
        except TooLargeError:
            continue
        if not decision.is_finite or rank not in table.support(built):
            continue
        for number, value in enumerate(shapes.options(rank)):
            if table.always(built, {rank: number}, lambda some: not some):
                yield DeadOption(decision.name, decision.label, value, _FAILS)
