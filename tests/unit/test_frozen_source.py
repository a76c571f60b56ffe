"""Nodes of a frozen space that do nothing but pass one input on."""

from hypernets.domain.space import Choice, HyperSpace, LayerModule
from hypernets.domain.space.frozen import Join, Layer, Mux
from hypernets.domain.space.operation import ConnectLooseEnd, Or, Sequential


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def frozen(loose):
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)}, name="in")
        x = Sequential([Dense({"units": 1}), Dense({"units": 2})])(x)
        x = Or([Dense({"units": Choice([3, 4])}), Dense({"units": 5})])(x)
        if loose:
            x = ConnectLooseEnd()([x])
        Dense({"units": 6})(x)
    return space.freeze()


def test_a_node_that_passes_one_input_on_is_looked_through():
    space = frozen(loose=False)
    passing = [
        p for p, node in enumerate(space.nodes) if isinstance(node, Join) and node.ins[1:] == ()
    ]
    assert passing
    for position, source in enumerate(space.sources):
        if position not in passing:
            assert source == position
    for position in passing:
        assert space.sources[position] == space.sources[space.nodes[position].ins[0]]
        assert isinstance(space.nodes[space.sources[position]], (Layer, Mux))


def test_where_loose_ends_are_looked_for_every_node_counts():
    space = frozen(loose=True)
    assert space.sources == tuple(range(len(space.nodes)))
