"""The tree of errors. Each class answers one question: what does the search loop do?

    HypernetsError
    ├ SpaceError (ValueError)       the definition is wrong; nothing starts
    ├ TrialError                    this trial fails and is recorded; the search goes on
    │  ├ BuildError                 the architecture cannot be built
    │  ├ TrainingError              it was built, and training or evaluation failed
    │  ├ DivergedError              its loss or a metric became NaN or infinite
    │  ├ OutOfMemoryError           it needed more memory than it was given
    │  └ TrialTimeoutError          it exceeded its deadline
    ├ SearchError                   the search cannot start or go on; the history is kept
    └ StoreError                    the search stops; nothing acknowledged is lost
       ├ CorruptStoreError          what is damaged, where, and how to repair it
       ├ DuplicateTrialError        a trial with that number is already stored
       ├ OtherSearchError           the store holds the trials of another search
       └ StoreLockedError           another process writes to the store
    StopSearch, SearchExhausted     signals that end a search in good order; not errors

A message states the rule, where it was broken, what was received, and what to do.
"""

__all__ = [
    "BuildError",
    "CorruptStoreError",
    "DivergedError",
    "DuplicateTrialError",
    "HypernetsError",
    "OtherSearchError",
    "OutOfMemoryError",
    "SearchError",
    "SearchExhausted",
    "SpaceError",
    "StopSearch",
    "StoreError",
    "StoreLockedError",
    "TrainingError",
    "TrialError",
    "TrialTimeoutError",
]


class HypernetsError(Exception):
    """Any error that this library raises on purpose."""


class SpaceError(HypernetsError, ValueError):
    """The definition of a search space, or a value meant for one, is wrong."""


class TrialError(HypernetsError):
    """One trial fails; it is recorded and the search goes on."""


class BuildError(TrialError):
    """An architecture cannot be built: its layers, arguments or shapes do not fit."""


class TrainingError(TrialError):
    """Training or evaluation of a model that could be built has failed."""


class DivergedError(TrainingError):
    """A loss or a metric became NaN or infinite."""


class OutOfMemoryError(TrialError):
    """A trial needed more memory than it was given."""


class TrialTimeoutError(TrialError):
    """A trial exceeded its deadline."""


class SearchError(HypernetsError):
    """A search cannot start, or cannot go on; what it has found is kept."""


class StoreError(HypernetsError):
    """A history store cannot keep its promise; the search stops, nothing acknowledged is lost."""


class CorruptStoreError(StoreError):
    """A history store is damaged; the message says what, where, and how to repair it."""


class DuplicateTrialError(StoreError):
    """A trial with the same number is already stored."""


class OtherSearchError(StoreError):
    """A history store holds the trials of another search.

    Attributes:
        differences: in what the searches differ.
    """

    def __init__(self, message: str, differences: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.differences = differences


class StoreLockedError(StoreError):
    """Another process writes to a history store; the message names it."""


class StopSearch(Exception):  # noqa: N818 - a signal, as StopIteration is
    """Raised by a callback to end a search after the current trial, in good order."""


class SearchExhausted(Exception):  # noqa: N818 - a signal, as StopIteration is
    """Raised by a searcher that has nothing left to propose."""
