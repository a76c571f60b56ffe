"""How long the cost of a network takes, from its graph: no weight is made.

Each figure is the median over architectures that were not seen before. Their graphs are resolved
beforehand; what is timed is `architecture.cost()` alone, with the inference of the shapes that
resolving did not need: weights, multiply-adds, depth, bytes.
"""

import statistics
import sys
import time

from figure import figure

from hypernets.adapters.keras.spaces.enas_micro import enas_micro_search_space


def main() -> int:
    met = True
    for arch, target_ms in (("NR", 2.0), ("NRNR", 5.0)):
        space = enas_micro_search_space(arch=arch)
        graphs = [space.sample(seed) for seed in range(200)]
        layers = statistics.median(len(architecture.graph) for architecture in graphs)
        times = [_ms(architecture) for architecture in graphs]
        met &= figure(
            f"cost of an ENAS {arch} architecture",
            statistics.median(times),
            "ms",
            target_ms,
            layers=layers,
            worst=round(max(times), 3),
        )
    return 0 if met else 1


def _ms(architecture) -> float:
    start = time.perf_counter()
    architecture.cost()
    return 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
