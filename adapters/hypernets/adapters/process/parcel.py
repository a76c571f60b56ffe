"""What travels to a trial's process: objects by value, large arrays by memory map.

`cloudpickle` takes along what the other process could not import: functions and classes of
`__main__`, of notebooks, of modules that are on no path, and lambdas. An array of a megabyte or
more is written once, as `.npy`, however many trials read it; each maps it, copying what it changes.
"""

import importlib.machinery
import io
import marshal
import pathlib
import pickle
import sys
import threading
import types
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
import numpy as np

from hypernets.adapters.process.scratch import Scratch

__all__ = ["Packer", "unpack"]

_LARGE_BYTES = 2**20
_ALWAYS_THERE = sys.stdlib_module_names | {"hypernets", "numpy", "keras", "tensorflow"}
_PACKING = threading.Lock()  # cloudpickle's list of modules to take along is one for the process


class Packer:
    """Writes parcels into a folder.

    Args:
        scratch: where to.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        # the arrays themselves are held, so that no other one can come to have their identity
        self._written: dict[int, tuple[Any, str]] = {}

    def pack(self, content: Any, name: str) -> pathlib.Path:
        """Write a parcel and return its path.

        Raises:
            Exception: something in it cannot be pickled; pickle's own error.
        """
        return self._scratch.write(name, self.packed(content))

    def packed(self, content: Any) -> bytes:
        """Return a parcel as bytes; its large arrays are written.

        Raises:
            Exception: something in it cannot be pickled; pickle's own error.
        """
        buffer = io.BytesIO()
        with _PACKING:
            pickler = _Pickler(buffer, self)
            try:
                pickler.dump(content)
            finally:
                pickler.forget()
        return buffer.getvalue()

    def keep(self, array: Any) -> tuple[str, bool]:
        """Return the file of an array, written now if it is new, and whether it can be mapped."""
        mapped = not array.dtype.hasobject
        known = self._written.get(id(array))
        if known is None:
            name = f"array-{len(self._written) + 1}.npy"
            np.save(self._scratch.file(name), array, allow_pickle=not mapped)
            known = self._written[id(array)] = (array, name)
        return known[1], mapped


def unpack(path: pathlib.Path) -> Any:
    """Return what a parcel holds.

    Raises:
        Exception: a module that it names cannot be imported, or its like.
    """
    with path.open("rb") as file:
        return _Unpickler(file, path.parent).load()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # untyped
    def __init__(self, file: io.BytesIO, packer: Packer) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._packer = packer
        self._importable: dict[str, bool] = {}
        self._taken_along: list[types.ModuleType] = []

    def persistent_id(self, thing: Any) -> Any:
        if type(thing) is np.ndarray and thing.nbytes >= _LARGE_BYTES:
            return self._packer.keep(thing)
        return None

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, types.CodeType):
            # cloudpickle forgets the file, which tracebacks and TensorFlow read the source from
            return marshal.loads, (marshal.dumps(thing),)
        if isinstance(thing, (type, types.FunctionType)):
            self._take_along(getattr(thing, "__module__", None))
        return super().reducer_override(thing)

    def forget(self) -> None:
        """Leave cloudpickle as it was."""
        for module in self._taken_along:
            cloudpickle.unregister_pickle_by_value(module)

    def _take_along(self, name: Any) -> None:
        if not isinstance(name, str) or name in self._importable:
            return
        self._importable[name] = _is_importable(name)
        module = sys.modules.get(name)
        if self._importable[name] or module is None:
            return
        if name not in cloudpickle.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(module)
            self._taken_along.append(module)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BufferedReader, folder: pathlib.Path) -> None:
        super().__init__(file)
        self._folder = folder

    def persistent_load(self, identity: Any) -> Any:
        name, mapped = identity
        if not mapped:
            return np.load(self._folder / name, allow_pickle=True)
        # what a trial changes is its own; as a plain array, it is what it would be in one process
        return np.load(self._folder / name, mmap_mode="c").view(np.ndarray)


def _is_importable(name: str) -> bool:
    """Say whether a fresh interpreter with this one's `sys.path` finds a module of that name."""
    parts = name.split(".")
    if parts[0] in _ALWAYS_THERE:
        return True
    if parts[0] == "__main__":
        return False  # cloudpickle knows that itself
    path: Any = None
    for position in range(len(parts)):
        spec = _spec_of(".".join(parts[: position + 1]), path)
        if spec is None:
            return False
        path = spec.submodule_search_locations
        if path is None and position < len(parts) - 1:
            return False
    return True


def _spec_of(name: str, path: Any) -> importlib.machinery.ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec: importlib.machinery.ModuleSpec | None = find(name, path) if find else None
        if spec is not None:
            return spec
    return None
