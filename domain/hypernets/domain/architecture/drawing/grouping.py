"""Which layers of a network belong together, so that a drawing can put a frame around them.

Steps of an outermost `Repeat` are groups, as the author meant them. Among other layers, those are
whose names begin alike (`1_normal_C1_…`). A group never stands on both sides of something else:
whatever lies between two of its layers is in it.
"""

import re
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

import attrs

from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.space.operation import Repeat
from hypernets.domain.space.structure import structure_of

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["Group", "blocks_in_order", "edges_of", "groups_of"]

_MADE_UP = re.compile(r"Module_\w+_\d+")
_LEAST_STEP = 2
_LEAST_PREFIX = 3


@attrs.frozen(slots=True)
class Group:
    """Layers that belong together.

    Attributes:
        title: what they have in common, in words.
        members: their positions in the graph, in ascending order.
    """

    title: str
    members: tuple[int, ...]


def groups_of(architecture: "Architecture") -> tuple[Group, ...]:
    """Return the groups of the network of an architecture; no layer is in two.

    Raises:
        BuildError: the decisions do not make a network.
    """
    graph = architecture.graph
    edges = edges_of(graph)
    accepted: list[Group] = []

    def accept(group: Group) -> bool:
        candidate = [*(g.members for g in accepted), group.members]
        if len(group.members) == len(graph):
            return False
        if len(blocks_in_order(len(graph), edges, candidate)) == 0:
            return False
        accepted.append(group)
        return True

    for group in _steps(architecture):
        accept(group)
    taken = {i for group in accepted for i in group.members}
    names = {
        i: node.name.split("_")
        for i, node in enumerate(graph)
        if i not in taken and not _MADE_UP.fullmatch(node.name)
    }
    pending = [(list(names), 0)]
    while pending:
        members, depth = pending.pop()
        by_token: dict[str, list[int]] = {}
        for i in members:
            if depth < len(names[i]) - 1:  # the last word names the layer itself
                by_token.setdefault(names[i][depth], []).append(i)
        for alike in by_token.values():
            if len(alike) < _LEAST_PREFIX:
                continue
            common = _common(names, alike)
            title = "_".join(names[alike[0]][:common]).rstrip("_")
            layers = {graph.nodes[i].layer for i in alike}
            telling = re.search("[A-Za-z]", title) and len(layers) > 1
            if not (telling and accept(Group(title, tuple(alike)))):
                pending.append((alike, common))
    return tuple(sorted(accepted, key=lambda group: group.members))


def edges_of(graph: LayerGraph) -> list[tuple[int, int]]:
    """Return who feeds whom, by position, with multiplicity."""
    position = {node.name: i for i, node in enumerate(graph)}
    return [(position[name], i) for i, node in enumerate(graph) for name in node.inputs]


def blocks_in_order(
    count: int, edges: Sequence[tuple[int, int]], groups: Sequence[Sequence[int]]
) -> list[tuple[int, ...]]:
    """Return groups, and single layers as groups of one, each after those that feed it.

    Empty where that cannot be: something lies between two layers of a group.
    """
    block = list(range(count))
    for group in groups:
        for i in group:
            block[i] = group[0]
    members: dict[int, list[int]] = {}
    for i in range(count):
        members.setdefault(block[i], []).append(i)
    following = {(block[a], block[b]) for a, b in edges if block[a] != block[b]}
    feeds: dict[int, list[int]] = {}
    waits = dict.fromkeys(members, 0)
    for a, b in following:
        feeds.setdefault(a, []).append(b)
        waits[b] += 1
    ready = [b for b, n in waits.items() if not n]
    heapify(ready)
    order: list[tuple[int, ...]] = []
    while ready:
        first = heappop(ready)
        order.append(tuple(members[first]))
        for b in feeds.get(first, ()):
            waits[b] -= 1
            if not waits[b]:
                heappush(ready, b)
    return order if len(order) == len(members) else []


def _steps(architecture: "Architecture") -> Iterator[Group]:
    """Yield the steps of the outermost repeats."""
    frozen = architecture.frozen
    modules = frozen.space.modules
    inside = structure_of(frozen.space).inside
    steps: dict[tuple[int, int], list[int]] = {}
    for i, node in enumerate(architecture.graph):
        found = None
        owner = inside[frozen.owners[node.origin.node]]
        while owner is not None:
            if isinstance(modules[owner[0]], Repeat):
                found = owner
            owner = inside[owner[0]]
        if found is not None:
            steps.setdefault(found, []).append(i)
    for (op, place), members in steps.items():
        if len(members) >= _LEAST_STEP:
            name = modules[op].name
            called = "step" if _MADE_UP.fullmatch(name) else f"{name} step"
            yield Group(f"{called} {place + 1}", tuple(members))


def _common(names: dict[int, list[str]], alike: Sequence[int]) -> int:
    """Return how many words the names begin with in common, the last of each not counted."""
    words = [names[i][:-1] for i in alike]
    shortest = min(map(len, words))
    for k in range(shortest):
        if any(w[k] != words[0][k] for w in words):
            return k
    return shortest
