"""Child processes that append trials and have accidents, and what they say until they do."""

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import cloudpickle  # type: ignore[import-untyped]

__all__ = ["Nursery"]


class Nursery:
    """Makes processes that append trials; each is forked from one that has done nothing else.

    Args:
        suite: class whose `open` opens the store.
    """

    def __init__(self, suite: type) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hypernets.testing.store_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        self._say(base64.b64encode(_by_value(suite)).decode("ascii"))

    def __enter__(self) -> Self:
        """Return the nursery."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def run(
        self,
        folder: Path,
        n: int,
        first: int = 1,
        fault: str = "none",
        at: int = 0,
        kill_when: str = "",
    ) -> list[str]:
        """Return what a process said that opened a store and appended trials.

        Args:
            folder: of the store.
            n: how many trials.
            first: number of the first of them.
            fault: a name of `store_child.FAULTS`.
            at: at which of its chances the fault happens, from 1.
            kill_when: it is killed from here as soon as it says that.

        Returns:
            `"begin 3"`, `"kept 3"`, `"refused 3"` for a `StoreError`, `"error …"` for another one,
            and at last `"end"`, if it came so far.
        """
        command = {"folder": str(folder), "n": n, "first": first, "fault": fault, "at": at}
        self._say(json.dumps(command))
        said: list[str] = []
        pid, is_due = 0, False
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word = line.strip()
            if word.startswith("pid "):
                pid = int(word[4:])
            elif word.startswith("dead "):
                return said
            else:
                said.append(word)
                is_due = is_due or word == kill_when
            if is_due and pid:
                os.kill(pid, signal.SIGKILL)
                is_due = False
        raise AssertionError(f"a suite must reach its children; the nursery died, after {said}")

    def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()


def _by_value(suite: type) -> bytes:
    """Return a class as bytes that need no module of tests to be read."""
    modules = [
        sys.modules[base.__module__]
        for base in suite.__mro__
        if base.__module__.partition(".")[0] not in {"hypernets", "builtins", "unittest"}
        and base.__module__ != "__main__"
    ]
    registered: list[Any] = []
    try:
        for module in modules:
            cloudpickle.register_pickle_by_value(module)
            registered.append(module)
        return bytes(cloudpickle.dumps(suite))
    finally:
        for module in dict.fromkeys(registered):
            cloudpickle.unregister_pickle_by_value(module)
