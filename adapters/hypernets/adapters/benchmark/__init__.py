"""Benchmarks of search strategies that take seconds: tables of networks trained beforehand."""

from hypernets.adapters.benchmark.catalogue import benchmark_names, load_benchmark
from hypernets.adapters.benchmark.estimator import SimulatedClock, TableEstimator
from hypernets.adapters.benchmark.race import Run, race
from hypernets.adapters.benchmark.table import TabularBenchmark

__all__ = [
    "Run",
    "SimulatedClock",
    "TableEstimator",
    "TabularBenchmark",
    "benchmark_names",
    "load_benchmark",
    "race",
]
