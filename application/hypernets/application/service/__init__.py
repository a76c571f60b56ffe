"""The engine as a part of a larger system: many searches, by name, from any thread."""

from hypernets.application.service.definition import SearchDefinition
from hypernets.application.service.event import (
    Event,
    EventsMissed,
    SearchBegan,
    SearchEnded,
    StateChanged,
    TrialBegan,
    TrialEnded,
    TrialReported,
)
from hypernets.application.service.event_stream import EventStream
from hypernets.application.service.service import SearchService
from hypernets.application.service.session import SearchSession
from hypernets.application.service.snapshot import ProgressSnapshot
from hypernets.application.service.state import SessionState

__all__ = [
    "Event",
    "EventStream",
    "EventsMissed",
    "ProgressSnapshot",
    "SearchBegan",
    "SearchDefinition",
    "SearchEnded",
    "SearchService",
    "SearchSession",
    "SessionState",
    "StateChanged",
    "TrialBegan",
    "TrialEnded",
    "TrialReported",
]
