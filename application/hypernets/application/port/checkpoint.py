"""The port of what an unfinished trial leaves behind, so that it need not begin anew."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import attrs

__all__ = ["Checkpoint", "Checkpoints", "SavedState"]


@attrs.frozen(eq=False)
class SavedState:
    """How far a trial has come.

    Attributes:
        facts: JSON values.
        arrays: name → array.
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, Any]


class Checkpoint(Protocol):
    """Where one trial keeps its state while it runs.

    Laws:
        - At any instant it holds one whole state or none: saving replaces the state at once.
        - What is damaged is never handed out.
        - It is data: loading executes nothing that it holds.
        - It can be pickled, and is the same place in every process of the machine.
    """

    def save(self, state: SavedState) -> None:
        """Keep a state, durably, in place of an earlier one.

        Raises:
            StoreError: it cannot be kept; an earlier one is still there.
        """

    def load(self) -> SavedState | None:
        """Return the state that was saved; `None` where there is none, or it is damaged."""

    def discard(self) -> None:
        """Let go of the state; nothing where there is none."""


class Checkpoints(Protocol):
    """The checkpoints of the trials of one search."""

    def of(self, number: int) -> Checkpoint:
        """Return the place for a trial."""

    def retain(self, wanted: Callable[[int], bool]) -> None:
        """Let go of the states of all trials but those whose numbers are wanted."""
