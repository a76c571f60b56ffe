"""Published name of the space of NAS-Bench-201."""

from hypernets.adapters.keras.spaces.nas_bench_201 import (
    nas_bench_201_cell_space,
    nas_bench_201_decisions,
    nas_bench_201_search_space,
)

__all__ = [
    "nas_bench_201_cell_space",
    "nas_bench_201_decisions",
    "nas_bench_201_search_space",
]
