"""Round trips through every codec, over random spaces."""

import contextlib
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.codec import (
    HashedPathCodec,
    MatrixCodec,
    OneHotCodec,
    PathCodec,
    VectorCodec,
    operations_in,
    paths_of,
)
from hypernets.domain.error import SpaceError
from hypernets.domain.space import (
    Bool,
    Cascade,
    Choice,
    Dynamic,
    HyperSpace,
    Identity,
    InputChoice,
    Int,
    LayerModule,
    ModuleSpace,
    MultipleChoice,
    Optional,
    Or,
    ParameterSpace,
    Permutation,
    Real,
    Repeat,
)


class Input(LayerModule):
    is_input = True


class Unit(LayerModule):
    pass


class Merge(LayerModule):
    pass


class Opaque:
    """An option that JSON does not know."""


OPAQUE = [Opaque(), Opaque(), len]


class Author:
    """Writes one random space; everything follows from the seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - no secret
        self.known: list[ParameterSpace] = []

    def write(self) -> HyperSpace:
        space = HyperSpace()
        with space.as_default():
            flow: list[ModuleSpace] = [Input({"shape": (4,)})]
            for _ in range(self.rng.randrange(1, 5)):
                flow.append(self.fragment(0)(flow[-1]))
                if self.rng.random() < 0.3:
                    chosen = InputChoice(flow[:], self.rng.randrange(len(flow) + 1))(flow[:])
                    flow.append(Merge()(chosen))
            Unit({"kind": 1})(flow[-1])
        return space

    def fragment(self, depth: int) -> ModuleSpace:
        kinds = [self.unit, self.unit, self.identity]
        if depth < 2:
            kinds += [self.either, self.optional, self.repeat, self.permutation]
        return self.rng.choice(kinds)(depth)

    def fragments(self, depth: int) -> list[ModuleSpace]:
        return [self.fragment(depth + 1) for _ in range(self.rng.randrange(1, 4))]

    def unit(self, depth: int) -> ModuleSpace:
        return Unit({"kind": self.parameter(), "deep": [{"x": self.parameter()}, (1, 2)]})

    def identity(self, depth: int) -> ModuleSpace:
        return Identity(a=self.parameter())

    def either(self, depth: int) -> ModuleSpace:
        return Or(self.fragments(depth))

    def optional(self, depth: int) -> ModuleSpace:
        return Optional(self.fragment(depth + 1), keep_link=True)

    def repeat(self, depth: int) -> ModuleSpace:
        return Repeat(lambda step: self.fragment(depth + 1), repeat_num_choices=[0, 1, 3])

    def permutation(self, depth: int) -> ModuleSpace:
        return Permutation(self.fragments(depth))

    def parameter(self) -> ParameterSpace:
        if self.known and self.rng.random() < 0.2:
            return self.rng.choice(self.known)
        first, second = Choice([1.5, 2]), Int(3, 9, 3)
        makers: list[Callable[[], ParameterSpace]] = [
            Bool,
            lambda: Choice([(3, 3), [3, 3], 1, 0.1, True, None, "é", "(3, 3)"]),
            lambda: Choice([*OPAQUE, float("inf"), {1: 2}, {"b": [1, (2,)]}]),
            lambda: Int(-3, 12, 5),
            lambda: Real(0, 1, step=0.1),
            lambda: Real(-2, 3),
            lambda: Real(1e-6, 1, prior="log_uniform"),
            lambda: MultipleChoice(["a", (1, 2), 3.0, True], self.rng.randrange(5)),
            lambda: MultipleChoice(OPAQUE),
            lambda: Dynamic(lambda x: x if x is None else repr(x), x=Choice([None, 4])),
            lambda: Cascade(lambda which: [first, second, 7][which], which=Choice([0, 1, 2])),
        ]
        self.known.append(self.rng.choice(makers)())
        return self.known[-1]


def written(seed: int) -> HyperSpace:
    return Author(seed).write()


seeds = st.integers(0, 2**32)


def same(a: Any, b: Any) -> bool:
    """Say whether two values are the same down to the types in them."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a is b or a == b


@given(seeds, seeds)
def test_json_gives_the_very_same_architecture_back(program: int, seed: int) -> None:
    space = written(program)
    architecture = space.sample(seed)
    again = Architecture.from_json(space, architecture.to_json())
    assert again == architecture
    assert same(list(again.values), list(architecture.values))
    assert again.to_json() == architecture.to_json()


@given(seeds, seeds)
def test_json_is_read_by_the_space_written_anew(program: int, seed: int) -> None:
    architecture = written(program).sample(seed)
    space = written(program)
    assert space.fingerprint == architecture.frozen.space.fingerprint
    again = Architecture.from_json(space, architecture.to_json())
    assert again.key == architecture.key
    assert again.frozen is space.freeze()


@given(seeds, seeds)
def test_a_vector_gives_the_very_same_architecture_back(program: int, seed: int) -> None:
    space = written(program)
    architecture = space.sample(seed)
    codec = VectorCodec(space)
    values, mask = codec.encode(architecture)
    assert values.shape == mask.shape == (len(codec.names),)
    assert [n for n, on in zip(codec.names, mask, strict=True) if on] == [
        decision.name for decision in architecture.active
    ]
    again = codec.decode(values, mask)
    assert again == architecture
    assert same(list(again.values), list(architecture.values))


@given(seeds, seeds)
def test_a_one_hot_vector_gives_the_architecture_back(program: int, seed: int) -> None:
    space = written(program)
    architecture = space.sample(seed)
    codec = OneHotCodec(space)
    vector = codec.encode(architecture)
    assert vector.shape == (len(codec.columns),)
    assert 0 <= vector.min(initial=0) <= vector.max(initial=0) <= 1
    again = codec.decode(vector)
    assert np.array_equal(codec.encode(again), vector)
    for decision, value in zip(architecture.active, again.decisions.values(), strict=True):
        made = architecture.decisions[decision.name]
        if decision.is_finite:
            assert same(value, made)
        else:
            assert value == pytest.approx(made, rel=1e-13, abs=1e-14)


@given(seeds, seeds)
def test_two_architectures_have_one_encoding_exactly_if_they_are_equal(
    program: int, seed: int
) -> None:
    space = written(program)
    codec = VectorCodec(space)
    a, b = space.sample(seed), space.sample(seed + 1)
    alike = all(map(np.array_equal, codec.encode(a), codec.encode(b)))
    assert alike == (a == b) == (a.to_json() == b.to_json())


@given(seeds, seeds, seeds)
def test_a_vector_of_another_space_is_an_error_unless_it_is_one_of_this_space_too(
    program: int, other: int, seed: int
) -> None:
    space, stranger = written(program), written(other)
    architecture = stranger.sample(seed)
    values, mask = VectorCodec(stranger).encode(architecture)
    vector = OneHotCodec(stranger).encode(architecture)
    for codec, encoded in ((VectorCodec(space), (values, mask)), (OneHotCodec(space), (vector,))):
        try:
            decoded = codec.decode(*encoded)
        except SpaceError:
            continue
        again = codec.encode(decoded)
        assert all(map(np.array_equal, again if len(encoded) == 2 else [again], encoded))
    if space.fingerprint != stranger.fingerprint:
        with pytest.raises(SpaceError, match="another space"):
            Architecture.from_json(space, architecture.to_json())


@given(seeds, seeds, st.integers(0, 10**6), st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, np.nan]))
def test_whatever_is_decoded_encodes_to_what_it_was_decoded_from(
    program: int, seed: int, place: int, entry: float
) -> None:
    space = written(program)
    architecture = space.sample(seed)
    codec, one_hot = VectorCodec(space), OneHotCodec(space)
    values, mask = codec.encode(architecture)
    if len(values):
        values[place % len(values)] = entry
        mask[place // 7 % len(mask)] ^= place % 2 == 0
    vector = one_hot.encode(architecture)
    if len(vector):
        vector[place % len(vector)] = entry
    with contextlib.suppress(SpaceError):
        assert all(map(np.array_equal, codec.encode(codec.decode(values, mask)), (values, mask)))
    with contextlib.suppress(SpaceError):
        again = one_hot.encode(one_hot.decode(vector))
        assert again == pytest.approx(vector, rel=1e-13)


@given(seeds, seeds)
def test_paths_and_matrices_tell_the_same_network(program: int, seed: int) -> None:
    graph = written(program).sample(seed).graph
    operations = operations_in([graph])
    adjacency, layers = MatrixCodec(operations, len(graph) + 2).encode(graph)
    assert np.array_equal(adjacency, np.triu(adjacency, 1))
    assert adjacency.sum() == sum(len(node.inputs) for node in graph)
    assert layers.sum(axis=1).tolist() == [1.0] * len(graph) + [0.0] * 2
    names = [operations[row.argmax()] for row in layers[: len(graph)]]
    place = {node.name: k for k, node in enumerate(graph)}
    walked: set[tuple[str, ...]] = set()
    stack = [(place[name], (names[place[name]],)) for name in graph.outputs]
    while stack:  # backward, through the matrices alone
        k, path = stack.pop()
        sources = np.flatnonzero(adjacency[:, k]).tolist()
        if not sources:
            walked.add(path[1:])
        stack.extend((source, (names[source], *path)) for source in sources)
    assert paths_of(graph) == walked
    hashed = HashedPathCodec(2**20).encode(graph)
    assert hashed.sum() == len(walked)
    codec = PathCodec(operations, max(map(len, walked)), n_columns=100_000)
    columns = {codec.column(path) for path in walked}
    assert len(columns) == len(walked)
    assert set(np.flatnonzero(codec.encode(graph))) == {c for c in columns if c < 100_000}
    kept = {path for path in walked if codec.column(path) < codec.n_columns}
    assert codec.decode(codec.encode(graph)) == kept
    fed = sorted((place[source], place[node.name]) for node in graph for source in node.inputs)
    said = MatrixCodec(operations, len(graph) + 2).decode(adjacency, layers)
    assert said == (tuple(names), tuple(fed))
