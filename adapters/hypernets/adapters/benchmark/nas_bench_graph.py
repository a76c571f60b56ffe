"""NAS-Bench-Graph: graph neural networks of four layers, on nine sets of graphs.

Source: Qin, Zhang, Wang, Zhang, Zhu & Zhu (2022), "NAS-Bench-Graph: Benchmarking Graph Neural
Architecture Search", section 3; the validation accuracy (`proteins`: AUC), mean of three seeds, as
the distribution `nas-bench-graph` tabulates it.

A network is a tree of four operations; leaves are joined at the output. The paper counts 26,206
different ones, for trees that can be redrawn as each other are one, and an operation `skip` may
stand in several places. Here the choices are the nine ways to draw the tree and an operation for
each of its nodes, 59,049 in all, of which several lead to one row; all four `skip` lead to none.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from hypernets.adapters.benchmark.distribution import table_path
from hypernets.adapters.benchmark.plain_pickle import load_plain
from hypernets.adapters.benchmark.table import TabularBenchmark
from hypernets.adapters.keras.layers import Input
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice, Dynamic
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.operation import Identity, InputChoice, Or

__all__ = ["DATASETS", "load_nas_bench_graph"]

DATASETS = ("arxiv", "citeseer", "computers", "cora", "cs", "photo", "physics", "pubmed")
"""Sets of graphs with all nine operations."""

TREES = (
    (0, 0, 0, 0),
    (0, 0, 0, 1),
    (0, 0, 1, 1),
    (0, 0, 1, 2),
    (0, 0, 1, 3),
    (0, 1, 1, 1),
    (0, 1, 1, 2),
    (0, 1, 2, 2),
    (0, 1, 2, 3),
)
"""For each of four operations, what feeds it: 0 the input, k the k-th operation."""
OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
"""What a node may do, by the benchmark's names."""
_LAYERS = {name: type(name.title(), (LayerModule,), {}) for name in OPERATIONS if name != "skip"}
_Joined = type("Joined", (LayerModule,), {})
_ALL_SKIP = ("skip",) * 4


@functools.cache
def load_nas_bench_graph(dataset: str) -> TabularBenchmark:
    """Return the benchmark of one set of graphs.

    The objectives are `accuracy` (of validation, from 0 to 1), `latency_s` and `size` (parameters,
    in millions). How long training took is not tabulated.

    Args:
        dataset: one of `DATASETS`.

    Raises:
        SearchError: the extra `bench` is not installed.
    """
    file = f"nas_bench_graph/light/{dataset}.bench"
    table = load_plain(table_path("nas-bench-graph", file))
    keys = list(table)
    place = {key: row for row, key in enumerate(keys)}
    rows = {code: place.get(key) for code, key in _keys().items()}

    def row_of(architecture: Any) -> int | None:
        return rows[_code(architecture)]

    def column(name: str) -> Any:
        return np.array([float(table[key][name]) for key in keys])

    return TabularBenchmark(
        name=f"nas-bench-graph/{dataset}",
        space=_space(),
        row_of=row_of,
        objectives={
            "accuracy": column("valid_perf"),
            "latency_s": column("latency"),
            "size": column("para"),
        },
        direction="max",
        directions={"accuracy": "max", "latency_s": "min", "size": "min"},
        n_failing=sum(row is None for row in rows.values()),
        rows_are_architectures=False,
    )


@functools.cache
def _keys() -> dict[tuple[int, ...], int]:
    """Return the key in the files of each combination of choices, by the benchmark's own rules."""
    from nas_bench_graph.architecture import Arch

    keys: dict[tuple[int, ...], int] = {}
    for code in np.ndindex(len(TREES), *[len(OPERATIONS)] * 4):
        operations = tuple(OPERATIONS[number] for number in code[1:])
        if operations != _ALL_SKIP:  # the only network that has nothing to train
            keys[code] = Arch(list(TREES[code[0]]), list(operations)).valid_hash()
        else:
            keys[code] = -1
    return keys


@functools.cache
def _space() -> HyperSpace:
    space = HyperSpace("nas-bench-graph")
    with space.as_default():
        tree = Choice(range(len(TREES)), name="tree")
        nodes: list[Any] = [Input(shape=(64,), name="features")]
        for number in range(4):
            operation = Choice(OPERATIONS, name=f"operation_{number + 1}")
            place = Dynamic(lambda operation: OPERATIONS.index(operation), operation=operation)
            source = InputChoice(
                list(nodes),
                hp_choice=Dynamic(lambda tree, number=number: [TREES[tree][number]], tree=tree),
                name=f"source_{number + 1}",
            )(list(nodes))
            layers = [_layer(name, f"node_{number + 1}_{name}") for name in OPERATIONS]
            nodes.append(Or(layers, hp_or=place, name=f"node_{number + 1}")(source))
        leaves = InputChoice(
            nodes[1:],
            hp_choice=Dynamic(lambda tree: _leaves(TREES[tree]), tree=tree),
            name="leaves",
        )(nodes[1:])
        _Joined(name="joined")(leaves)
    return space


def _layer(operation: str, name: str) -> Any:
    return Identity(name=name) if operation == "skip" else _LAYERS[operation](name=name)


def _leaves(tree: Sequence[int]) -> list[int]:
    return [number for number in range(4) if number + 1 not in tree]


def _code(architecture: Any) -> tuple[int, ...]:
    decisions = architecture.decisions
    operations = (decisions[f"operation_{number}"] for number in range(1, 5))
    return (decisions["tree"], *map(OPERATIONS.index, operations))
