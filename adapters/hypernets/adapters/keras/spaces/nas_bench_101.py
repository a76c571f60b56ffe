"""The space of NAS-Bench-101: networks of one cell, a small graph of three operations.

Source: Ying et al. (2019), "NAS-Bench-101: Towards Reproducible Neural Architecture Search",
section 2 and figure 1; channels, projections and normalization as in its published code.

The cell's graph is one decision, over every shape of at most 7 vertices and 9 edges (see
`cell_graph`); each inner vertex that the graph has decides its operation. So every cell of the
benchmark is here in its own numbering, and there are no others: 423,624 of them, and some twice,
where a shape is symmetric.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hypernets.adapters.keras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
)
from hypernets.adapters.keras.spaces.cell_graph import (
    CellGraphs,
    Edges,
    sources_of,
    vertex_channels,
    vertex_count,
)
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice, Dynamic
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.operation import InputChoice, Optional, Or

__all__ = [
    "OPERATIONS",
    "nas_bench_101_cell_space",
    "nas_bench_101_decisions",
    "nas_bench_101_search_space",
]

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
"""What an inner vertex may do, by the benchmark's names."""
_MERGES = ("concatenate", "add")


def nas_bench_101_search_space(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    filters: int = 128,
    stacks: int = 3,
    cells_per_stack: int = 3,
    max_vertices: int = 7,
    max_edges: int = 9,
) -> HyperSpace:
    """Return the space, 450,808 assignments; the defaults are the published network on CIFAR-10.

    A stem, then stacks of equal cells; between stacks, height and width are halved and channels
    doubled. All cells have the same choices: `graph`, and `op_1` to `op_5` where it has that many
    inner vertices. The published counts of parameters are those of the trainable ones.

    Args:
        input_shape: of one image, `(height, width, channels)`.
        classes: size of the softmax output.
        filters: channels of the stem and of the first stack.
        stacks: number of stacks.
        cells_per_stack: number of cells in each.
        max_vertices: of the cell's graph, input and output included; 2 to 7.
        max_edges: of the cell's graph.

    Raises:
        SpaceError: an argument is out of range.
    """
    _require("stacks", stacks, 1)
    _require("cells_per_stack", cells_per_stack, 1)
    space = HyperSpace()
    with space.as_default():
        cell = _Cell(max_vertices, max_edges, "concatenate")
        x: ModuleSpace = Input(shape=input_shape, name="image")
        x = _conv_bn_relu(x, filters, 3, "stem")
        for stack in range(stacks):
            if stack:
                x = MaxPooling2D(2, strides=2, padding="same", name=f"stack{stack}_pool")(x)
            build = cell.of(filters * 2**stack)
            for number in range(cells_per_stack):
                x = build(x, f"stack{stack}_cell{number}")
        x = GlobalAveragePooling2D(name="pool")(x)
        Dense(classes, activation="softmax", name="predictions")(x)
    return space


def nas_bench_101_cell_space(
    input_shape: tuple[int, ...] = (32, 32, 128),
    filters: int = 128,
    max_vertices: int = 7,
    max_edges: int = 9,
    merge: str = "concatenate",
) -> HyperSpace:
    """Return the space of one bare cell, from its input to its output.

    Args:
        input_shape: of what feeds the cell, `(height, width, channels)`.
        filters: channels that it puts out.
        max_vertices: of its graph, input and output included; 2 to 7.
        max_edges: of its graph.
        merge: what the output does with the vertices that lead to it: `"concatenate"`, as
            published, where their order makes a difference, or `"add"`, where it makes none and
            every vertex has all the channels.

    Raises:
        SpaceError: an argument is out of range.
    """
    space = HyperSpace()
    with space.as_default():
        cell = _Cell(max_vertices, max_edges, merge)
        cell.of(filters)(Input(shape=input_shape, name="input"), "cell")
    return space


def nas_bench_101_decisions(edges: Sequence[Any], ops: Sequence[str]) -> dict[str, Any]:
    """Return the decisions that build a cell of the benchmark.

    Args:
        edges: pairs `(from, to)` of vertices, in the benchmark's numbering.
        ops: what each vertex does, the first `"input"` and the last `"output"`.

    Raises:
        SpaceError: an operation is unknown, or their number is not that of the vertices.
    """
    graph: Edges = tuple(sorted(((a, b) for a, b in edges), key=lambda edge: (edge[1], edge[0])))
    inner = list(ops)[1:-1]
    if len(ops) != vertex_count(graph) or set(inner) - set(OPERATIONS):
        raise SpaceError(
            "nas_bench_101_decisions: ops must be 'input', one of "
            f"{', '.join(OPERATIONS)} for each of the {vertex_count(graph) - 2} inner vertices, "
            f"and 'output'; received {list(ops)}; give one for each vertex of the edges"
        )
    return {"graph": graph} | {f"op_{vertex}": op for vertex, op in enumerate(inner, start=1)}


class _Cell:
    """The choices that all cells share, and what follows from them."""

    def __init__(self, max_vertices: int, max_edges: int, merge: str) -> None:
        if merge not in _MERGES:
            raise SpaceError(
                f"a cell's merge must be one of {', '.join(_MERGES)}; received {merge!r}"
            )
        self._adds = merge == "add"
        self._graphs = CellGraphs(max_vertices, max_edges)
        self._inner = range(1, max(map(vertex_count, self._graphs)) - 1)
        self._graph = Choice(self._graphs, name="graph")
        ops = {v: Choice(OPERATIONS, name=f"op_{v}") for v in self._inner}
        self._op = {v: Dynamic(lambda op: OPERATIONS.index(op), op=op) for v, op in ops.items()}
        self._sources, self._last = _edges_of_any(self._graphs)
        self._into = {v: self._follows(_positions_into(v, self._sources[v])) for v in self._inner}
        self._ends = self._follows(_end_positions(self._last))
        self._output = self._follows(_output_parts)

    def of(self, channels: int) -> Callable[[ModuleSpace, str], ModuleSpace]:
        """Return what builds a cell that puts out so many channels: of its input and a prefix."""
        _require("filters", channels, 1 if self._adds else max(1, len(self._inner)))
        widths: dict[int, Any] = {
            v: channels if self._adds else self._follows(_width(v, channels)) for v in self._inner
        }
        wider: set[tuple[int, int]] = set()
        if not self._adds:
            wider = _wider_edges(self._graphs, channels)
        surplus = {(u, v): self._follows(_is_wider(u, v, channels)) for u, v in sorted(wider)}

        def build(x: ModuleSpace, prefix: str) -> ModuleSpace:
            values: list[ModuleSpace] = []
            for v in self._inner:
                name = f"{prefix}_vertex{v}"
                sources: list[ModuleSpace] = []
                for u in self._sources[v]:
                    if u == 0:
                        sources.append(_conv_bn_relu(x, widths[v], 1, f"{name}_input"))
                    elif (u, v) in surplus:
                        sources.append(_narrowed(values[u - 1], surplus[u, v]))
                    else:
                        sources.append(values[u - 1])
                chosen = InputChoice(sources, hp_choice=self._into[v])(sources)
                total = Add(name=f"{name}_add")(chosen)
                values.append(Or(_operations(widths[v], name), hp_or=self._op[v])(total))
            parts: list[ModuleSpace] = [_conv_bn_relu(x, channels, 1, f"{prefix}_output_input")]
            if values:
                lasts = [values[v - 1] for v in self._last]
                ends = InputChoice(lasts, hp_choice=self._ends)(lasts)
                merge = Add if self._adds else Concatenate
                parts.append(merge(name=f"{prefix}_output_merge")(ends))
            kept = InputChoice(parts, hp_choice=self._output)(parts)
            return Add(name=f"{prefix}_output")(kept)

        return build

    def _follows(self, function: Callable[[Edges], Any]) -> Dynamic:
        return Dynamic(lambda graph: function(graph), graph=self._graph)


def _conv_bn_relu(
    x: ModuleSpace | None, filters: Any, kernel_size: int, prefix: str
) -> ModuleSpace:
    """Return convolution, normalization and ReLU, fed by `x` if given."""
    convolution = Conv2D(
        filters, kernel_size, padding="same", use_bias=False, name=f"{prefix}_conv"
    )
    if x is not None:
        convolution(x)
    normal = BatchNormalization(momentum=0.997, epsilon=1e-5, name=f"{prefix}_bn")(convolution)
    return Activation("relu", name=f"{prefix}_relu")(normal)


def _operations(filters: Any, prefix: str) -> list[ModuleSpace]:
    """Return what a vertex may do, in the order of `OPERATIONS`."""
    return [
        _conv_bn_relu(None, filters, 3, f"{prefix}_3x3"),
        _conv_bn_relu(None, filters, 1, f"{prefix}_1x1"),
        MaxPooling2D(3, strides=1, padding="same", name=f"{prefix}_pool"),
    ]


def _narrowed(value: ModuleSpace, is_wider: Any) -> ModuleSpace:
    """Return a vertex's value without its last channel, where it has one too many."""
    # read as (channels, height, width), so that the border cut off is one of channels
    last = Cropping2D(((0, 0), (0, 1)), data_format="channels_first")
    return Optional(last, keep_link=True, hp_opt=is_wider)(value)


# What follows from the graph. A vertex that it does not have is asked for by nothing; then the
# answers only have to be legal.


def _ends(graph: Edges) -> list[int]:
    return sources_of(graph, vertex_count(graph) - 1)


def _edges_of_any(graphs: Iterable[Edges]) -> tuple[dict[int, list[int]], list[int]]:
    """Return what leads into each inner vertex in some graph, and the vertices that end one."""
    into: dict[int, set[int]] = {}
    last: set[int] = set()
    for graph in graphs:
        output = vertex_count(graph) - 1
        for source, target in graph:
            if target < output:
                into.setdefault(target, set()).add(source)
            elif source:
                last.add(source)
    return {vertex: sorted(sources) for vertex, sources in into.items()}, sorted(last)


def _positions_into(vertex: int, sources: Sequence[int]) -> Callable[[Edges], list[int]]:
    def positions(graph: Edges) -> list[int]:
        if vertex >= vertex_count(graph) - 1:
            return [0]
        return [sources.index(source) for source in sources_of(graph, vertex)]

    return positions


def _end_positions(last: Sequence[int]) -> Callable[[Edges], list[int]]:
    return lambda graph: [last.index(vertex) for vertex in _ends(graph) if vertex] or [0]


def _output_parts(graph: Edges) -> list[int]:
    """Return which of the projected input and the merged vertices the output adds."""
    ends = _ends(graph)
    return [0] * (0 in ends) + [1] * any(ends)


def _channels(graph: Edges, vertex: int, channels: int) -> int:
    return vertex_channels(graph, channels)[vertex] if vertex < vertex_count(graph) else channels


def _width(vertex: int, channels: int) -> Callable[[Edges], int]:
    return lambda graph: _channels(graph, vertex, channels)


def _wider_edges(graphs: Iterable[Edges], channels: int) -> set[tuple[int, int]]:
    """Return the edges between inner vertices that lead to fewer channels in some graph."""
    found: set[tuple[int, int]] = set()
    for graph in graphs:
        widths = vertex_channels(graph, channels)
        inner = range(1, len(widths) - 1)
        found.update((u, v) for u, v in graph if u and v in inner and widths[u] > widths[v])
    return found


def _is_wider(source: int, target: int, channels: int) -> Callable[[Edges], bool]:
    return lambda graph: _channels(graph, source, channels) > _channels(graph, target, channels)


def _require(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise SpaceError(f"{name} must be an integer >= {least}; received {value!r}")
