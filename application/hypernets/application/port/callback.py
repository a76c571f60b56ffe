"""The port of whoever watches a search."""

from typing import TYPE_CHECKING, Any, Protocol

from hypernets.domain.history import History, Report, Trial

if TYPE_CHECKING:
    from hypernets.application.loop.search import Search

__all__ = ["Callback"]


class Callback(Protocol):
    """Someone who watches a search. Every method is optional: any object with one of them is one.

    Laws of the search towards it:
        - Called in the process of the search, one call at a time, in the order in which the
          callbacks were given.
        - `on_trial_end` comes when the trial is durable and known; it cannot change it.
        - Each `on_trial_begin` is followed by the `on_trial_end` of that trial, unless the search
          is interrupted between the two. A proposal that is answered by an earlier trial is
          recorded, but not announced: nothing is trained.
        - It may raise `StopSearch`: the search ends in good order when the trials that have begun
          have ended. Raised by `on_trial_report`, it also tells that trial to stop there.
        - Any other exception is logged, once, and that callback is not called again; it never ends
          the search. `KeyboardInterrupt` does.
    """

    def on_search_begin(self, search: "Search") -> None:
        """A search begins, or goes on with the history that it has."""

    def on_trial_begin(self, number: int, architecture: Any) -> None:
        """A trial begins."""

    def on_model_built(self, number: int, model: Any) -> None:
        """The estimator has built the model of a trial, and is about to train it.

        Called by the estimator, of those that have models to show, in the process of the trial:
        where that is not the process of the search, on a copy, of which only what it prints or
        writes remains.
        """

    def on_trial_report(self, number: int, report: Report) -> None:
        """A running trial has handed in intermediate values."""

    def on_trial_end(self, trial: Trial, improved: bool) -> None:
        """A trial has ended, whatever its state; `improved` says that it is the best now."""

    def on_search_end(self, history: History) -> None:
        """The search has ended, for whatever reason."""
