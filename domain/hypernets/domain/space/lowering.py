"""Lowering: from modules to frozen nodes."""

from collections.abc import Callable, Sequence
from typing import Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.argument import template_of
from hypernets.domain.space.frozen import (
    FrozenNode,
    Inputs,
    Join,
    Layer,
    Loose,
    Macro,
    Mux,
    Pick,
    Selection,
)
from hypernets.domain.space.hyperparameter import Decision, ParameterSpace
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.macro import MacroModule
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import (
    ConnectLooseEnd,
    InputChoice,
    Optional,
    Or,
    Permutation,
    Repeat,
    Sequential,
)
from hypernets.domain.space.selection import constant_of, positions_of
from hypernets.domain.space.structure import Structure

__all__ = ["Lowering"]


class Lowering:
    """Turns modules into nodes. Positions are given out first, so cycles are no matter."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._modules = structure.modules
        self._nodes: list[FrozenNode | None] = []
        self.names: list[str] = []
        self.owners: list[int] = []
        self._value = [
            -1 if module.used_as_argument else self._place(module.name, module)
            for module in self._modules
        ]
        self._feed: dict[int, Inputs] = {}  # source of a subgraph → what feeds it
        self._lowered: set[int] = set()  # the ops that are done

    def lower(self) -> tuple[list[FrozenNode], Inputs, Inputs]:
        """Return the nodes, the inputs and the outputs of the network."""
        for module in self._modules:  # an op is created before, or after, what it owns: feed first
            if module.alternatives:
                self._lower_operation(module)
        for module in self._modules:
            if not module.alternatives and not module.used_as_argument:
                self._set(self._value[module.index], self._plain(module))
        nodes = [node for node in self._nodes if node is not None]
        assert len(nodes) == len(self._nodes)
        outputs = tuple(self._value[i] for i in self._structure.outputs)
        inputs = tuple(self._value[i] for i in self._structure.top_inputs)
        return nodes, inputs, outputs

    def _place(self, name: str, module: ModuleSpace) -> int:
        self._nodes.append(None)
        self.names.append(name)
        self.owners.append(module.index)
        return len(self._nodes) - 1

    def _set(self, position: int, node: FrozenNode) -> None:
        self._nodes[position] = node

    def _add(self, name: str, module: ModuleSpace, node: FrozenNode) -> int:
        position = self._place(name, module)
        self._set(position, node)
        return position

    def _ins(self, module: ModuleSpace) -> Inputs:
        """Return what feeds a module: what is connected into it, or else what feeds its op."""
        if isinstance(module, LayerModule) and module.is_input:
            return ()  # also in the subgraph of an op
        if module.inputs:
            return tuple(self._value[source.index] for source in module.inputs)
        if module.index in self._feed:
            return self._feed[module.index]
        assert self._structure.inside[module.index] is None, "lowered before the op that owns it"
        return ()

    def _plain(self, module: ModuleSpace) -> FrozenNode:
        ins = self._ins(module)
        if isinstance(module, LayerModule):
            return Layer(module, template_of(module), ins)
        if isinstance(module, MacroModule):
            return Macro(module, template_of(module), ins)
        if isinstance(module, InputChoice):
            self._check_called(module)
            constant = constant_of(module.selector)
            if constant is not None:
                return Join(tuple(ins[k] for k in positions_of(constant.value)), ())
            return Pick(module.selector, ins[: len(module.choices)])
        if isinstance(module, ConnectLooseEnd):
            if module.choices and not module.inputs:
                raise SpaceError(
                    f"{module.name!r} must be called on the modules whose loose ends it connects; "
                    f"received {len(module.choices)} of them and no call; write "
                    "ConnectLooseEnd(inputs)(inputs)"
                )
            return Loose(ins)
        return Join(ins, template_of(module).parameters)

    def _check_called(self, module: InputChoice) -> None:
        given, called = module.choices, module.inputs[: len(module.choices)]
        if len(called) < len(given) or any(a is not b for a, b in zip(given, called, strict=True)):
            raise SpaceError(
                f"{module.name!r} must be called on the modules that it chooses from; received "
                f"{len(given)} to choose from and {len(module.inputs)} in the call"
                f"{'' if len(called) < len(given) else ', other ones'}; write "
                "InputChoice(inputs, ...)(inputs)"
            )

    # ops are lowered outermost first, so that the feed of a subgraph is known before its modules

    def _lower_operation(self, op: ModuleSpace) -> None:
        if op.index in self._lowered:
            return
        stack = [op]
        while stack:  # owners first
            inside = self._structure.inside[stack[-1].index]
            owner = None if inside is None else self._modules[inside[0]]
            if owner is None or owner.index in self._lowered:
                break
            stack.append(owner)
        for module in reversed(stack):
            self._lowered.add(module.index)
            self._lower_one(module)

    def _lower_one(self, op: ModuleSpace) -> None:
        entry: Inputs = (self._add(f"{op.name}/entry", op, Join(self._ins(op), ())),)
        subgraphs = self._structure.regions[op.index]
        count = len(subgraphs)
        tails: list[Inputs] = [
            (self._add(f"{op.name}/{place}", op, Join(self._sinks(subgraph), ())),)
            for place, subgraph in enumerate(subgraphs)
        ]
        feeds: list[Inputs] = [entry] * count
        node: FrozenNode
        if isinstance(op, Sequential):
            feeds = [entry, *tails[:-1]]
            node = Join(tails[-1], ())
        elif isinstance(op, Repeat):
            feeds = [entry, *tails[:-1]]
            steps = [entry, *tails]
            node = self._mux(op, op.hp_repeat_num, lambda k: steps[int(k)])
        elif isinstance(op, Or):
            node = self._mux(op, op.hp_or, lambda j: tails[int(j)])
        elif isinstance(op, Optional):
            left_out = entry if op.keep_link else ()
            node = self._mux(op, op.hp_opt, lambda kept: tails[0] if kept else left_out)
        else:
            assert isinstance(op, Permutation)
            feeds = [self._head(op, place, entry, tails) for place in range(count)]
            node = self._mux(op, op.hp_seq, lambda order: tails[order[-1]], tuple(tails))
        for subgraph, feed in zip(subgraphs, feeds, strict=True):
            for i in subgraph:
                if not self._modules[i].inputs:
                    self._feed[i] = feed
        self._set(self._value[op.index], node)

    def _sinks(self, subgraph: Sequence[int]) -> Inputs:
        return tuple(self._value[i] for i in subgraph if not self._structure.successors[i])

    def _head(self, op: Permutation, place: int, entry: Inputs, tails: list[Inputs]) -> Inputs:
        """Return what feeds a subgraph of a permutation: its predecessor in the order."""

        def predecessor(order: Sequence[int]) -> Inputs:
            position = list(order).index(place)
            return tails[order[position - 1]] if position else entry

        if len(tails) == 1:
            return entry
        alternatives = (entry, *(tail for i, tail in enumerate(tails) if i != place))
        node = self._mux(op, op.hp_seq, predecessor, alternatives)
        return (self._add(f"{op.name}/{place}/head", op, node),)

    def _mux(
        self,
        op: ModuleSpace,
        selector: ParameterSpace,
        of: Callable[[Any], Inputs],
        alternatives: tuple[Inputs, ...] | None = None,
    ) -> FrozenNode:
        constant = constant_of(selector)
        if constant is not None:
            return Join(of(constant.value), ())
        if alternatives is None:
            if isinstance(selector, Decision) and selector.is_finite:
                values = [selector.value_at(i) for i in range(int(selector.size))]
            elif isinstance(op, Optional):
                values = [False, True]
            else:
                values = list(range(len(op.alternatives) + isinstance(op, Repeat)))
            alternatives = tuple(dict.fromkeys(of(value) for value in values))
        return Mux(selector, Selection(of, alternatives))
