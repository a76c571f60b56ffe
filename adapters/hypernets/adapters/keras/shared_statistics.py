"""What layers have learned from the training data, known to every process of a search.

Reading all data for a mean or a vocabulary may take longer than to train a small model on them. So
the process that needs such statistics first makes them, the others wait for it and read them from a
file. If it dies, the next one makes them.
"""

import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: two processes may make the same at the same time, and both are right
    fcntl = None  # type: ignore[assignment]

__all__ = ["SharedStatistics"]

_DIGEST_BYTES = 16


class SharedStatistics:
    """Statistics of the layers of one search, on one set of training data.

    Args:
        folder: where they are, made when there are any. Whoever gives it takes it away.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def known(self, what: str, make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Return the statistics of a layer; make them if no process has done so before.

        Args:
            what: a text that tells the layer, and what it is fed, from any other.
            make: makes them: numbers and texts by name, or lists of these.
        """
        name = hashlib.blake2b(what.encode(), digest_size=_DIGEST_BYTES).hexdigest()
        path = self._folder / f"{name}.json"
        self._folder.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(self._folder / f"{name}.lock"):
            if path.exists():
                return _read(path)
            made = dict(make())
            _write(path, made)
            return made


def _read(path: pathlib.Path) -> dict[str, Any]:
    statistics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return statistics


def _write(path: pathlib.Path, statistics: Mapping[str, Any]) -> None:
    whole = path.with_suffix(f".{os.getpid()}")
    whole.write_text(json.dumps(statistics), encoding="utf-8")
    os.replace(whole, path)  # whoever dies before has written nothing


@contextmanager
def _one_at_a_time(path: pathlib.Path) -> Iterator[None]:
    """Wait until no other process is within; the system lets go of the lock of a dead one."""
    with path.open("ab") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
