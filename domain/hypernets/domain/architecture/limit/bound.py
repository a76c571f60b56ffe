"""A lower bound on the cost of every completion of some decisions, without completing any.

What is needed whatever is still decided costs what it costs at least. A switch that is still open
adds the least of its alternatives: of each, what it needs for certain and what is read through this
switch only, so that nothing is counted twice. Where a layer costs more or less with the shapes that
feed it, its least cost under the decisions made is used.

The bound is never above the least cost of any network that the decisions still allow; it may be
below, as each layer and each switch takes its own minimum even where one decision rules several.
"""

from collections.abc import Sequence
from typing import Any

import attrs

from hypernets.domain.architecture.cost import BYTES
from hypernets.domain.architecture.decided import chosen_inputs
from hypernets.domain.architecture.evaluation import UNDECIDED, Blocked, Evaluation
from hypernets.domain.architecture.limit.layer_cost import LayerCost, LayerCosts
from hypernets.domain.architecture.limit.necessity import Necessity, bits_of
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.frozen import FrozenSpace, Inputs, Layer, Loose, Macro, Mux, Pick

__all__ = ["CostBound", "LeastCost"]

_CASES = 1_000


@attrs.frozen
class LeastCost:
    """What a network costs at least; infinitely much where none can be built.

    Attributes:
        parameters: all weights, a shared layer once.
        multiply_adds: for one example.
        depth: layers with weights on the longest path; those before a macro are not seen.
        activation_bytes: always 0, for nothing is known of them before all is decided.
    """

    parameters: float = 0
    multiply_adds: float = 0
    depth: float = 0
    activation_bytes: float = 0

    @property
    def flops(self) -> float:
        """Floating-point operations for one example."""
        return 2 * self.multiply_adds

    @property
    def weight_bytes(self) -> float:
        """Of the weights, in single precision."""
        return BYTES * self.parameters


class CostBound:
    """Bounds the cost of what a space allows, given some of the decisions.

    Args:
        frozen: the space.
        cases: combinations of decisions that are told apart for the cost of one layer, about; a
            layer that depends on more of them counts as free.

    Example:
        >>> from hypernets.domain.space.hyperparameter import Choice
        >>> from hypernets.domain.space.hyper_space import HyperSpace
        >>> from hypernets.domain.space.layer import LayerModule
        >>> class Input(LayerModule):
        ...     is_input = True
        >>> class Dense(LayerModule):
        ...     pass
        >>> space = HyperSpace()
        >>> with space.as_default():
        ...     x = Dense({"units": Choice([2, 1000])})(Input({"shape": (3,)}))
        ...     _ = Dense({"units": Choice([5, 7])})(x)
        >>> bound = CostBound(space.freeze())
        >>> bound.least([UNDECIDED, UNDECIDED]).parameters
        23
        >>> bound.least([1000, UNDECIDED]).parameters
        9005
    """

    def __init__(self, frozen: FrozenSpace, *, cases: int = _CASES) -> None:
        self._frozen = frozen
        self._layers = LayerCosts(frozen, cases)
        self._needs = Necessity(frozen)
        self._switches = sum(1 << position for position in self._needs.alternatives)
        self._entries: dict[tuple[int, Inputs], list[int]] = {}

    def least(self, values: Sequence[Any], *, depth: bool = False) -> LeastCost:
        """Return what every network that agrees with some decisions costs at least.

        Args:
            values: by rank of the decision, its value or `UNDECIDED`.
            depth: whether to bound the depth too, which is 0 otherwise.
        """
        return _Assignment(self, values).least(depth)

    # --- what assignments share ---------------------------------------------

    def _of_alternative(self, switch: int, ins: Inputs) -> list[int]:
        """Return what a switch needs for some inputs and owns, as far as that may cost."""
        found = self._entries.get((switch, ins))
        if found is None:
            needed = 0
            for i in ins:
                needed |= self._needs.certain[i]
            mask = needed & self._needs.owned[switch] & (self._layers.costing | self._switches)
            found = self._entries[switch, ins] = list(bits_of(mask))
        return found


class _Assignment:
    """Some decisions, and what follows from them."""

    def __init__(self, bound: CostBound, values: Sequence[Any]) -> None:
        frozen = bound._frozen
        self._bound = bound
        self._frozen = frozen
        self._evaluation = Evaluation(frozen.ranks, list(values))
        self._numbers = {
            rank: frozen.decisions[rank].index_of(values[rank])
            for rank in bound._layers.ranks
            if values[rank] is not UNDECIDED
        }
        self._chosen: dict[int, Inputs | None] = {}

    def least(self, depth: bool) -> LeastCost:
        layers, live = self._bound._layers, self._live()
        parameters: float = 0
        multiply_adds: float = 0
        shared: dict[str, float] = {}
        for position in bits_of(live & layers.costing):
            cost = layers.least(position, self._numbers)
            multiply_adds += cost.multiply_adds
            name = layers.shared.get(position)
            if name is None:
                parameters += cost.parameters
            else:
                shared[name] = max(shared.get(name, 0), cost.parameters)
        extra = self._extra(live)
        return LeastCost(
            parameters + sum(shared.values()) + extra.parameters,
            multiply_adds + extra.multiply_adds,
            self._depth() if depth else 0,
        )

    def _live(self) -> int:
        """Return the nodes that are needed whatever is still decided."""
        bound, needs = self._bound, self._bound._needs
        live, done = needs.roots, 0
        while pending := live & bound._switches & ~done:
            done |= pending
            for position in bits_of(pending):
                for i in self._inputs(position) or ():
                    live |= needs.certain[i]
        return live

    def _inputs(self, switch: int) -> Inputs | None:
        """Return what a switch has chosen, `None` where it is still open."""
        if switch in self._chosen:
            return self._chosen[switch]
        node = self._frozen.nodes[switch]
        assert isinstance(node, (Mux, Pick))
        found: Inputs | None = None
        try:
            value = self._evaluation.value(node.parameter)
            if not isinstance(value, Blocked):
                found = chosen_inputs(self._frozen, switch, value)
        except (BuildError, SpaceError):  # it cannot choose; deciding says so
            pass
        self._chosen[switch] = found
        return found

    def _alternatives(self, switch: int) -> tuple[Inputs, ...]:
        chosen = self._inputs(switch)
        return self._bound._needs.alternatives[switch] if chosen is None else (chosen,)

    def _extra(self, live: int) -> LayerCost:
        """Return what the open switches add at least to what is needed whatever they choose."""
        needs = self._bound._needs
        added: dict[int, tuple[float, float]] = {}
        parameters: float = 0
        multiply_adds: float = 0
        for switch in needs.order:
            is_live = live >> switch & 1
            if is_live and self._inputs(switch) is not None:
                continue
            sums = [self._added(switch, ins, live, added) for ins in self._alternatives(switch)]
            least = min([s[0] for s in sums], default=0), min([s[1] for s in sums], default=0)
            if least == (0, 0):
                continue
            if is_live:
                parameters += least[0]
                multiply_adds += least[1]
            else:
                added[switch] = least
        return LayerCost(parameters, multiply_adds)

    def _added(
        self, switch: int, ins: Inputs, live: int, added: dict[int, tuple[float, float]]
    ) -> tuple[float, float]:
        """Return what one alternative of a switch adds at least, by kind."""
        layers = self._bound._layers
        parameters: float = 0
        multiply_adds: float = 0
        for position in self._bound._of_alternative(switch, ins):
            if live >> position & 1:
                continue
            if layers.costing >> position & 1:
                cost = layers.least(position, self._numbers)
                multiply_adds += cost.multiply_adds
                if position not in layers.shared:  # else it may count elsewhere
                    parameters += cost.parameters
            elif position in added:
                parameters += added[position][0]
                multiply_adds += added[position][1]
        return parameters, multiply_adds

    def _depth(self) -> float:
        """Return how deep the network is at least."""
        frozen, depths = self._frozen, dict[int, float]()
        waiting: set[int] = set()
        stack = list(frozen.outputs)
        while stack:
            position = stack[-1]
            missing = [i for i in self._reads(position) if i not in depths and i not in waiting]
            if position in depths or not missing:
                stack.pop()
                waiting.discard(position)
                depths.setdefault(position, self._depth_of(position, depths))
            else:
                waiting.add(position)
                stack.extend(missing)
        return max((depths[position] for position in frozen.outputs), default=0)

    def _reads(self, position: int) -> Inputs:
        node = self._frozen.nodes[position]
        if isinstance(node, (Mux, Pick)):
            return tuple(dict.fromkeys(i for ins in self._alternatives(position) for i in ins))
        return node.ins

    def _depth_of(self, position: int, depths: dict[int, float]) -> float:
        """Return the least depth after a node; what is not known yet, on a cycle, counts as 0."""
        node = self._frozen.nodes[position]
        if isinstance(node, Macro):  # it need not read all that feeds it
            return 0
        ways: Sequence[Inputs]
        if isinstance(node, (Mux, Pick)):
            ways = self._alternatives(position)
        elif isinstance(node, Loose):  # it leaves out some, but never all
            ways = [(i,) for i in node.ins]
        else:
            ways = (node.ins,)
        before = min((max((depths.get(i, 0) for i in ins), default=0) for ins in ways), default=0)
        if not isinstance(node, Layer):
            return before
        has_weights = self._bound._layers.least(position, self._numbers).parameters > 0
        return before + has_weights
