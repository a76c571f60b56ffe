"""The plain log of a search."""

from collections.abc import Callable
from typing import Any

from hypernets.adapters.callback.callback import Callback
from hypernets.adapters.callback.decision_table import decision_table
from hypernets.adapters.callback.progress_text import begun_line
from hypernets.application.in_process import SystemClock
from hypernets.application.port import Clock
from hypernets.application.progress import SearchProgress
from hypernets.domain.history import Report, Trial

__all__ = ["SummaryCallback"]

_RULE = "-" * 64
_SHOWN_SIGNATURES = 100


class SummaryCallback(Callback):
    """Prints each trial: its decisions, its model, how it ended, and the signatures seen so far.

    Where trials have processes of their own, a copy in such a process prints the model.

    Args:
        print_fn: takes one text, of one or several lines, to print; standard output if not given.
            It travels with the copy: what it prints there appears here, what it stores there does
            not.
        clock: what tells the time; the machine's if not given.
    """

    def __init__(
        self,
        print_fn: Callable[[str], object] | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._print: Callable[[str], object] = print if print_fn is None else print_fn
        self._clock: Clock = SystemClock() if clock is None else clock
        self._begun_s = self._clock.now()
        self._signatures: dict[str, None] = {}
        self._training: set[int] = set()
        self._models_apart = False

    def on_search_begin(self, search: Any) -> None:
        """Take the time; say what an earlier run has left, and note what it has seen."""
        self._begun_s = self._clock.now()
        estimator = getattr(search, "estimator", None)
        self._models_apart = getattr(estimator, "models_apart", False)
        line = begun_line(SearchProgress.of_search(search, self._begun_s, None))
        if line:
            self._print(line)
        for trial in getattr(search, "history", ()):
            self._note(trial)

    def on_trial_begin(self, number: int, architecture: Any) -> None:
        """Print the number of the trial and its decisions."""
        table = decision_table(architecture.labels, architecture.decisions)
        self._print("\n".join(["", f"Trail No:{number}", "", *table]))

    def on_model_built(self, number: int, model: Any) -> None:
        """Print the summary of the model, with its connections where it branches."""
        model.summary(print_fn=self._print_summary)
        self._begin_training(number)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy in the process of a trial needs."""
        own = {**vars(self), "_signatures": {}, "_training": set()}
        return {**own, "_clock": SystemClock(), "_models_apart": False}

    def on_trial_report(self, number: int, report: Report) -> None:
        """Note that the training has begun."""
        self._begin_training(number)

    def on_trial_end(self, trial: Trial, improved: bool) -> None:
        """Print how the trial ended, and the signatures seen so far."""
        self._note(trial)
        if not trial.failed:
            self._begin_training(trial.number)
        self._training.discard(trial.number)
        lines = [
            f"trail end. {_outcome(trial, improved)}, elapsed:{trial.elapsed_s}",
            f"Total elapsed:{self._clock.now() - self._begun_s}",
            _RULE,
            f"space signatures: {self._seen()}",
            _RULE,
        ]
        self._print("\n".join(lines))

    def _begin_training(self, number: int) -> None:
        # where the model is elsewhere, what shows it says so too: this comes too late
        if number not in self._training and not self._models_apart:
            self._training.add(number)
            self._print("trail begin")

    def _print_summary(self, text: str, **_: Any) -> None:
        self._print(text.rstrip("\n"))

    def _note(self, trial: Trial) -> None:
        if trial.signature:
            self._signatures.setdefault(trial.signature)

    def _seen(self) -> str:
        # without a limit the log would grow with the square of the number of trials
        total = len(self._signatures)
        shown = ", ".join(repr(each) for each in list(self._signatures)[-_SHOWN_SIGNATURES:])
        omitted = f" (the last {_SHOWN_SIGNATURES} of {total})" if total > _SHOWN_SIGNATURES else ""
        return f"{{{shown}}}{omitted}"


def _outcome(trial: Trial, improved: bool) -> str:
    if trial.failed:
        failure = trial.failure
        reason = f"{failure.kind}: {failure.message}" if failure else "no reason was recorded"
        return f"{trial.state.value}: {' '.join(reason.split())}"
    return f"reward:{trial.reward}, improved:{improved}"
