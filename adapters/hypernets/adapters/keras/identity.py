"""By what the training of a search, and its data, are known again."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from hypernets.adapters.keras.data import Examples, TrainingData, named_arrays
from hypernets.adapters.keras.recipe import Recipe, as_recipes

__all__ = ["data_digest", "described"]

_DIGEST_BYTES = 16
_NUMBER = re.compile(r"_\d+$")  # Keras numbers the objects of a process that have no name


def data_digest(data: TrainingData) -> str | None:
    """Return a digest of the arrays that a search trains and measures on.

    `None` for a dataset: to read it may take as long as to train on it.
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for examples in (data.train, data.validation):
        if examples.is_dataset:
            return None
        _add(digest, examples)
    return digest.hexdigest()


def _add(digest: Any, examples: Examples) -> None:
    for name, structure in (("x", examples.x), ("y", examples.y), ("w", examples.weights)):
        for key, value in sorted(named_arrays(structure, name).items()):
            array = np.asarray(value)
            digest.update(f"{key} {array.dtype.str} {array.shape};".encode())
            if array.dtype.hasobject:  # strings, say
                digest.update(repr(array.tolist()).encode())
            else:
                digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def described(value: Any) -> str:
    """Return an argument of the training as a text that is the same in another process.

    Live objects of Keras count by class and configuration, functions by name.
    """
    return _text(as_recipes(value))


def _text(value: Any) -> str:
    if isinstance(value, Recipe):
        config = dict(value.config)
        if isinstance(config.get("name"), str):
            config["name"] = _NUMBER.sub("", config["name"])
        return f"{value.kind.__name__}({_text(config)})"
    if isinstance(value, Mapping):
        items = sorted((str(key), _text(item)) for key, item in value.items())
        return ", ".join(f"{key}={item}" for key, item in items)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, (np.ndarray, np.generic)):
        return repr(value.tolist())
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return repr(value)
    name = getattr(value, "__qualname__", None)
    return str(name) if name is not None else type(value).__name__
