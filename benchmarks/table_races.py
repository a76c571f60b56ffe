"""Races of strategies on tables of trained networks, spread over the cores."""

import functools
import multiprocessing
import os

import numpy as np

from hypernets.adapters.benchmark import load_benchmark, race
from hypernets.application import make_searcher
from hypernets.domain.history.hypervolume import hypervolume

__all__ = ["interval", "regrets_at", "runs_of", "share_of_front"]

N_RUNS = int(os.environ.get("N_RUNS", "100"))


def runs_of(name, benchmark, n_queries, until=None, n_runs=N_RUNS, make=make_searcher, **options):
    """Return the runs of a strategy; the seeds are the same everywhere.

    Args:
        name: of the strategy, as `make` knows it.
        benchmark: name of the table.
        n_queries: in each run, at most.
        until: a regret at which a run may end.
        n_runs: number of runs.
        make: called with `(name, space, optimize_direction=, seed=, **options)`; importable.
        **options: of the strategy.
    """
    size = max(1, n_runs // (5 * (os.cpu_count() or 1)))
    jobs = [
        (make, name, options, benchmark, n_queries, until, first, min(size, n_runs - first))
        for first in range(0, n_runs, size)
    ]
    return [run for part in _pool().imap(_part, jobs) for run in part]


def regrets_at(runs, n):
    """Return the regret of each run after so many queries."""
    return np.array([run.regrets[min(n, len(run.regrets)) - 1] for run in runs])


def interval(values, statistic=np.mean):
    """Return a 95 % interval of a statistic, by bootstrap."""
    rng = np.random.default_rng(0)
    values = np.asarray(values, dtype=float)
    drawn = [statistic(rng.choice(values, len(values))) for _ in range(2000)]
    return {"low": float(np.quantile(drawn, 0.025)), "high": float(np.quantile(drawn, 0.975))}


def share_of_front(benchmark, names):
    """Return a function of rows: the share of the true front's hypervolume that they dominate.

    The reference point is the worst of each objective in the table.
    """
    table = load_benchmark(benchmark)
    columns = [
        table.objectives[name] * (-1.0 if table.directions[name] == "max" else 1.0)
        for name in names
    ]
    points = np.stack(columns, axis=1)
    reference = points.max(axis=0)
    whole = hypervolume(points, reference)
    return lambda rows: hypervolume(points[rows[rows >= 0]], reference) / whole


def _part(job):
    make, name, options, benchmark, n_queries, until, first_seed, n_runs = job
    return race(
        functools.partial(_made, make, name, options),
        load_benchmark(benchmark),
        n_queries=n_queries,
        n_runs=n_runs,
        first_seed=first_seed,
        until=until,
    )


def _made(make, name, options, space, direction, seed):
    return make(name, space, optimize_direction=direction, seed=seed, **options)


@functools.cache
def _pool():
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # runs are spread over the cores
    return multiprocessing.get_context("spawn").Pool(os.cpu_count())
