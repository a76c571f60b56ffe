"""Every strategy on every table: how far the best found is from the best there is.

    python benchmarks/bench_ladder.py                        # everything, 20 runs each
    N_RUNS=100 python benchmarks/bench_ladder.py hpolib/naval generated/nk1
    CURVES=curves python benchmarks/bench_ladder.py          # draws them into a folder

One JSON line for each strategy and table: the mean regret after 100 queries, as a percentage of
the median row's regret, with a 95 % interval by bootstrap and the means after 20 and 50 queries.
At the end a table of all, the best of each row in bold. With `CURVES`, a picture for each table:
the mean regret after each query, and the interval. All strategies have their defaults.
"""

import os
import pathlib
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("N_RUNS", "20")

import matplotlib
import numpy as np
from figure import report
from rich.console import Console
from rich.table import Table
from table_races import interval, regrets_at, runs_of

from hypernets.adapters.benchmark import benchmark_names, load_benchmark

matplotlib.use("svg")

from matplotlib import pyplot

N_QUERIES = 100
STRATEGIES = (
    "default",
    "tpe",
    "portfolio",
    "alphax",
    "evolution",
    "local_search",
    "policy_gradient",
    "largest_first",
    "quasi_random",
    "random",
)


def curves_of(benchmark):
    """Return strategy → regrets, `(n_runs, N_QUERIES)`, as percentages of the median regret."""
    scale = 100.0 / float(np.median(load_benchmark(benchmark).regrets))
    found = {}
    for name in STRATEGIES:
        runs = runs_of(name, benchmark, N_QUERIES)
        found[name] = scale * np.stack([regrets_at(runs, n) for n in range(1, N_QUERIES + 1)], 1)
        last = found[name][:, -1]
        what = f"regret after {N_QUERIES} queries, {benchmark}: {name}"
        more = {f"after_{n}": float(found[name][:, n - 1].mean()) for n in (20, 50)}
        report(what, float(last.mean()), "% of the median", None, None, **interval(last), **more)
    return found


def draw(benchmark, curves, folder):
    """Draw the mean regrets of a table, with intervals, into a file of the folder."""
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    queries = np.arange(1, N_QUERIES + 1)
    for name, regrets in curves.items():
        mean = np.maximum(regrets.mean(axis=0), 1e-3)
        error = 1.96 * regrets.std(axis=0, ddof=1) / np.sqrt(len(regrets))
        (line,) = axes.plot(queries, mean, label=name)
        low = np.maximum(mean - error, 1e-3)
        axes.fill_between(queries, low, mean + error, alpha=0.12, color=line.get_color())
    axes.set(
        yscale="log", xlabel="queries", ylabel="regret, % of the median row's", title=benchmark
    )
    axes.legend(fontsize="small", ncols=2)
    figure.savefig(folder / f"{benchmark.replace('/', '-')}.svg")
    pyplot.close(figure)


def summary(means):
    """Print the means of all tables, the best of each in bold."""
    table = Table(title=f"regret after {N_QUERIES} queries, % of the median row's")
    table.add_column("benchmark")
    for name in STRATEGIES:
        table.add_column(name, justify="right")
    for benchmark, row in means.items():
        best = min(row.values())
        cells = [f"{v:.2f}" if v > best else f"[bold]{v:.2f}[/bold]" for v in row.values()]
        table.add_row(benchmark, *cells)
    Console(stderr=True, width=160).print(table)


def main():
    folder = os.environ.get("CURVES")
    means = {}
    for benchmark in sys.argv[1:] or benchmark_names():
        curves = curves_of(benchmark)
        means[benchmark] = {name: float(each[:, -1].mean()) for name, each in curves.items()}
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            draw(benchmark, curves, pathlib.Path(folder))
    summary(means)


if __name__ == "__main__":
    main()
