"""Where a search of Keras models keeps what it finds, and where its trials run."""

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs

from hypernets.adapters.checkpoint import CheckpointFolder
from hypernets.adapters.keras.model_keeper import ModelKeeper
from hypernets.adapters.keras.shared_statistics import SharedStatistics
from hypernets.adapters.process import ProcessExecutor
from hypernets.adapters.store import Hdf5Store
from hypernets.application.in_process import InlineExecutor
from hypernets.application.port import Executor, HistoryStore
from hypernets.domain.error import SearchError
from hypernets.domain.history import Direction

__all__ = ["Isolation", "Workplace", "tell_user"]


@attrs.frozen
class Isolation:
    """How the trials of a search are run.

    Attributes:
        kind: `"process"`, each in a process of its own; or `"inline"`, in this one.
        n_workers: how many at a time.
        deadline_s: how long one may take, in seconds.
        memory_limit_bytes: how much memory one may take.
    """

    kind: str = "process"
    n_workers: int = 1
    deadline_s: float | None = None
    memory_limit_bytes: int | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be had in this process."""
        if self.kind not in ("inline", "process"):
            raise SearchError(
                "isolation must be 'process' or 'inline'; received "
                f"{self.kind!r}; leave it out for 'process'"
            )
        for name, default in (("n_workers", 1), ("deadline_s", None), ("memory_limit_bytes", None)):
            value = getattr(self, name)
            if self.kind == "inline" and value != default:
                raise SearchError(
                    f"{name} must be left out where trials run in the process of the search; "
                    f'received {value!r} with isolation="inline"; leave that out'
                )

    @property
    def is_apart(self) -> bool:
        """Whether trials have processes of their own."""
        return self.kind == "process"

    def executor(self, logs: Path | None) -> Executor:
        """Return what runs the trials; it keeps their logs in a folder, where one is given."""
        if not self.is_apart:
            return InlineExecutor()
        return ProcessExecutor(
            self.n_workers, self.deadline_s, self.memory_limit_bytes, logs, echo=True
        )


class Workplace:
    """What one search works with; to be entered for a run, and left after it.

    Args:
        store: `None`, a folder, or a `HistoryStore`. A folder keeps the history, the best models,
            the state of what is being trained, what layers have learned from the data, and the logs
            of trials in processes of their own.
        isolation: how trials are run.
        keep_models: of how many of the best trials to keep the weights.
        direction: of the reward.
        objectives: name → direction, where several are traded off.

    Attributes:
        store: where the trials are kept; `None` for memory.
        keeper: what keeps the weights.
        checkpoints: where trials keep how far they have come; `None` without a folder.
        executor: what runs the trials.

    Raises:
        SearchError: `store` is neither.
        StoreError: the folder cannot be used.
    """

    def __init__(
        self,
        store: Any,
        isolation: Isolation,
        keep_models: int,
        direction: Direction,
        objectives: Mapping[str, Direction] | None = None,
    ) -> None:
        self._resources = ExitStack()
        folder = Path(store) if isinstance(store, (str, os.PathLike)) else None
        self.store = self._opened(store, folder)
        self.keeper = ModelKeeper(
            keep_models,
            direction,
            None if folder is None else folder / "models",
            objectives=objectives,
        )
        self._statistics = (folder or self.keeper.folder) / "statistics"
        self.checkpoints = None if folder is None else CheckpointFolder(folder / "checkpoints")
        self.executor = isolation.executor(None if folder is None else folder / "logs")
        close = getattr(self.executor, "close", None)
        if close is not None:
            self._resources.callback(close)

    def _opened(self, store: Any, folder: Path | None) -> HistoryStore | None:
        if folder is not None:
            return self._resources.enter_context(Hdf5Store(folder))
        if store is None or isinstance(store, HistoryStore):
            return store
        raise SearchError(
            "store must be a folder, or a HistoryStore (identity, bind, append, load); received "
            f"{store!r}; write store='runs/first', say"
        )

    @property
    def is_durable(self) -> bool:
        """Whether a search may be gone on with in another process."""
        return self.checkpoints is not None

    def past(self, fork: Any) -> Any:
        """Return what a search is to begin with: a folder as the store in it, opened to be read.

        Raises:
            StoreError: the folder cannot be read.
        """
        if isinstance(fork, (str, os.PathLike)):
            return self._resources.enter_context(Hdf5Store(Path(fork), "r"))
        return fork

    def statistics(self, data: str | None) -> SharedStatistics:
        """Return what layers have learned from some data.

        Args:
            data: digest of the data, if it is known. A folder may be given to a search on others by
                mistake, and what is learned there before it is refused must not be taken for its
                own.
        """
        return SharedStatistics(self._statistics / (data or "any"))

    def close(self) -> None:
        """Let go of processes, files and the lock of the store; what was kept stays."""
        self._resources.close()


def tell_user(line: str) -> None:
    """Say something to whoever has pressed Ctrl-C."""
    print(line, file=sys.stderr, flush=True)
