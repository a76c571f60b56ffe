"""Reading a frozen space under decisions that have been made."""

from collections.abc import Sequence
from typing import Any, cast

from hypernets.domain.architecture.evaluation import Evaluation
from hypernets.domain.space.frozen import FrozenSpace, Inputs, Mux, Pick
from hypernets.domain.space.hyperparameter import Decision
from hypernets.domain.space.selection import Selecting, check_selection, positions_of

__all__ = ["active_inputs", "chosen_inputs"]


def chosen_inputs(frozen: FrozenSpace, position: int, value: Any) -> Inputs:
    """Return the inputs that a `Mux` or `Pick` has for a value of its hyperparameter.

    Raises:
        SpaceError: the value selects nothing.
    """
    node = frozen.nodes[position]
    assert isinstance(node, (Mux, Pick))
    if not isinstance(node.parameter, Decision):  # the values of a decision are checked beforehand
        op = frozen.space.modules[frozen.owners[position]]
        check_selection(cast(Selecting, op), value, node.parameter)
    if isinstance(node, Mux):
        return node.selection.of(value)
    return tuple([node.ins[k] for k in positions_of(value)])


def active_inputs(frozen: FrozenSpace, position: int, evaluation: Evaluation) -> Sequence[int]:
    """Return the nodes that feed a node under the decisions of `evaluation`.

    Raises:
        BuildError: the function of a `Dynamic` has raised.
    """
    node = frozen.nodes[position]
    if isinstance(node, (Mux, Pick)):
        return chosen_inputs(frozen, position, evaluation.decided(node.parameter))
    return node.ins
