"""A folder of the checkpoints of a search: one file for each trial that has not ended."""

import contextlib
import os
import pathlib
import re
from collections.abc import Callable

from hypernets.adapters.checkpoint.checkpoint_file import CheckpointFile
from hypernets.application.port import Checkpoint

__all__ = ["CheckpointFolder"]

_NAME = re.compile(r"trial-(\d+)\.checkpoint(\.tmp)?")


class CheckpointFolder:
    """The checkpoints of the trials of one search (see `Checkpoints`).

    Args:
        folder: made when a first state is saved.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = pathlib.Path(folder).absolute()  # a trial may run in another directory

    def of(self, number: int) -> Checkpoint:
        """Return the place for a trial."""
        return CheckpointFile(self.folder / f"trial-{number}.checkpoint")

    def retain(self, wanted: Callable[[int], bool]) -> None:
        """Remove the files of all trials but those wanted, and what a killed run left unfinished.

        Other files in the folder stay.
        """
        if not self.folder.is_dir():
            return
        for path in list(self.folder.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match and (match[2] or not wanted(int(match[1]))):
                with contextlib.suppress(OSError):  # read-only, say; it takes room, no more
                    path.unlink(missing_ok=True)
