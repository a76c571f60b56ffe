"""What happens to a search of the service, as values."""

from collections.abc import Mapping
from typing import Any

import attrs

from hypernets.application.loop.budget import EndReason
from hypernets.application.service.state import SessionState
from hypernets.domain.history import Trial

__all__ = [
    "Event",
    "EventsMissed",
    "SearchBegan",
    "SearchEnded",
    "StateChanged",
    "TrialBegan",
    "TrialEnded",
    "TrialReported",
]


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        search: name of the search.
        sequence: number of the event in its search, from 1, without a gap.
        time_s: when it happened, by the clock of the service, in seconds.
    """

    search: str
    sequence: int
    time_s: float


@attrs.frozen(kw_only=True)
class StateChanged(Event):
    """The search is in another state now.

    Attributes:
        state: which.
        error: why it failed, where it has.
    """

    state: SessionState
    error: str | None = None


@attrs.frozen(kw_only=True)
class SearchBegan(Event):
    """A run of the search has begun.

    Attributes:
        n_trials: number of trials that its history holds already.
    """

    n_trials: int


@attrs.frozen(kw_only=True)
class TrialBegan(Event):
    """A trial has begun.

    Attributes:
        number: of the trial.
        decisions: name of an active hyperparameter → its value.
    """

    number: int
    decisions: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class TrialReported(Event):
    """A running trial has handed in intermediate values.

    Attributes:
        number: of the trial.
        step: what the estimator counts, from 1.
        values: metric name → value.
    """

    number: int
    step: int
    values: Mapping[str, float]


@attrs.frozen(kw_only=True)
class TrialEnded(Event):
    """A trial is durable and known.

    Attributes:
        trial: the record.
        improved: whether it is the best now.
    """

    trial: Trial
    improved: bool


@attrs.frozen(kw_only=True)
class SearchEnded(Event):
    """A run of the search has ended.

    Attributes:
        reason: why; `None` where an error or the end of asking and telling has ended it.
        n_trials: number of trials that its history holds.
    """

    reason: EndReason | None
    n_trials: int


@attrs.frozen(kw_only=True)
class EventsMissed(Event):
    """A subscriber was too slow, and the oldest events were dropped; stands in their place.

    Its `sequence` is that of the last one that was dropped.

    Attributes:
        count: how many.
    """

    count: int
