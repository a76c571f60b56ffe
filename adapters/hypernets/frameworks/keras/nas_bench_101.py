"""Published name of the space of NAS-Bench-101."""

from hypernets.adapters.keras.spaces.nas_bench_101 import (
    nas_bench_101_cell_space,
    nas_bench_101_decisions,
    nas_bench_101_search_space,
)

__all__ = [
    "nas_bench_101_cell_space",
    "nas_bench_101_decisions",
    "nas_bench_101_search_space",
]
