"""Keeps the weights of the best trials, and of those on the front, on disk, and of no others."""

import bisect
import math
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from hypernets.adapters.keras.kept_model import (
    KeptModel,
    kept_models,
    remove_model,
    write_model,
)
from hypernets.adapters.keras.temporary_folder import TemporaryFolder
from hypernets.application.log import EventLog
from hypernets.domain.error import SearchError, StoreError
from hypernets.domain.history import Direction, History, Trial

__all__ = ["ModelKeeper"]

log = EventLog(__name__)

_NEEDED = ("_count", "_sign", "_kept", "_objectives", "_costs")


class ModelKeeper:
    """The weights of the best trials, and of those that no other one dominates, in a folder.

    Called with a trial, its weights (arrays, or the `ArtifactFile` that holds them) and whether it
    is the best, as the search does. In a folder that is given, weights are there before their trial
    is in the history (`stage`), and what they supersede goes when it is: whenever the process is
    killed, the best trials of the history have theirs.

    Args:
        count: how many to keep.
        direction: of the reward.
        folder: where, made if need be; what it holds is gone on with. When absent, a temporary one
            that goes with this object.
        max_bytes: what they may take together: of the best, in their order, those are kept that
            fit beside the better ones. The best is kept whatever its size. Weights that have just
            come count as soon as their trial is in the history.
        objectives: name → direction, where several are traded off: the weights of each trial that
            no other one dominates in these are kept as well.

    Raises:
        SearchError: `count` or `max_bytes` make no sense.
        StoreError: the folder cannot be read or made.
    """

    def __init__(
        self,
        count: int = 1,
        direction: Direction = Direction.MAX,
        folder: str | os.PathLike[str] | None = None,
        max_bytes: int | None = None,
        objectives: Mapping[str, Direction] | None = None,
    ) -> None:
        if count < 1:
            raise SearchError(f"count must be >= 1, for the best is kept; received {count!r}")
        if max_bytes is not None and max_bytes < 1:
            raise SearchError(f"max_bytes must be >= 1, or None for no limit; received {max_bytes}")
        self._count = count
        self._sign = -1.0 if direction is Direction.MAX else 1.0
        self._max_bytes = max_bytes
        self._objectives = dict(objectives or {})
        self._costs: dict[int, tuple[float, ...]] = {}  # of those kept, in several objectives
        self._kept: list[tuple[float, int]] = []  # (cost, number), the best first
        self._models: dict[int, KeptModel] = {}  # those kept, and those that are staged
        self._durable = folder is not None
        if folder is None:
            self._temporary = TemporaryFolder("hypernets-models-")
            self._folder = self._temporary.path
        else:
            self._folder = pathlib.Path(folder).absolute()
            self._open()

    def __getstate__(self) -> dict[str, Any]:
        """Return what `would_keep` needs in another process: the folder stays here."""
        return {name: vars(self)[name] for name in _NEEDED}

    @property
    def folder(self) -> pathlib.Path:
        """Where the weights are."""
        return self._folder

    # --- as the search goes on ----------------------------------------------------

    def stage(self, trial: Trial, weights: Any) -> None:
        """Put the weights of a trial that is about to be durable where they survive a kill.

        Raises:
            StoreError: they cannot be written.
        """
        reward = trial.reward
        if not trial.succeeded or reward is None or weights is None or not math.isfinite(reward):
            return
        if not self.would_keep(trial.objectives):
            return
        try:
            model = write_model(self._folder, trial.number, reward, weights, durable=self._durable)
        except OSError as error:
            raise StoreError(
                f"the weights of trial {trial.number} must be written to {self._folder}; received "
                f"an error of the system ({error}); make room there and go on with the search"
            ) from error
        self._models[trial.number] = model

    def __call__(self, trial: Trial, weights: Any, improved: bool) -> None:
        """Keep the weights of a trial if it is among the best, and let go of what they supersede.

        Raises:
            StoreError: they cannot be written.
        """
        if trial.number not in self._models:
            self.stage(trial, weights)
        if trial.number in self._models and trial.number not in self.numbers:
            cost = self._sign * self._models[trial.number].reward
            self._kept.insert(self._place(cost), (cost, trial.number))
            self._costs[trial.number] = self._costs_of(trial.objectives)
            self._drop_surplus()

    def settle(self, history: History) -> None:
        """Let go of what the history does not know: a run was killed before it was durable."""
        known = {trial.number: trial.reward for trial in history}
        kept = (trial for trial in history if trial.number in self._models)
        self._costs = {trial.number: self._costs_of(trial.objectives) for trial in kept}
        for number, model in tuple(self._models.items()):
            if number not in known or known[number] != model.reward:
                self._drop(number)
        order = {number: place for place, number in enumerate(known)}
        self._kept.sort(key=lambda kept: (kept[0], order[kept[1]]))
        self._drop_surplus()

    def would_keep(self, objectives: Mapping[str, float]) -> bool:
        """Say whether the weights of a next trial with these objectives would be kept.

        Args:
            objectives: name → value, the reward first.
        """
        reward = next(iter(objectives.values()))
        if self._place(self._sign * reward) < self._count:
            return True
        return self._is_on_front(self._costs_of(objectives))

    # --- what is there ------------------------------------------------------------

    @property
    def numbers(self) -> list[int]:
        """Numbers of the trials whose weights are kept, the best first."""
        return [number for _, number in self._kept]

    @property
    def models(self) -> list[KeptModel]:
        """What is kept, the best first."""
        return [self._models[number] for number in self.numbers]

    def weights(self, number: int) -> list[Any]:
        """Return the weights of a trial.

        Raises:
            KeyError: they are not kept.
            CorruptStoreError: they are not those that were written.
        """
        if number not in self.numbers:
            raise KeyError(number)
        return self._models[number].weights(self._folder)

    # --- within -------------------------------------------------------------------

    def _open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._models = {model.number: model for model in kept_models(self._folder)}
        except OSError as error:
            raise StoreError(
                f"the folder of the kept models must be one to read and write; received "
                f"{self._folder} ({error}); give another one, or the right to"
            ) from error
        self._kept = sorted(
            (self._sign * model.reward, model.number) for model in self._models.values()
        )

    def _place(self, cost: float) -> int:
        # equal rewards: the older trial stands before the younger one, as in the history
        return bisect.bisect_right(self._kept, cost, key=lambda kept: kept[0])

    def _costs_of(self, objectives: Mapping[str, float]) -> tuple[float, ...]:
        """Return what is to be made small, or nothing where an objective is missing."""
        if any(not math.isfinite(objectives.get(name, math.nan)) for name in self._objectives):
            return ()
        return tuple(
            -objectives[name] if direction is Direction.MAX else objectives[name]
            for name, direction in self._objectives.items()
        )

    def _is_on_front(self, costs: tuple[float, ...]) -> bool:
        """Say whether none of what is kept is as good in each objective, and better in one."""
        return bool(costs) and not any(
            other != costs and all(a <= b for a, b in zip(other, costs, strict=True))
            for other in self._costs.values()
            if other
        )

    def _drop_surplus(self) -> None:
        """Let go of those that are too many, or too large beside the better ones."""
        left = math.inf if self._max_bytes is None else self._max_bytes
        for place, model in enumerate(self.models):
            wanted = place < self._count or self._is_on_front(self._costs.get(model.number, ()))
            fits = wanted and model.n_bytes <= left
            if place == 0 and not fits:
                log.warning("best model exceeds the budget", n_bytes=model.n_bytes, budget=left)
            if fits or place == 0:
                left -= model.n_bytes
            else:
                self._drop(model.number)

    def _drop(self, number: int) -> None:
        self._kept = [kept for kept in self._kept if kept[1] != number]
        self._models.pop(number)
        self._costs.pop(number, None)
        remove_model(self._folder, number)
