"""Whether this process has Keras, and what Keras goes by where it has not been imported yet.

The process of a search does without Keras, and so without the seconds and the memory that its
backend takes: trials have processes of their own. Where Keras has not been imported, nothing here
can be an object of it; so whoever must tell one from other things asks here, and imports nothing.
"""

import json
import os
import pathlib
import sys
from typing import Any

__all__ = ["floatx", "is_py_dataset", "loaded_keras"]

_FLOATX = "float32"  # of Keras, unless it is told otherwise


def loaded_keras() -> Any:
    """Return Keras where this process has imported it, else `None`."""
    keras = sys.modules.get("keras")
    return keras if hasattr(keras, "__version__") else None  # the last thing that it sets


def is_py_dataset(value: Any) -> bool:
    """Say whether something is a `keras.utils.PyDataset`."""
    keras = loaded_keras()
    return keras is not None and isinstance(value, keras.utils.PyDataset)


def floatx() -> str:
    """Return the name of the type of numbers that Keras computes with, now or once it is there."""
    keras = loaded_keras()
    if keras is not None:
        return str(keras.config.floatx())
    try:
        told = json.loads((_home() / "keras.json").read_text(encoding="utf-8"))
        return str(told.get("floatx", _FLOATX))
    except (OSError, ValueError, AttributeError):
        return _FLOATX


def _home() -> pathlib.Path:
    """Return the folder in which Keras looks for its settings."""
    if "KERAS_HOME" in os.environ:
        return pathlib.Path(os.environ["KERAS_HOME"]).expanduser()
    home = pathlib.Path("~").expanduser()
    return (home if os.access(home, os.W_OK) else pathlib.Path("/tmp")) / ".keras"  # noqa: S108
