"""Nested merges of one kind are one merge, where that is certain."""

import itertools

import pytest

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, LayerSpec, Origin
from hypernets.domain.architecture.signature import signature_of
from hypernets.domain.layers import rule_for, ruled_layers

ASSOCIATIVE = ("Add", "Multiply", "Maximum", "Minimum", "Concatenate")
IMAGE = {"shape": (8, 8, 2)}


def node(name, layer, arguments=None, inputs=(), factory=None):
    fed = (inputs,) if isinstance(inputs, str) else tuple(inputs)
    return LayerNode(name, layer, arguments or {}, fed, name, Origin(0), factory)


def network(*nodes, outputs=None, image=IMAGE):
    whole = (node("in", "Input", image), *nodes)
    return LayerGraph(whole, ("in",), tuple(outputs or [nodes[-1].name]))


def branches(count=4):
    return [
        node(f"b{i}", "Conv2D", {"filters": 2, "kernel_size": i + 1}, "in") for i in range(count)
    ]


def merged(layer, *shape, arguments=None, outputs=None, before=None):
    """Return the signature of branches merged as nested tuples say: `(0, (1, 2))`."""
    nodes = list(before or branches())

    def merge(part):
        if isinstance(part, int):
            return f"b{part}"
        inputs = [merge(each) for each in part]
        nodes.append(node(f"m{len(nodes)}", layer, arguments, inputs))
        return nodes[-1].name

    merge(shape)
    return signature_of(network(*nodes, outputs=outputs))


@pytest.mark.parametrize("layer", ASSOCIATIVE)
def test_how_a_merge_is_nested_does_not_matter(layer):
    flat = merged(layer, 0, 1, 2, 3)
    assert merged(layer, (0, 1), 2, 3) == flat
    assert merged(layer, 0, (1, 2), 3) == flat
    assert merged(layer, 0, 1, (2, 3)) == flat
    assert merged(layer, (0, 1), (2, 3)) == flat
    assert merged(layer, ((0, 1), 2), 3) == merged(layer, 0, (1, (2, 3))) == flat


@pytest.mark.parametrize("layer", ASSOCIATIVE)
def test_what_is_merged_and_how_often_still_matters(layer):
    assert (
        len({merged(layer, *parts) for parts in ((0, 1, 2), (0, (1, 1)), (0, 1), (0, 0, 1, 2))})
        == 4
    )


def test_a_nested_concatenation_keeps_its_order():
    orders = itertools.permutations(range(3))
    flat = {order: merged("Concatenate", *order) for order in orders}
    assert len(set(flat.values())) == 6
    for (a, b, c), signature in flat.items():
        assert merged("Concatenate", (a, b), c) == merged("Concatenate", a, (b, c)) == signature


@pytest.mark.parametrize("layer", ["Average", "Subtract"])
def test_how_other_merges_are_nested_matters(layer):
    assert merged(layer, (0, 1), 2) != merged(layer, 0, (1, 2))


def test_merges_of_two_kinds_stay_apart():
    nodes = branches(3)
    inner = node("m", "Add", {}, ["b0", "b1"])

    def of(outer):
        return signature_of(network(*nodes, inner, node("n", outer, {}, ["m", "b2"])))

    assert len({of("Maximum"), of("Multiply"), of("Add"), merged("Maximum", 0, 1, 2)}) == 4


def test_concatenations_along_two_axes_stay_apart():
    def of(inner, outer):
        nodes = branches(3)
        nodes.append(node("m", "Concatenate", {"axis": inner}, ["b0", "b1"]))
        nodes.append(node("n", "Concatenate", {"axis": outer}, ["m", "b2"]))
        return signature_of(network(*nodes))

    flat = {axis: merged("Concatenate", 0, 1, 2, arguments={"axis": axis}) for axis in (1, 2)}
    assert of(1, 1) == flat[1]
    assert of(2, 2) == flat[2]
    assert not {of(1, 2), of(2, 1)} & set(flat.values())


def test_a_sum_that_is_read_twice_stays():
    nodes = [*branches(3), node("m", "Add", {}, ["b0", "b1"]), node("n", "Add", {}, ["m", "b2"])]
    flat = [*branches(3), node("n", "Add", {}, ["b0", "b1", "b2"])]
    assert signature_of(network(*nodes)) == signature_of(network(*flat))
    assert signature_of(network(*nodes, outputs=["n", "m"])) != signature_of(
        network(*flat, node("m", "Add", {}, ["b0", "b1"]), outputs=["n", "m"])
    )
    reader = node("o", "Concatenate", {}, ["n", "m"])
    assert signature_of(network(*nodes, reader)) != signature_of(
        network(*flat, node("m", "Add", {}, ["b0", "b1"]), reader)
    )
    assert signature_of(network(*nodes, reader)) != signature_of(
        network(*flat, node("o", "Concatenate", {}, ["n", "b0", "b1"]))
    )


def test_a_sum_that_two_sums_read_is_not_written_twice():
    end = node("end", "Average", {}, ["n", "o"])
    once = [node("m", "Add", {}, ["b0", "b1"])]
    once += [node("n", "Add", {}, ["m", "b2"]), node("o", "Add", {}, ["m", "b3"]), end]
    twice = [
        node("n", "Add", {}, ["b0", "b1", "b2"]),
        node("o", "Add", {}, ["b0", "b1", "b3"]),
        end,
    ]
    assert signature_of(network(*branches(), *once)) != signature_of(network(*branches(), *twice))


def test_a_sum_that_only_what_is_left_out_reads_as_well_gives_way():
    unused = node("u", "ReLU", {}, "m1")
    nodes = [*branches(3), node("m1", "Add", {}, ["b0", "b1"]), unused]
    nodes.append(node("n", "Add", {}, ["m1", "b2"]))
    assert signature_of(network(*nodes)) == merged("Add", 0, 1, 2)


def test_identities_between_two_sums_do_not_keep_them_apart():
    nodes = [
        *branches(3),
        node("m", "Add", {}, ["b0", "b1"]),
        node("i", "Dropout", {"rate": 0}, "m"),
    ]
    nodes.append(node("n", "Add", {"dtype": None}, ["i", "b2"]))
    assert signature_of(network(*nodes)) == merged("Add", 0, 1, 2)


@pytest.mark.parametrize("more", [{"dtype": "float16"}, {"activity_regularizer": "l2"}])
def test_a_merge_that_does_more_than_merge_stays(more):
    assert merged("Add", (0, 1), 2, arguments=more) != merged("Add", 0, 1, 2, arguments=more)


def test_what_may_be_masked_or_no_floats_is_not_flattened():
    def both(nodes, image, ends):
        a, b, c = ends
        nested = [node("m", "Add", {}, [a, b]), node("n", "Add", {}, ["m", c])]
        flat = [node("n", "Add", {}, [a, b, c])]
        return [signature_of(network(*nodes, *end, image=image)) for end in (nested, flat)]

    words = [
        node(f"b{i}", "Embedding", {"input_dim": 9, "output_dim": i + 1}, "in") for i in (0, 1)
    ]
    words.append(
        node("b2", "Embedding", {"input_dim": 9, "output_dim": 3, "mask_zero": True}, "in")
    )
    text = {"shape": (5,), "dtype": "int32"}
    nested, flat = both(words, text, ("b0", "b1", "b2"))
    assert nested == flat
    nested, flat = both(words, text, ("b0", "b2", "b1"))
    assert nested != flat  # the mask is among what the inner one merges
    through = [*words[:2], node("r", "LSTM", {"units": 4, "return_sequences": True}, "b2")]
    nested, flat = both([words[2], *through], text, ("b0", "r", "b1"))
    assert nested != flat
    masked = [*branches(2), node("b2", "Masking", {}, "in")]
    nested, flat = both(masked, IMAGE, ("b0", "b2", "b1"))
    assert nested != flat
    numbers = [node(f"b{i}", "Reshape", {"target_shape": (5, i + 1)}, "in") for i in range(3)]
    nested, flat = both(numbers, text, ("b0", "b1", "b2"))
    assert nested != flat
    nested, flat = both(numbers, {"shape": (5,)}, ("b0", "b1", "b2"))
    assert nested == flat


def test_what_a_layer_of_the_users_own_puts_out_is_not_certain():
    own = [*branches(3), node("o", "Own", {}, "b0", factory=test_merges_of_two_kinds_stay_apart)]
    nested = [node("m", "Add", {}, ["o", "b1"]), node("n", "Add", {}, ["m", "b2"])]
    flat = node("n", "Add", {}, ["o", "b1", "b2"])
    assert signature_of(network(*own, *nested)) != signature_of(network(*own, flat))
    after = [node("m", "Add", {}, ["b1", "b2"]), node("n", "Add", {}, ["m", "o"])]
    assert signature_of(network(*own, *after)) == signature_of(network(*own, flat))


def test_what_a_wrapped_layer_puts_out_is_not_certain():
    def of(layer):
        inner = LayerSpec(layer, {"mask_value": 0.0} if layer == "Masking" else {"units": 2})
        nodes = [*branches(3), node("w", "TimeDistributed", {"layer": inner}, "in")]
        nested = [node("m", "Add", {}, ["w", "b1"]), node("n", "Add", {}, ["m", "b2"])]
        flat = node("n", "Add", {}, ["w", "b1", "b2"])
        return [signature_of(network(*nodes, *end)) for end in (nested, [flat])]

    for layer in ("Masking", "Own"):
        nested, flat = of(layer)
        assert nested != flat


def test_chains_of_two_thousand_sums_are_one_sum():
    def chain(left):
        ends = [node(f"b{i}", "Dense", {"units": 1}, "in") for i in range(2001)]
        nodes, last = list(ends), ends[0].name
        for i, end in enumerate(ends[1:]):
            fed = [last, end.name] if left else [end.name, last]
            nodes.append(node(f"m{i}", "Add", {}, fed))
            last = nodes[-1].name
        return signature_of(network(*nodes))

    assert chain(left=True) == chain(left=False)


def test_just_these_layers_say_that_they_are_associative():
    found = [name for name in ruled_layers() if rule_for(name).associative]
    assert sorted(found) == sorted(ASSOCIATIVE)
