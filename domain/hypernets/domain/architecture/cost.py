"""What a network costs, from its graph alone: no weight is made, no framework is started."""

import math

import attrs

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, Shape, each_shape
from hypernets.domain.error import BuildError
from hypernets.domain.layers import Weights, rule_for

__all__ = ["BYTES", "Cost", "cost_of"]

BYTES = 4
"""Of a number in single precision, which weights and activations have unless told otherwise."""


@attrs.frozen
class Cost:
    """What a network costs. Bytes are those of single precision.

    Attributes:
        parameters: all weights, what Keras's `count_params` says; a shared layer counts once.
        trainable_parameters: those that an optimizer moves.
        multiply_adds: products that are summed, for one example; a shared layer counts at each use.
            Twice as many are the floating-point operations.
        depth: layers with weights on the longest path.
        weight_bytes: of the weights.
        activation_bytes: of the activations alive at once at most, for one example at inference,
            when the layers run in the order of the graph and a tensor is freed after its last use.
        training_activation_bytes: of all activations, which training keeps for the backward pass,
            for one example.
        uncounted: names of the nodes whose multiply-adds nothing can tell; they count as none.
    """

    parameters: int
    trainable_parameters: int
    multiply_adds: int
    depth: int
    weight_bytes: int
    activation_bytes: int
    training_activation_bytes: int
    uncounted: tuple[str, ...] = ()

    @property
    def flops(self) -> int:
        """Floating-point operations for one example: a multiplication and an addition for each."""
        return 2 * self.multiply_adds

    def training_bytes(self, batch_size: int, slots: int = 2) -> int:
        """Return the memory that training takes at least.

        Args:
            batch_size: examples in a step.
            slots: numbers that the optimizer keeps for each weight: 2 for Adam, 1 with momentum.
        """
        per_weight = 2 + slots  # the weight and its gradient
        weights = per_weight * self.trainable_parameters * BYTES
        frozen = (self.parameters - self.trainable_parameters) * BYTES
        return weights + frozen + batch_size * self.training_activation_bytes


def cost_of(graph: LayerGraph) -> Cost:
    """Return what a network costs.

    Raises:
        BuildError: the shapes do not fit, or a size that matters is not known.
    """
    weights: dict[str, Weights] = {}
    depths: dict[str, int] = {}
    multiply_adds, uncounted = 0, []
    for node in graph:
        inputs = _shapes_into(graph, node)
        own = weights.setdefault(node.weights, node.count_weights(inputs))
        before = max((depths[name] for name in node.inputs), default=0)
        depths[node.name] = before + (own.total > 0)
        rule = rule_for(node.layer) if node.factory is None else None
        if rule is not None:
            multiply_adds += rule.multiply_adds(node.arguments, inputs)
        elif own.total:
            uncounted.append(node.name)
    sizes = {node.name: _elements(node) * BYTES for node in graph}
    parameters = sum(own.total for own in weights.values())
    return Cost(
        parameters=parameters,
        trainable_parameters=sum(own.trainable for own in weights.values()),
        multiply_adds=multiply_adds,
        depth=max((depths[name] for name in graph.outputs), default=0),
        weight_bytes=parameters * BYTES,
        activation_bytes=_most_alive(graph, sizes),
        training_activation_bytes=sum(sizes.values()),
        uncounted=tuple(uncounted),
    )


def _shapes_into(graph: LayerGraph, node: LayerNode) -> tuple[Shape, ...]:
    return tuple(shape for name in node.inputs for shape in each_shape(graph[name].shape))


def _elements(node: LayerNode) -> int:
    """Return how many numbers a node puts out for one example."""
    total = 0
    for shape in each_shape(node.shape):
        if None in shape[1:]:
            raise BuildError(
                f"the cost of a network takes sizes that are known; received {shape} from "
                f"{node.name!r}; give the Input its whole shape"
            )
        total += math.prod(size for size in shape[1:] if size is not None)
    return total


def _most_alive(graph: LayerGraph, sizes: dict[str, int]) -> int:
    last_use = {name: position for position, node in enumerate(graph) for name in node.inputs}
    last_use.update(dict.fromkeys(graph.outputs, len(graph)))
    ending: dict[int, list[str]] = {}
    for name, position in last_use.items():
        ending.setdefault(position, []).append(name)
    alive = most = 0
    for position, node in enumerate(graph):
        alive += sizes[node.name]
        most = max(most, alive)
        alive -= sum(sizes[name] for name in ending.get(position, ()))
        if node.name not in last_use:  # nobody reads it
            alive -= sizes[node.name]
    return most
