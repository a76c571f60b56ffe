"""How long the search space takes to import, in a fresh interpreter, and what that loads."""

import json
import statistics
import subprocess
import sys

from figure import figure

_PROGRAM = """
import json, sys, time
before = set(sys.modules)
start = time.perf_counter()
import hypernets.core.search_space
elapsed = time.perf_counter() - start
print(json.dumps([elapsed, sorted(set(sys.modules) - before)]))
"""


def main() -> None:
    times, loaded = [], set()
    for _ in range(15):
        out = subprocess.run(
            [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
        ).stdout
        elapsed, modules = json.loads(out)
        times.append(elapsed)
        loaded.update(module.split(".")[0] for module in modules)
    figure("import hypernets.core.search_space", statistics.median(times), "s", 0.2)
    frameworks = loaded & {"tensorflow", "keras", "h5py", "torch", "jax"}
    figure("frameworks that this loads", len(frameworks), "count", 0)


if __name__ == "__main__":
    main()
