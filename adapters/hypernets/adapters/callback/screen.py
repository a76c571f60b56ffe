"""Where progress is shown: a terminal, a notebook, or a plain log."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

__all__ = ["LogScreen", "NotebookScreen", "Screen", "TerminalScreen", "View", "choose_screen"]

Rows = list[tuple[str, str]]

_REFRESHES_PER_S = 4
_BAR_WIDTH = 40


class View(Protocol):
    """What a screen draws."""

    def rows(self) -> Rows:
        """Return heading and text of each row of the present state."""

    def fraction(self) -> float | None:
        """Return how much of the search is done, in [0, 1], where that is known."""


class Screen(Protocol):
    """Somewhere to show progress; not used after `close`."""

    def refresh(self) -> None:
        """Show the present state, where it is shown at all."""

    def line(self, text: str) -> None:
        """Show a line that stays, where lines stay."""

    def close(self) -> None:
        """Leave the last state in view and everything else as it was before."""


class LogScreen:
    """Lines of plain text, one after the other, without control characters."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def refresh(self) -> None:
        """Show nothing: a log has no present."""

    def line(self, text: str) -> None:
        """Write a line."""
        self._console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def close(self) -> None:
        """Do nothing: the lines are there."""


class TerminalScreen:
    """A display at the foot of a terminal, drawn again in place while the rest scrolls above it."""

    def __init__(self, console: Console, view: View, *, refreshes_per_s: float) -> None:
        self._view = view
        self._live = Live(
            get_renderable=self._draw,
            console=console,
            auto_refresh=refreshes_per_s > 0,
            refresh_per_second=refreshes_per_s or 1,
        )
        self._live.start(refresh=True)

    def refresh(self) -> None:
        """Draw the present state."""
        self._live.refresh()

    def line(self, text: str) -> None:
        """Show nothing: the display says it."""

    def close(self) -> None:
        """Draw the last state, give the cursor back."""
        self._live.stop()

    def _draw(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        fraction = self._view.fraction()
        if fraction is not None:
            table.add_row("", ProgressBar(total=1.0, completed=fraction, width=_BAR_WIDTH))
        for heading, text in self._view.rows():
            table.add_row(Text(heading, style="bold"), Text(text))
        return table


class NotebookScreen:
    """One output of a notebook's cell, replaced in place; needs IPython only."""

    def __init__(self, view: View, display: Callable[..., Any] | None = None) -> None:
        self._view = view
        self._handle = (display or _ipython_display())(self._content(), raw=True, display_id=True)

    def refresh(self) -> None:
        """Replace the output by the present state."""
        self._handle.update(self._content(), raw=True)

    def line(self, text: str) -> None:
        """Show nothing: the display says it."""

    def close(self) -> None:
        """Show the last state."""
        self.refresh()

    def _content(self) -> dict[str, str]:
        rows = self._view.rows()
        width = max(len(heading) for heading, _ in rows)
        return {"text/plain": "\n".join(f"{heading:<{width}}  {text}" for heading, text in rows)}


def choose_screen(
    console: Console | None, view: View, *, refreshes_per_s: float = _REFRESHES_PER_S
) -> Screen:
    """Return the screen that fits a console, standard output's if none is given."""
    target = Console() if console is None else console
    if target.is_jupyter:
        return NotebookScreen(view)
    if console is None and not target.file.isatty():
        # variables such as FORCE_COLOR make rich take any file for a terminal
        return LogScreen(Console(force_terminal=False, no_color=True))
    if target.is_terminal and not target.is_dumb_terminal:
        return TerminalScreen(target, view, refreshes_per_s=refreshes_per_s)
    return LogScreen(target)


def _ipython_display() -> Callable[..., Any]:
    display: Callable[..., Any] = import_module("IPython.display").display
    return display
