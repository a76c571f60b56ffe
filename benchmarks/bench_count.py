"""How long it takes to count a space exactly, from its frozen form.

Each repetition counts a space that was written and frozen anew, with a new counter: what is timed
is `SpaceCounter(frozen).count()`. The counts themselves are checked: a fast wrong one is no figure.
"""

import statistics
import sys
import time

from figure import figure

from hypernets.adapters.keras.spaces.dnn import dnn_search_space
from hypernets.adapters.keras.spaces.enas_micro import enas_micro_search_space
from hypernets.domain.architecture.counting import SpaceCounter

ENAS = 31_640_625_000_000_000_000


def main() -> int:
    met = [
        count("the ENAS space", lambda: enas_micro_search_space(arch="NR"), ENAS, 10.0),
        count("the DNN space", lambda: dnn_search_space(10, 1, "sigmoid"), 3_888, 10.0),
    ]
    return 0 if all(met) else 1


def count(name, make, expected, target_ms) -> bool:
    times = []
    for _ in range(30):
        frozen = make().freeze()
        start = time.perf_counter()
        found = SpaceCounter(frozen).count()
        times.append(1e3 * (time.perf_counter() - start))
        if found != expected:
            sys.exit(f"the count of {name} must be {expected}; received {found}")
    return figure(
        f"count of {name}", statistics.median(times), "ms", target_ms, worst=round(max(times), 3)
    )


if __name__ == "__main__":
    sys.exit(main())
