"""Running a strategy on a table many times, and what came of it."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hypernets.adapters.benchmark.table import TabularBenchmark
from hypernets.domain.error import SearchExhausted
from hypernets.domain.history.trial import Failure, Trial, TrialState
from hypernets.domain.searchers.searcher import Proposal

__all__ = ["Run", "race", "run_once"]


@attrs.frozen(eq=False)
class Run:
    """One run of a strategy.

    Attributes:
        rows: `(n_queries,)` the row that each query asked for; -1 for one that failed.
        regrets: `(n_queries,)` the smallest regret up to each query; the reward's unit.
    """

    rows: npt.NDArray[np.int64]
    regrets: npt.NDArray[np.float64]

    def queries_to(self, regret: float) -> float:
        """Return after how many queries the regret was at most `regret`; infinite if never."""
        there = np.flatnonzero(self.regrets <= regret + 1e-12)
        return float(there[0] + 1) if len(there) else float("inf")


def race(
    make: Callable[[Any, str, int], Any],
    benchmark: TabularBenchmark,
    *,
    n_queries: int,
    n_runs: int,
    first_seed: int = 0,
    until: float | None = None,
) -> list[Run]:
    """Return the runs of a strategy on a table, one for each seed.

    Args:
        make: called with the space, the direction (`"max"` or `"min"`) and a seed; returns a
            searcher, of this library or whatever else has `ask` and `tell`.
        benchmark: the table.
        n_queries: how many architectures are looked up in a run, at most.
        n_runs: number of runs, of the seeds from `first_seed`.
        first_seed: the first seed.
        until: a regret at which a run may end.
    """
    return [
        run_once(
            make(benchmark.space, benchmark.direction.value, seed), benchmark, n_queries, until
        )
        for seed in range(first_seed, first_seed + n_runs)
    ]


def run_once(
    searcher: Any, benchmark: TabularBenchmark, n_queries: int, until: float | None = None
) -> Run:
    """Return the run of one searcher (see `race`); each proposal is a query, known or not."""
    rows: list[int] = []
    best, regrets = float("inf"), []
    for number in range(1, n_queries + 1):
        try:
            proposal = searcher.ask()
        except SearchExhausted:
            break
        architecture = getattr(proposal, "architecture", proposal)
        row = benchmark.row_of(architecture)
        searcher.tell(_trial(number, proposal, row, benchmark))
        if row is not None:
            best = min(best, float(benchmark.regrets[row]))
        rows.append(-1 if row is None else row)
        regrets.append(best)
        if until is not None and best <= until + 1e-12:
            break
    return Run(np.array(rows, dtype=np.int64), np.array(regrets))


def _trial(number: int, proposal: Any, row: int | None, benchmark: TabularBenchmark) -> Trial:
    architecture = getattr(proposal, "architecture", proposal)
    failure = None if row is not None else Failure("TrainingError", "not in the table")
    return Trial(
        number,
        architecture.decisions,
        "",
        TrialState.FAILED if row is None else TrialState.COMPLETED,
        {}
        if row is None
        else {name: float(column[row]) for name, column in benchmark.objectives.items()},
        failure=failure,
        parent=proposal.parent if isinstance(proposal, Proposal) else None,
        asked_after=number - 1,
        architecture=architecture,
    )
