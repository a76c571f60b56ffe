"""What a trial costs when measuring costs nothing and every trial is on the disk before the next.

Random search over a space of dense networks, with the durable store in a folder and with a store in
memory, a thousand trials of the one and of the other in turn. The folder is a temporary one within
`--folder`; the working directory by default, for a temporary folder of the system may be in memory.
`--trials` makes the runs shorter for a first look.
"""

import argparse
import statistics
import tempfile
import time

from bench_throughput import Free
from figure import figure

from hypernets.adapters.store import Hdf5Store
from hypernets.application import MemoryStore, Search
from hypernets.domain.searchers import RandomSearcher
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space

_ROUND = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--folder", default=".", help="on the disk to be measured")
    options = parser.parse_args()
    space = dnn_search_space(10, 2, "softmax", units_choices=tuple(range(100, 2_100)))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, Hdf5Store(folder) as durable:
        stores = {"durable": durable, "memory": MemoryStore()}
        searches = {
            name: Search(RandomSearcher(space, seed=0), Free(), store=store)
            for name, store in stores.items()
        }
        trial_ms: dict[str, list[float]] = {name: [] for name in stores}
        for n_trials in range(_ROUND, options.trials + 1, _ROUND):
            for name, search in searches.items():
                begun_s = time.perf_counter()
                search.run(max_trials=n_trials)
                trial_ms[name].append(1e3 * (time.perf_counter() - begun_s) / _ROUND)
        assert list(durable.load()) == list(searches["durable"].history)
    durable_ms = trial_ms["durable"]
    tenth = max(1, len(durable_ms) // 10)
    figure(
        "whole loop with the durable store, a trial",
        statistics.median(durable_ms),
        "ms",
        1,
        in_memory_ms=round(statistics.median(trial_ms["memory"]), 4),
        slowest_thousand_ms=round(max(durable_ms), 4),
    )
    figure(
        f"last tenth of {options.trials} durable trials relative to the first",
        statistics.median(durable_ms[-tenth:]) / statistics.median(durable_ms[:tenth]),
        "ratio",
        1.2,
    )


if __name__ == "__main__":
    main()
