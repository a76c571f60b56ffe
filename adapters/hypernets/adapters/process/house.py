"""Where an executor's processes live: what is kept for them, and who starts them."""

import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import attrs

from hypernets.adapters.process.fork_server import ForkServer
from hypernets.adapters.process.launcher import Launcher
from hypernets.adapters.process.parcel import Packer
from hypernets.adapters.process.scratch import Scratch
from hypernets.adapters.process.worker_pool import WorkerPool
from hypernets.application.port import Job
from hypernets.domain.error import BuildError, SearchError

__all__ = ["House", "can_fork", "whereabouts"]

_DRIVERS = ("/dev/nvidiactl", "/dev/kfd")


@attrs.define(eq=False)
class House:
    """What an executor has to take back: a folder, and whoever starts processes.

    Attributes:
        scratch: the folder.
        modules: what a process has imported before its first trial.
        recycle_after: number of trials after which a worker is replaced.
        forks: whether trials are forked; else they are given to workers.
        launcher: who starts processes.
    """

    scratch: Scratch
    modules: Sequence[str]
    recycle_after: int
    forks: bool
    launcher: Launcher = attrs.field(init=False)
    _packer: Packer = attrs.field(init=False)
    _owner: int = attrs.field(factory=os.getpid, init=False)

    def __attrs_post_init__(self) -> None:
        self._packer = Packer(self.scratch)
        if self.forks:
            self.launcher = ForkServer(self.scratch, self.modules)
        else:
            self.hire()

    def hire(self) -> None:
        """Have attempts run by workers from now on."""
        self.forks = False
        self.launcher = WorkerPool(self.scratch, self.modules, self.recycle_after)

    def pack(self, job: Job, ticket: int) -> pathlib.Path:
        """Write what travels of a job.

        Raises:
            SearchError: the estimator cannot travel.
            TrialError, SpaceError: the architecture cannot, or makes no network.
        """
        architecture = job.architecture
        detached = getattr(architecture, "detached", None)
        if detached is not None:
            job = attrs.evolve(job, architecture=detached())
        try:
            return self._packer.pack(job, f"job-{ticket}")
        except SearchError:
            raise
        except Exception as error:
            raise self._blamed(job, error) from error

    def leave(self) -> None:
        """Take everything back; nothing in a process that was forked off this one."""
        if os.getpid() != self._owner:
            return
        try:
            self.launcher.close()
        finally:
            self.scratch.remove()

    def _blamed(self, job: Job, error: Exception) -> SearchError | BuildError:
        """Return the error of whatever cannot travel."""
        reason = f"{type(error).__name__}: {error}"
        try:
            self._packer.packed(job.architecture)
        except Exception:
            return BuildError(
                "what a layer is given must be fit to travel to another process; received "
                f"{job.architecture!r}, part of which is not ({reason}); use plain values and "
                "functions"
            )
        return SearchError(
            "an estimator must be fit to travel to another process; received "
            f"{type(job.estimator).__name__}, part of which is not ({reason}); open files, "
            'connections and live datasets within estimate, or run inline: isolation="inline"'
        )


def can_fork(method: str) -> bool:
    """Say whether trials are to be forked, with a method of `"fork"`, `"fresh"` or `"auto"`."""
    if method != "auto":
        return method == "fork"
    # a driver of a graphics card does not survive being forked
    has_driver = any(pathlib.Path(path).exists() for path in _DRIVERS)
    return sys.platform == "linux" and _has_pidfd() and not has_driver


def _has_pidfd() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def whereabouts() -> dict[str, Any]:
    """Return what a process that is started for this one should find as it is here."""
    try:
        folder = os.getcwd()
    except OSError:  # it has been removed
        folder = None
    return {
        "sys_path": list(sys.path),
        "argv": list(sys.argv),
        "cwd": folder,
        "environ": dict(os.environ),
        "is_terminal": bool(getattr(sys.stdout, "isatty", bool)()),
    }
