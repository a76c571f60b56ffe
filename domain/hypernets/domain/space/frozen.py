"""The frozen form of a space: one primitive, a multiplexer, and no rewiring.

Every node has a *value*, a sequence of tensors. Nodes refer to each other by position. A supernet
may read all of this; nothing may change it.

Reading guide, E being what an op is fed:

    Layer(…)          one tensor                     Join(ins)       all tensors of its inputs
    Macro(…)          what it emits for its inputs   Loose(ins)      ConnectLooseEnd
    Mux(hp, …)        Or: region_j(E); Optional: region(E), or E with the link, or nothing;
                      Repeat: the tail of region k-1; Permutation: who comes before whom
    Pick(hp, ins)     InputChoice
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from hypernets.domain.layers import ShapeOracle
from hypernets.domain.space.argument import ArgumentTemplate
from hypernets.domain.space.hyperparameter import Decision, ParameterSpace
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.macro import MacroModule

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture
    from hypernets.domain.architecture.decider import Chooser
    from hypernets.domain.space.certainty import Certainty
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = [
    "FrozenNode",
    "FrozenSpace",
    "Join",
    "Layer",
    "Loose",
    "Macro",
    "Mux",
    "Pick",
    "Selection",
]

Inputs = tuple[int, ...]


@attrs.frozen(slots=True)
class Selection:
    """Which inputs a `Mux` has for a value of its hyperparameter.

    Attributes:
        of: value → positions of the nodes that are its inputs then.
        alternatives: every answer that `of` can give for the values of the hyperparameter.
    """

    of: Callable[[Any], Inputs]
    alternatives: tuple[Inputs, ...]


@attrs.frozen(slots=True, eq=False)
class Layer:
    """A layer: one value, made from its inputs."""

    module: LayerModule
    template: ArgumentTemplate
    ins: Inputs


@attrs.frozen(slots=True, eq=False)
class Macro:
    """A macro: reads the shapes of its inputs and emits layers."""

    module: MacroModule
    template: ArgumentTemplate
    ins: Inputs


@attrs.frozen(slots=True, eq=False)
class Join:
    """Passes all its inputs on, in order."""

    ins: Inputs
    parameters: tuple[ParameterSpace, ...] = ()


@attrs.frozen(slots=True, eq=False)
class Mux:
    """Passes on the inputs that belong to the value of its hyperparameter."""

    parameter: ParameterSpace
    selection: Selection


@attrs.frozen(slots=True, eq=False)
class Pick:
    """Passes on the inputs whose positions its hyperparameter lists, in that order."""

    parameter: ParameterSpace
    ins: Inputs


@attrs.frozen(slots=True, eq=False)
class Loose:
    """Passes on those of its inputs that no other of its inputs is computed from."""

    ins: Inputs


FrozenNode = Layer | Macro | Join | Mux | Pick | Loose


@attrs.frozen(slots=True, eq=False)
class FrozenSpace:
    """A frozen space.

    Attributes:
        space: the space it was made from.
        nodes: the nodes; their order means nothing.
        names: for each node, what a message calls it.
        owners: for each node, the position of the module it was made for.
        inputs: positions of the inputs of the network, in the order of the model's inputs.
        outputs: positions of the nodes whose values the network puts out.
        decisions: every decision that some architecture may need, by rank.
        depths: depth of each of them.
        ranks: index of a hyperparameter → its position in `decisions`; -1 for any other.
        label_order: positions of the decisions in the order of a log, by depth and label.
        certainty: what is needed whatever is chosen.
        training: the arguments of the training.
        oracle: who knows the shapes of layers that no rule describes, if any layer names one.
        loose_bits: positions of the inputs of every `Loose` → a bit for each.
    """

    space: "HyperSpace"
    nodes: tuple[FrozenNode, ...]
    names: tuple[str, ...]
    owners: tuple[int, ...]
    inputs: Inputs
    outputs: Inputs
    decisions: tuple[Decision, ...]
    depths: tuple[int, ...]
    ranks: tuple[int, ...]
    label_order: tuple[int, ...]
    certainty: "Certainty"
    training: ArgumentTemplate
    loose_bits: Mapping[int, int]
    oracle: ShapeOracle | None

    @cached_property
    def sources(self) -> Inputs:
        """For each node, the one that its value is made by: itself, unless it passes one input on.

        More than half of the nodes of a space do nothing else. Where there is a `ConnectLooseEnd`,
        every node is its own source, for those on the way count too.
        """
        if self.loose_bits:
            return tuple(range(len(self.nodes)))
        return tuple([self._source_of(position) for position in range(len(self.nodes))])

    def _source_of(self, position: int) -> int:
        node = self.nodes[position]
        while isinstance(node, Join) and len(node.ins) == 1:
            position = node.ins[0]
            node = self.nodes[position]
        return position

    def decide(self, chooser: "Chooser") -> "Architecture":
        """Return the architecture that a chooser decides (see `HyperSpace.decide`)."""
        from hypernets.domain.architecture.decider import decide

        return decide(self, chooser)

    def replay(self, decisions: Mapping[str, Any]) -> "Architecture":
        """Return the architecture of given decisions (see `HyperSpace.architecture`)."""
        from hypernets.domain.architecture.decider import replay

        return replay(self, decisions)
