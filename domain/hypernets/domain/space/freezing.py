"""Freezing: from the authored modules to the frozen form, once for each space."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hypernets.domain.layers import ShapeOracle
from hypernets.domain.space.argument import training_template
from hypernets.domain.space.cascade_table import CascadeTables, tabulate
from hypernets.domain.space.certainty import Certainty, reach
from hypernets.domain.space.feeding import check_fed
from hypernets.domain.space.frozen import FrozenNode, FrozenSpace, Loose
from hypernets.domain.space.frozen_certainty import certainty_of
from hypernets.domain.space.hyperparameter import (
    Cascade,
    Decision,
    Dynamic,
    ParameterSpace,
)
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.lowering import Lowering
from hypernets.domain.space.module import parameters_in
from hypernets.domain.space.structure import Structure, structure_of

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["freeze"]


def freeze(space: "HyperSpace") -> FrozenSpace:
    """Return the frozen form of a space.

    Raises:
        SpaceError: the definition is wrong.
    """
    tables = tabulate(space)
    structure = structure_of(space)
    lowering = Lowering(structure)
    nodes, inputs, outputs = lowering.lower()
    if space.origin is space:  # a narrowed one may hold what no architecture has
        check_fed(nodes, lowering.names)
    training = training_template(space.training)
    uses = _depths_of_use(space, structure, tables)
    decisions, depths, ranks = _rank(space, uses)
    certainty = certainty_of(space, nodes, outputs, training, ranks, len(decisions), tables)
    roots = [*outputs, *(len(nodes) + p.index for p in training.parameters)]
    dead = _dead(certainty, decisions, roots)
    if dead:
        uses = {index: depth for index, depth in uses.items() if index not in dead}
        decisions, depths, ranks = _rank(space, uses)
        certainty = certainty_of(space, nodes, outputs, training, ranks, len(decisions), tables)
    _label(space)
    label_order = sorted(range(len(decisions)), key=lambda i: (depths[i], decisions[i].label))
    return FrozenSpace(
        space=space,
        nodes=tuple(nodes),
        names=tuple(lowering.names),
        owners=tuple(lowering.owners),
        inputs=inputs,
        outputs=outputs,
        decisions=tuple(decisions),
        depths=tuple(depths),
        ranks=tuple(ranks),
        label_order=tuple(label_order),
        certainty=certainty,
        training=training,
        loose_bits=_loose_bits(nodes),
        oracle=_oracle(space),
    )


def _dead(
    certainty: Certainty, decisions: Sequence[Decision], roots: Sequence[int]
) -> frozenset[int]:
    """Return the indices of decisions that nothing can make needed.

    Those of a branch that a constant does not choose, say.
    """
    if not certainty.is_complete:
        return frozenset()
    reached = reach(certainty.equations)
    alive = 0
    for root in roots:
        alive |= reached[root]
    return frozenset(d.index for rank, d in enumerate(decisions) if not alive >> rank & 1)


def _oracle(space: "HyperSpace") -> ShapeOracle | None:
    layers = (module for module in space.modules if isinstance(module, LayerModule))
    return next((layer.oracle for layer in layers if layer.oracle is not None), None)


def _loose_bits(nodes: Sequence[FrozenNode]) -> dict[int, int]:
    ends = dict.fromkeys(i for node in nodes if isinstance(node, Loose) for i in node.ins)
    return {position: 1 << number for number, position in enumerate(ends)}


def _depths_of_use(
    space: "HyperSpace", structure: Structure, tables: CascadeTables
) -> dict[int, int]:
    """Return the least depth at which each hyperparameter is used, by its index."""
    depth: dict[int, int] = {}
    deepest = max(structure.depths, default=-1)

    def use(parameter: ParameterSpace, at: int) -> None:
        stack = [(parameter, at)]
        while stack:
            used, level = stack.pop()
            if depth.get(used.index, level + 1) <= level:
                continue
            depth[used.index] = level
            if isinstance(used, (Dynamic, Cascade)):
                reads = list(used.dependencies.values()) + list(tables.get(used.index, ()))
                stack.extend((p, level) for p in reads if isinstance(p, ParameterSpace))

    for module in space.modules:
        if module.used_as_argument:
            continue  # used where the layer stands that holds it
        for argument in module.arguments.values():
            for parameter in parameters_in(argument):
                use(parameter, structure.depths[module.index])
    for argument in space.training.values():
        for parameter in parameters_in(argument):
            use(parameter, deepest + 1)
    untabulated = [
        p for p in space.hyperparameters if isinstance(p, Cascade) and p.index not in tables
    ]
    if any(p.index in depth for p in untabulated):  # it may return any hyperparameter
        for parameter in space.hyperparameters:
            if parameter.index not in depth:
                use(parameter, deepest + 2)
    return depth


def _rank(space: "HyperSpace", uses: dict[int, int]) -> tuple[list[Decision], list[int], list[int]]:
    used = [
        p
        for p in space.hyperparameters
        if isinstance(p, Decision) and p.is_decision and p.index in uses
    ]
    used.sort(key=lambda p: (uses[p.index], p.index))
    ranks = [-1] * len(space.hyperparameters)
    for rank, parameter in enumerate(used):
        ranks[parameter.index] = rank
    return used, [uses[p.index] for p in used], ranks


def _label(space: "HyperSpace") -> None:
    owners: dict[int, list[str]] = {}
    for module in space.modules:
        for keyword, argument in module.arguments.items():
            for parameter in parameters_in(argument, into_modules=False):
                owners.setdefault(parameter.index, []).append(f"{module.name}.{keyword}")
    for keyword, argument in space.training.items():
        for parameter in parameters_in(argument):
            owners.setdefault(parameter.index, []).append(keyword)
    for index, labels in owners.items():
        space.hyperparameters[index].give_label(",".join(dict.fromkeys(labels)))
