"""An estimator that looks an architecture up, and a clock that its trials move."""

from typing import Any

import numpy as np

from hypernets.adapters.benchmark.table import TabularBenchmark
from hypernets.application.port.estimator import Measurement, TrialContext
from hypernets.domain.error import TrainingError

__all__ = ["SimulatedClock", "TableEstimator"]


class SimulatedClock:
    """A clock (see the port `Clock`) that stands still unless it is moved."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Return the time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by some seconds, at least 0."""
        self._now += max(0.0, seconds)


class TableEstimator:
    """Measures architectures by a table, as if they had been trained.

    Args:
        benchmark: the table.
        clock: moved by the time that the training took; give the same one to the search, and
            `max_time_s` counts simulated seconds.
        noisy: whether to measure what one seed gave (drawn by the seed of the trial), where the
            table has several, rather than the mean.
    """

    def __init__(
        self,
        benchmark: TabularBenchmark,
        clock: SimulatedClock | None = None,
        *,
        noisy: bool = False,
    ) -> None:
        self.benchmark = benchmark
        self.clock = clock or SimulatedClock()
        self._noisy = noisy and benchmark.replicates is not None

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return the row of an architecture.

        Raises:
            TrainingError: the architecture cannot be trained, says the table.
        """
        row = self.benchmark.row_of(architecture)
        if row is None:
            raise TrainingError(
                f"an architecture must be in the table of {self.benchmark.name}; received "
                f"{architecture!r}, which could not be trained"
            )
        objectives = {
            name: float(column[row]) for name, column in self.benchmark.objectives.items()
        }
        if self._noisy:
            first = next(iter(objectives))
            objectives[first] = self._from_one_seed(row, context.seed)
        seconds = 0.0 if self.benchmark.seconds is None else float(self.benchmark.seconds[row])
        self.clock.advance(seconds)
        return Measurement(objectives, timings={"fit_s": seconds})

    def _from_one_seed(self, row: int, seed: int) -> float:
        assert self.benchmark.replicates is not None
        values = self.benchmark.replicates[row]
        values = values[np.isfinite(values)]
        return float(values[seed % len(values)])
