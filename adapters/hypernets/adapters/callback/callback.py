"""A callback that does nothing, to derive one's own from."""

from collections.abc import Callable
from typing import Any, TypeVar

from hypernets.application.port import Callback as CallbackPort
from hypernets.domain.history import History, Report, Trial

__all__ = ["Callback", "in_search_only"]

Method = TypeVar("Method", bound=Callable[..., Any])


def in_search_only(method: Method) -> Method:
    """Mark an `on_model_built` that is of no use in the process of a trial.

    So the callback need not travel there. Not called, then, where trials have processes of their
    own.
    """
    method.in_search_only = True  # type: ignore[attr-defined]
    return method


class Callback(CallbackPort):
    """Watches a search and does nothing; override what is of interest.

    Deriving from it is a convenience: any object with some of the methods is a callback. Callbacks
    run in the process of the search, whatever process the trials run in; but for `on_model_built`,
    which is called where the model is, on a copy of the callback if that is another process.
    """

    def on_search_begin(self, search: Any) -> None:
        """A search begins, or goes on with the history that it has."""

    def on_trial_begin(self, number: int, architecture: Any) -> None:
        """A trial begins."""

    @in_search_only
    def on_model_built(self, number: int, model: Any) -> None:
        """The model of a trial has been built, and training is about to begin (Keras only)."""

    def on_trial_report(self, number: int, report: Report) -> None:
        """A running trial has handed in intermediate values, after an epoch for Keras."""

    def on_trial_end(self, trial: Trial, improved: bool) -> None:
        """A trial has ended, whatever its state; `improved` says that it is the best now."""

    def on_search_end(self, history: History) -> None:
        """The search has ended, for whatever reason."""
