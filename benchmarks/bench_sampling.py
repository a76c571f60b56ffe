"""Time and memory of sampling architectures of the ENAS space.

Deciding alone, and deciding plus resolving to a graph of layers, each the median of many samples;
and whether either grows with the number of samples.
"""

import gc
import statistics
import time
import tracemalloc

import numpy as np
from figure import figure

from hypernets.frameworks.keras.enas_micro import enas_micro_search_space


def main() -> None:
    for arch, decide_ms, resolve_ms in (("NR", 0.2, 0.9), ("NRNR", 0.4, 3.2)):
        space = enas_micro_search_space(arch=arch)
        rng = np.random.default_rng(0)
        decided, resolved = _times(space, rng, 2000)
        figure(f"decide an ENAS {arch} architecture", statistics.median(decided), "ms", decide_ms)
        figure(f"sample ENAS {arch} to a graph", statistics.median(resolved), "ms", resolve_ms)
    space = enas_micro_search_space(arch="NR")
    rng = np.random.default_rng(0)
    _, resolved = _times(space, rng, 10_000)
    first, last = statistics.median(resolved[:1000]), statistics.median(resolved[-1000:])
    figure("last 1,000 of 10,000 samples relative to the first", last / first, "ratio", 1.2)
    figure("memory kept after 10,000 samples", _growth(space, rng), "MB", 0.5)


def _times(space, rng, count):
    decided, resolved = [], []
    for _ in range(count):
        start = time.perf_counter()
        architecture = space.sample(rng)
        middle = time.perf_counter()
        graph = architecture.graph
        end = time.perf_counter()
        assert len(graph) > 20
        decided.append((middle - start) * 1e3)
        resolved.append((end - start) * 1e3)
    return decided, resolved


def _growth(space, rng) -> float:
    for _ in range(100):
        _ = space.sample(rng).graph
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10_000):
        _ = space.sample(rng).graph
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / 1e6


if __name__ == "__main__":
    main()
