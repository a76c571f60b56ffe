"""Layers that learn from data before the training: adapted once, for every trial.

`Normalization`, `TextVectorization`, `StringLookup`, `IntegerLookup` and `Discretization` in a
graph that were given no statistics are adapted on the training data, and replaced by the same layer
with the statistics as arguments. A model is then complete in itself: it can be built, given
weights, saved and loaded without the data.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import attrs
import keras
import numpy as np

from hypernets.adapters.keras.data import Examples
from hypernets.adapters.keras.layer_call import make_layer
from hypernets.adapters.keras.shared_statistics import SharedStatistics
from hypernets.domain.architecture.graph import LayerGraph, LayerNode
from hypernets.domain.error import BuildError
from hypernets.domain.history.described import describe
from hypernets.domain.history.key import canonical

__all__ = ["Adaptation"]

_STATISTICS = {
    "Normalization": "mean",
    "TextVectorization": "vocabulary",
    "StringLookup": "vocabulary",
    "IntegerLookup": "vocabulary",
    "Discretization": "bin_boundaries",
}


class Adaptation:
    """Adapts layers on the training data, each distinct one once.

    Args:
        train: returns the training data, which are not looked at before a layer needs them.
        shared: what other processes of the search have learned from the same data.
    """

    def __init__(
        self, train: Callable[[], Examples], shared: SharedStatistics | None = None
    ) -> None:
        self._train = train
        self._shared = shared
        self._known: dict[Hashable, Mapping[str, Any]] = {}

    def adapted(self, graph: LayerGraph) -> LayerGraph:
        """Return the graph with the statistics of its layers filled in; itself if it needs none.

        Raises:
            BuildError: such a layer is not fed by an input of the network alone, or cannot be
                adapted on what it is fed.
        """
        found = {node.weights: node for node in reversed(graph.nodes) if _lacks_statistics(node)}
        if not found:
            return graph
        filled = {name: self._filled(node, graph) for name, node in found.items()}
        nodes = tuple(
            attrs.evolve(node, arguments=filled[node.weights]) if node.weights in filled else node
            for node in graph.nodes
        )
        return LayerGraph(nodes, graph.inputs, graph.outputs)

    def _filled(self, node: LayerNode, graph: LayerGraph) -> Mapping[str, Any]:
        if len(node.inputs) != 1 or node.inputs[0] not in graph.inputs:
            raise BuildError(
                f"{node.name!r}: a {node.layer} without statistics must be fed by an Input, to be "
                f"adapted on the data that enter there; received {', '.join(node.inputs)}; move it "
                f"behind the Input, or give it {_STATISTICS[node.layer]}="
            )
        position = graph.inputs.index(node.inputs[0])
        key = (node.layer, canonical(node.arguments), position)
        if key not in self._known:
            self._known[key] = {**node.arguments, **self._statistics(node, position)}
        return self._known[key]

    def _statistics(self, node: LayerNode, position: int) -> Mapping[str, Any]:
        select = _selector(position, node.inputs[0])
        what = describe([node.layer, dict(node.arguments), position])
        if self._shared is None or what is None:  # nothing that another process knows it by
            return self._adapt(node, select)
        return self._shared.known(what.text, lambda: self._adapt(node, select))

    def _adapt(self, node: LayerNode, select: Callable[[Any], Any]) -> Mapping[str, Any]:
        layer, train = make_layer(node.spec), self._train()
        try:
            layer.adapt(_data(train, select))
        except Exception as error:
            raise BuildError(
                f"{node.name!r}: a {node.layer} must be adapted on data that suit it; received the "
                f"input {node.inputs[0]!r} of the training data; change one of the two as Keras's "
                f"reason says: {error}"
            ) from error
        return _statistics(layer, node)


def _lacks_statistics(node: LayerNode) -> bool:
    keyword = _STATISTICS.get(node.layer)
    return node.factory is None and keyword is not None and node.arguments.get(keyword) is None


def _statistics(layer: Any, node: LayerNode) -> dict[str, Any]:
    """Return the arguments that make a new layer what an adapted one is."""
    if node.layer == "Normalization":
        shape = layer.adapt_mean.shape
        mean, variance = np.asarray(layer.adapt_mean), np.asarray(layer.adapt_variance)
        return {"mean": mean.reshape(shape).tolist(), "variance": variance.reshape(shape).tolist()}
    if node.layer == "Discretization":
        boundaries = [float(boundary) for boundary in layer.bin_boundaries]
        return {"bin_boundaries": boundaries, "num_bins": None}
    words = layer.get_vocabulary(include_special_tokens=False)
    # numpy scalars do not survive a saved model
    found: dict[str, Any] = {
        "vocabulary": [getattr(word, "item", lambda w=word: w)() for word in words]
    }
    if node.arguments.get("output_mode") == "tf_idf":
        lookup = getattr(layer, "_lookup_layer", layer)
        weights = np.asarray(lookup.idf_weights)
        found["idf_weights"] = weights[len(weights) - len(words) :].tolist()
    return found


def _selector(position: int, name: str) -> Callable[[Any], Any]:
    """Return what picks the data of one input out of x."""

    def select(x: Any) -> Any:
        if isinstance(x, Mapping):
            return x[name]
        return x[position] if isinstance(x, (list, tuple)) else x

    return select


def _data(train: Examples, select: Callable[[Any], Any]) -> Any:
    if not train.is_dataset:
        return select(train.feed)
    if isinstance(train.x, keras.utils.PyDataset):
        return np.concatenate(
            [np.asarray(select(_x_of(train.x[index]))) for index in range(len(train.x))]
        )
    return train.x.map(lambda *batch: select(_x_of(batch)))


def _x_of(batch: Any) -> Any:
    return keras.utils.unpack_x_y_sample_weight(batch)[0]
