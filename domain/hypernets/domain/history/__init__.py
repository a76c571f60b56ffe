"""What a search has found out: trials, and the history that they make."""

from hypernets.domain.history.history import History
from hypernets.domain.history.key import TrialKey, trial_key
from hypernets.domain.history.replicate import ReplicateSummary
from hypernets.domain.history.summary import HistorySummary
from hypernets.domain.history.trial import Direction, Failure, Report, Trial, TrialState

__all__ = [
    "Direction",
    "Failure",
    "History",
    "HistorySummary",
    "ReplicateSummary",
    "Report",
    "Trial",
    "TrialKey",
    "TrialState",
    "trial_key",
]
