"""The ladder of benchmarks, by name."""

import difflib
from collections.abc import Callable

from hypernets.adapters.benchmark import generated, hpolib, nas_bench_201, nas_bench_graph
from hypernets.adapters.benchmark.table import TabularBenchmark
from hypernets.domain.error import SearchError

__all__ = ["benchmark_names", "load_benchmark"]

_FAMILIES: dict[str, tuple[tuple[str, ...], Callable[[str], TabularBenchmark]]] = {
    "generated": (generated.LANDSCAPES, generated.load_generated),
    "hpolib": (tuple(hpolib.DATASETS), hpolib.load_hpolib),
    "nas-bench-graph": (nas_bench_graph.DATASETS, nas_bench_graph.load_nas_bench_graph),
    "nas-bench-201": (tuple(nas_bench_201.DATASETS), nas_bench_201.load_nas_bench_201),
}


def benchmark_names() -> tuple[str, ...]:
    """Return the names of the benchmarks, `"family/member"`; nothing is loaded."""
    return tuple(f"{family}/{one}" for family, (names, _) in _FAMILIES.items() for one in names)


def load_benchmark(name: str) -> TabularBenchmark:
    """Return a benchmark; the second time, the same one.

    Args:
        name: one of `benchmark_names()`; a generated one may end in `-3`, say, for another seed.

    Raises:
        SearchError: there is no benchmark of that name, or the extra `bench` is not installed.
    """
    family, _, member = name.partition("/")
    if name in benchmark_names():
        return _FAMILIES[family][1](member)
    landscape, _, seed = member.rpartition("-")
    if family == "generated" and landscape in generated.LANDSCAPES and seed.isdigit():
        return generated.load_generated(landscape, int(seed))
    near = difflib.get_close_matches(name, benchmark_names(), n=1, cutoff=0.0)
    raise SearchError(
        f"a benchmark must be one of {', '.join(benchmark_names())}; received {name!r}; did you "
        f"mean {near[0]!r}?"
    )
