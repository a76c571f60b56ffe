"""The structure of an authored space: who feeds whom, which op owns which subgraph, how deep.

Everything that is wrong with a definition as a whole is found here.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from hypernets.domain.error import SpaceError
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import Permutation, Repeat, Sequential

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["Structure", "structure_of"]


@attrs.frozen(slots=True, eq=False)
class Structure:
    """The structure of a space; modules are known by their positions.

    Attributes:
        modules: the modules.
        successors: whom each feeds, in the order of creation.
        regions: for each op, its subgraphs in order, each a list of modules.
        inside: the op that owns the subgraph of each module, and which one; `None` at top level.
        depths: depth of each as authored, 0 for the first.
        inputs: the modules that the network starts from.
        outputs: the modules whose values it puts out.
        top_inputs: the inputs of the network (layers), in the order of the model's inputs.
    """

    modules: Sequence[ModuleSpace]
    successors: Sequence[Sequence[int]]
    regions: "dict[int, list[list[int]]]"
    inside: Sequence[tuple[int, int] | None]
    depths: Sequence[int]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    top_inputs: tuple[int, ...]


def structure_of(space: "HyperSpace") -> Structure:
    """Return the structure of a space.

    Raises:
        SpaceError: subgraphs overlap, modules form a cycle, one was forgotten, or is not fed.
    """
    modules = space.modules
    successors = _successors(modules)
    component = _components(modules)
    members: dict[int, list[int]] = {}
    for module in modules:
        if not module.used_as_argument:
            members.setdefault(component[module.index], []).append(module.index)
    owner = _owners(modules, component)
    _check_nesting(modules, component, owner)
    regions = {
        module.index: [members[component[m.index]] for m in module.alternatives]
        for module in modules
        if module.alternatives
    }
    inside = [owner.get(component[module.index]) for module in modules]
    depths = _depths(modules, successors, regions)
    top = [m.index for m in modules if inside[m.index] is None and not m.used_as_argument]
    inputs, outputs = _ends(space, successors, top)
    _check_entries(modules, regions)
    declared = [i for i in inputs if _is_input(modules[i])]
    others = [
        m.index
        for m in modules
        if _is_input(m) and not m.used_as_argument and m.index not in declared
    ]
    return Structure(
        modules, successors, regions, inside, depths, inputs, outputs, tuple(declared + others)
    )


def _is_input(module: ModuleSpace) -> bool:
    return isinstance(module, LayerModule) and module.is_input


def _names(modules: Iterable[ModuleSpace], limit: int = 6) -> str:
    names = [repr(module.name) for module in modules]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _successors(modules: Sequence[ModuleSpace]) -> list[list[int]]:
    successors: list[list[int]] = [[] for _ in modules]
    for module in modules:
        if module.inputs and _is_input(module):
            raise SpaceError(
                f"an input of the network must not be fed; received {module.name!r} fed by "
                f"{_names(module.inputs)}; connect the other way round"
            )
        for source in dict.fromkeys(module.inputs):
            if source.used_as_argument:  # made an argument after it was connected
                raise SpaceError(
                    f"a layer used as an argument must not be connected; received {source.name!r} "
                    f"connected into {module.name!r}; make another layer for that place"
                )
            successors[source.index].append(module.index)
    return successors


def _components(modules: Sequence[ModuleSpace]) -> list[int]:
    """Return, for each module, the first module of its connected component."""
    parent = list(range(len(modules)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for module in modules:
        for source in module.inputs:
            a, b = root(module.index), root(source.index)
            parent[max(a, b)] = min(a, b)
    return [root(i) for i in range(len(modules))]


def _owners(modules: Sequence[ModuleSpace], component: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return, by component, the op that owns it and its place there."""
    owner: dict[int, tuple[int, int]] = {}
    for op in modules:
        for place, module in enumerate(op.alternatives):
            if module.used_as_argument:
                raise SpaceError(
                    f"a layer used as an argument must not stand in the graph; received "
                    f"{module.name!r} in {op.name!r}; make another layer for that place"
                )
            key = component[module.index]
            if key in owner:
                other, elsewhere = owner[key]
                raise SpaceError(
                    f"subgraphs of ops must not overlap; received {module.name!r} at place {place} "
                    f"of {op.name!r}, whose subgraph also stands at place {elsewhere} of "
                    f"{modules[other].name!r}; make one for each place"
                )
            owner[key] = (op.index, place)
    return owner


def _check_nesting(
    modules: Sequence[ModuleSpace], component: Sequence[int], owner: dict[int, tuple[int, int]]
) -> None:
    settled: set[int] = set()
    for start in owner:
        path: dict[int, None] = {}
        key = start
        while key in owner and key not in settled:
            if key in path:
                ops = [modules[owner[k][0]] for k in path]
                raise SpaceError(
                    f"an op must not stand in its own subgraph; received a cycle through "
                    f"{_names(ops)}; connect what follows the op to the op, not to what it holds"
                )
            path[key] = None
            key = component[owner[key][0]]
        settled.update(path)


def _depths(
    modules: Sequence[ModuleSpace],
    successors: Sequence[Sequence[int]],
    regions: dict[int, list[list[int]]],
) -> list[int]:
    """Return the length of the longest path to each module as authored, subgraphs included.

    Entering and leaving a module are two events; an op is left after all that it owns.
    """
    count = len(modules)
    following: list[list[tuple[int, int]]] = [[] for _ in range(2 * count)]  # event: (event, steps)
    waits = [0] * (2 * count)

    def precede(before: int, after: int, steps: int) -> None:
        following[before].append((after, steps))
        waits[after] += 1

    for module in modules:
        precede(module.index, count + module.index, 0)
        for successor in successors[module.index]:
            precede(count + module.index, successor, 1)
    for op, subgraphs in regions.items():
        chained = isinstance(modules[op], (Sequential, Repeat))
        for place, subgraph in enumerate(subgraphs):
            for i in subgraph:
                precede(count + i, count + op, 0)
            for i in subgraph:
                if modules[i].inputs:
                    continue
                precede(op, i, 1)
                if chained and place and not isinstance(modules[op], Permutation):
                    for j in subgraphs[place - 1]:
                        if not successors[j]:
                            precede(count + j, i, 1)
    depth = [0] * (2 * count)
    ready = [event for event in range(2 * count) if not waits[event]]
    done = 0
    while ready:
        event = ready.pop()
        done += 1
        for after, steps in following[event]:
            depth[after] = max(depth[after], depth[event] + steps)
            waits[after] -= 1
            if not waits[after]:
                ready.append(after)
    if done < 2 * count:
        stuck = [modules[i] for i in range(count) if waits[i]]
        raise SpaceError(
            f"modules must not form a cycle; received one among {_names(stuck)}; "
            "take out the call that connects backwards"
        )
    return depth[:count]


def _ends(
    space: "HyperSpace", successors: Sequence[Sequence[int]], top: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    modules = space.modules
    if not top:
        if space.training:
            return (), ()
        raise SpaceError(
            f"a space must hold at least one module; received {space!r}; create modules (or call "
            "set_training) under `with space.as_default():`"
        )
    for end, where in ((space.input_modules, "set_inputs"), (space.output_modules, "set_outputs")):
        for module in end:
            if module.used_as_argument:
                raise SpaceError(
                    f"{where} must name modules that stand in the graph; received {module.name!r}, "
                    "which is used as an argument; name the layer that holds it"
                )
            if module.index not in top:
                raise SpaceError(
                    f"{where} must name modules of the top level; received {module.name!r}, which "
                    "stands in the subgraph of an op; name the op"
                )
    sources = [i for i in top if not modules[i].inputs]
    sinks = [i for i in top if not successors[i]]
    if not space.input_modules and not space.output_modules:
        alone = [i for i in sources if not successors[i]]
        forgotten = [i for i in alone if not _is_input(modules[i])]
        if forgotten and len(top) > 1:
            raise SpaceError(
                f"every module must be connected; received {_names(modules[i] for i in forgotten)} "
                "connected to nothing; call it on what feeds it, and what it feeds on it"
            )
        used = [i for i in sinks if i not in alone or len(top) == len(alone)]
        return tuple(sources), tuple(used)
    inputs = [m.index for m in space.input_modules] or sources
    forward = _reach(inputs, successors)
    outputs = [m.index for m in space.output_modules] or [i for i in sinks if i in forward]
    predecessors = [[m.index for m in module.inputs] for module in modules]
    backward = _reach(outputs, predecessors)
    astray = [modules[i] for i in top if i not in forward or i not in backward]
    if astray:
        raise SpaceError(
            f"every module must lie on a path from an input to an output; received "
            f"{_names(astray)} on none; connect it, or leave set_inputs and set_outputs out"
        )
    return tuple(inputs), tuple(outputs)


def _reach(starts: Iterable[int], following: Sequence[Sequence[int]]) -> set[int]:
    reached = set(starts)
    stack = list(reached)
    while stack:
        for i in following[stack.pop()]:
            if i not in reached:
                reached.add(i)
                stack.append(i)
    return reached


def _check_entries(modules: Sequence[ModuleSpace], regions: dict[int, list[list[int]]]) -> None:
    for index, subgraphs in regions.items():
        for subgraph in subgraphs:
            sources = [modules[i] for i in subgraph if not modules[i].inputs]
            if modules[index].inputs and all(map(_is_input, sources)):
                raise SpaceError(
                    f"an input of the network must not be fed; received {_names(sources)} as the "
                    f"only entry of a subgraph of {modules[index].name!r}, which is fed; begin the "
                    "subgraph with a layer, or with HyperInput()"
                )
