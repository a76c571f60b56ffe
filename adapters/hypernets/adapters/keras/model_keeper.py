"""Keeps the weights of the best trials on disk, and of no others."""

import bisect
import math
import pathlib
import shutil
import tempfile
import weakref
from typing import Any

import numpy as np

from hypernets.domain.history import Direction, Trial

__all__ = ["ModelKeeper"]


class ModelKeeper:
    """A folder of the weights of the best trials; it goes with the object.

    Called with a trial, its weights (arrays, or the `ArtifactFile` that holds them) and whether it
    is the best, as the search does.

    Args:
        count: how many to keep.
        direction: of the reward.
    """

    def __init__(self, count: int, direction: Direction) -> None:
        self._count = count
        self._sign = -1.0 if direction is Direction.MAX else 1.0
        self._kept: list[tuple[float, int]] = []  # (cost, number), the best first
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="hypernets-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def __getstate__(self) -> dict[str, Any]:
        """Return what `would_keep` needs in another process: the folder stays here."""
        return {name: vars(self)[name] for name in ("_count", "_sign", "_kept")}

    def __call__(self, trial: Trial, weights: Any, improved: bool) -> None:
        """Keep the weights of a trial if it is among the best."""
        reward = trial.reward
        if not trial.succeeded or reward is None or weights is None or not math.isfinite(reward):
            return
        if not self.would_keep(reward):
            return
        cost = self._sign * reward
        if hasattr(weights, "move_to"):
            weights.move_to(self._path(trial.number))
        else:
            np.savez(self._path(trial.number), *weights)
        self._kept.insert(self._place(cost), (cost, trial.number))
        for _, number in self._kept[self._count :]:
            self._path(number).unlink()
        del self._kept[self._count :]

    def would_keep(self, reward: float) -> bool:
        """Say whether the weights of a next trial with that reward would be kept."""
        return self._place(self._sign * reward) < self._count

    def _place(self, cost: float) -> int:
        # equal rewards: the older trial stands before the younger one, as in the history
        return bisect.bisect_right(self._kept, cost, key=lambda kept: kept[0])

    @property
    def numbers(self) -> list[int]:
        """Numbers of the trials whose weights are kept, the best first."""
        return [number for _, number in self._kept]

    def weights(self, number: int) -> list[Any]:
        """Return the weights of a trial.

        Raises:
            KeyError: they are not kept.
        """
        if number not in self.numbers:
            raise KeyError(number)
        with np.load(self._path(number), allow_pickle=False) as stored:
            return [stored[f"arr_{index}"] for index in range(len(stored.files))]

    def _path(self, number: int) -> pathlib.Path:
        return self._folder / f"trial-{number}.npz"
