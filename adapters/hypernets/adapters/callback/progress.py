"""A live display of a search."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rich.console import Console

from hypernets.adapters.callback.callback import Callback, in_search_only
from hypernets.adapters.callback.progress_text import (
    begun_line,
    ended_line,
    progress_rows,
    trial_line,
)
from hypernets.adapters.callback.screen import Screen, choose_screen
from hypernets.application.in_process import SystemClock
from hypernets.application.port import Clock
from hypernets.application.progress import SearchProgress
from hypernets.domain.history import History, Report, Trial

__all__ = ["ProgressCallback"]


class ProgressCallback(Callback):
    """Shows which trials run, how they do, the best so far, the failed ones and the time left.

    In a terminal and in a notebook that is one display, drawn again in place; anywhere else it is
    one plain line a trial. A display that cannot be drawn (any more), because its output is closed
    for instance, is given up in silence: the search goes on.

    Training that prints its own progress disturbs the display: search with `verbose=0`.

    Args:
        console: where to show it; standard output if not given.
        max_trials: how many trials there will be; needed only where the search does not say.
        clock: what tells the time; the machine's if not given.
        refreshes_per_s: how often a terminal is drawn again between events; 0 is never.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        max_trials: int | None = None,
        clock: Clock | None = None,
        refreshes_per_s: float = 4.0,
    ) -> None:
        self._console = console
        self._max_trials = max_trials
        self._clock: Clock = SystemClock() if clock is None else clock
        self._refreshes_per_s = refreshes_per_s
        self._screen: Screen | None = None
        self._progress = SearchProgress()

    def on_search_begin(self, search: Any) -> None:
        """Open the display."""
        self._progress = SearchProgress.of_search(search, self._clock.now(), self._max_trials)
        self._draw(self._open)
        line = begun_line(self._progress)
        if line:
            self._line(f"search {line}")

    def on_trial_begin(self, number: int, architecture: Any) -> None:
        """Show that a trial has begun."""
        self._show(self._progress.with_begun(number, self._clock.now()))

    @in_search_only
    def on_model_built(self, number: int, model: Any) -> None:
        """Show that a trial is being trained."""
        self._show(self._progress.with_training(number))

    def on_trial_report(self, number: int, report: Report) -> None:
        """Show how a trial does."""
        self._show(self._progress.with_report(number, report))

    def on_trial_end(self, trial: Trial, improved: bool) -> None:
        """Show what came of a trial."""
        now_s = self._clock.now()
        self._show(self._progress.with_ended(trial, improved, now_s))
        self._line(trial_line(trial, self._progress, now_s))

    def on_search_end(self, history: History) -> None:
        """Leave the last state in view."""
        now_s = self._clock.now()
        self._progress = self._progress.with_search_ended(now_s)
        self._line(ended_line(self._progress, now_s))
        self._draw(self._close)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy in the process of a trial is, which shows nothing."""
        return {**vars(self), "_console": None, "_screen": None, "_progress": SearchProgress()}

    def rows(self) -> list[tuple[str, str]]:
        """Return heading and text of each row of the present state."""
        return progress_rows(self._progress, self._clock.now())

    def fraction(self) -> float | None:
        """Return how much of the search is done, in [0, 1], where that is known."""
        progress = self._progress
        return min(1.0, progress.n_ended / progress.max_trials) if progress.max_trials else None

    def _show(self, progress: SearchProgress) -> None:
        self._progress = progress
        screen = self._screen
        if screen is not None:
            self._draw(screen.refresh)

    def _line(self, text: str) -> None:
        screen = self._screen
        if screen is not None:
            self._draw(lambda: screen.line(text))

    def _open(self) -> None:
        self._close()
        self._screen = choose_screen(self._console, self, refreshes_per_s=self._refreshes_per_s)

    def _close(self) -> None:
        screen, self._screen = self._screen, None
        if screen is not None:
            screen.close()

    def _draw(self, action: Callable[[], None]) -> None:
        # rich answers a broken pipe with SystemExit, which would end the search
        try:
            action()
        except (Exception, SystemExit):
            self._give_up()

    def _give_up(self) -> None:
        screen, self._screen = self._screen, None
        if screen is not None:
            with suppress(Exception, SystemExit):
                screen.close()
