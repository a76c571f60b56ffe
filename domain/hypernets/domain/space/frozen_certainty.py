"""The certain sets of a space, from its nodes and hyperparameters."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hypernets.domain.space.argument import ArgumentTemplate
from hypernets.domain.space.cascade_table import CascadeTables
from hypernets.domain.space.certainty import Certainty, Equation, solve
from hypernets.domain.space.frozen import FrozenNode, Inputs, Join, Layer, Loose, Macro, Mux, Pick
from hypernets.domain.space.hyperparameter import (
    Cascade,
    Decision,
    Dynamic,
    MultipleChoice,
    ParameterSpace,
)
from hypernets.domain.space.selection import positions_of

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["certainty_of"]


def certainty_of(
    space: "HyperSpace",
    nodes: Sequence[FrozenNode],
    outputs: Inputs,
    training: ArgumentTemplate,
    ranks: Sequence[int],
    n_decisions: int,
    tables: CascadeTables,
) -> Certainty:
    """Return the certain sets of all nodes and hyperparameters (see `certainty`)."""
    n_nodes = len(nodes)
    switches: list[int | Cascade] = []

    def bit_of(switch: int | Cascade) -> int:
        switches.append(switch)
        return 1 << (n_decisions + len(switches) - 1)

    def places(parameters: Sequence[ParameterSpace]) -> Inputs:
        return tuple(n_nodes + parameter.index for parameter in parameters)

    equations: list[Equation] = []
    for position, node in enumerate(nodes):
        if isinstance(node, (Layer, Macro)):
            always = node.ins + places(node.template.parameters)
            equations.append(Equation(always=always))
        elif isinstance(node, Join):
            equations.append(Equation(always=node.ins + places(node.parameters)))
        elif isinstance(node, Loose):
            equations.append(Equation(always=node.ins))
        elif isinstance(node, Mux):
            alternatives = node.selection.alternatives
            always = places((node.parameter,))
            equations.append(Equation(bit_of(position), always, alternatives))
        else:
            always = places((node.parameter,))
            # at least one is kept and any one may be the only one, unless the options say otherwise
            alternatives = _picks(node)
            equations.append(Equation(bit_of(position), always, alternatives))
    for parameter in space.hyperparameters:
        equations.append(_parameter_equation(parameter, ranks, bit_of, places, tables))
    solution = solve(equations)
    roots = 0
    for position in outputs:
        roots |= solution[position]
    for parameter in training.parameters:
        roots |= solution[n_nodes + parameter.index]
    is_complete = all(switch.index in tables for switch in switches if isinstance(switch, Cascade))
    return Certainty(
        roots,
        tuple(solution[:n_nodes]),
        tuple(solution[n_nodes:]),
        tuple(switches),
        tuple(equations),
        is_complete,
    )


def _picks(node: Pick) -> tuple[Inputs, ...]:
    selector = node.parameter
    if isinstance(selector, Decision) and not isinstance(selector, MultipleChoice):
        values = [selector.value_at(i) for i in range(int(selector.size))]
        return tuple(tuple(node.ins[k] for k in positions_of(value)) for value in values)
    return tuple((position,) for position in node.ins)


def _parameter_equation(
    parameter: ParameterSpace,
    ranks: Sequence[int],
    bit_of: Callable[[int | Cascade], int],
    places: Callable[[Sequence[ParameterSpace]], Inputs],
    tables: CascadeTables,
) -> Equation:
    if isinstance(parameter, (Dynamic, Cascade)):
        read = [p for p in parameter.dependencies.values() if isinstance(p, ParameterSpace)]
        if isinstance(parameter, Dynamic):
            return Equation(always=places(read))
        alternatives = tuple(
            places((target,)) if isinstance(target, ParameterSpace) else ()
            for target in tables.get(parameter.index, (None,))
        )
        return Equation(bit_of(parameter), places(read), alternatives)
    rank = ranks[parameter.index]
    return Equation(own=1 << rank if rank >= 0 else 0)
