"""What the search needs from outside, one port a module."""

from hypernets.application.port.callback import Callback
from hypernets.application.port.checkpoint import Checkpoint, Checkpoints, SavedState
from hypernets.application.port.clock import Clock
from hypernets.application.port.estimator import Estimator, Measurement, TrialContext
from hypernets.application.port.executor import Executor, Job, Outcome, ReportHandler, Ticket
from hypernets.application.port.history_store import HistoryStore, location_of
from hypernets.application.port.identity import Difference, SearchIdentity
from hypernets.application.port.searcher import Proposal, Searcher
from hypernets.application.port.store_catalogue import StoreCatalogue

__all__ = [
    "Callback",
    "Checkpoint",
    "Checkpoints",
    "Clock",
    "Difference",
    "Estimator",
    "Executor",
    "HistoryStore",
    "Job",
    "Measurement",
    "Outcome",
    "Proposal",
    "ReportHandler",
    "SavedState",
    "SearchIdentity",
    "Searcher",
    "StoreCatalogue",
    "Ticket",
    "TrialContext",
    "location_of",
]
