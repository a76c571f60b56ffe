"""What earlier searches have found out: results that need not be measured again."""

from collections.abc import Iterable, Sequence
from typing import Any

from hypernets.domain.error import SearchError
from hypernets.domain.history import Trial, TrialKey, TrialState

__all__ = ["Known"]


class Known:
    """The results of earlier searches, by what their trials are known by.

    Args:
        trials: a history, or any trials; of each key the first counts, a lost one never does.

    Raises:
        SearchError: they are no trials.
    """

    def __init__(self, trials: Any = ()) -> None:
        self._by_key: dict[TrialKey, Trial] = {}
        for trial in trials if isinstance(trials, Iterable) else (trials,):
            if not isinstance(trial, Trial):
                raise SearchError(
                    "known must be a history, or a list of trials; received "
                    f"{trial!r}; give the history of an earlier search of the same estimate"
                )
            if trial.state is not TrialState.LOST:
                self._by_key.setdefault(trial.key, trial)

    def lookup(self, key: TrialKey, objectives: Sequence[str] = ()) -> Trial | None:
        """Return the trial that answers for a key, if any.

        Args:
            key: of a proposal.
            objectives: names that it must have measured, if it measured anything.
        """
        trial = self._by_key.get(key)
        if trial is None or (
            trial.objectives and any(name not in trial.objectives for name in objectives)
        ):
            return None
        return trial
