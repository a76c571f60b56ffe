"""What there is to say about a store, once every byte of it has been looked at."""

from pathlib import Path

import attrs

__all__ = ["StoreReport"]


@attrs.frozen
class StoreReport:
    """What there is to say about the files of a store.

    Attributes:
        path: of the store: its folder, or its database.
        n_trials: number of trials that are intact.
        problems: what is damaged or missing, one line each.
        notes: what is of no account, such as a file that was being made when its maker died.
        set_aside: where a repair has put the damaged files, if it had to.
    """

    path: Path
    n_trials: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    set_aside: Path | None = None

    @property
    def is_intact(self) -> bool:
        """Whether nothing is damaged or missing."""
        return not self.problems

    def __str__(self) -> str:
        """Return the report, one line a fact."""
        found = "intact" if self.is_intact else f"{len(self.problems)} problems"
        lines = [f"{self.path}: {self.n_trials} trials, {found}"]
        lines += [f"  problem: {problem}" for problem in self.problems]
        lines += [f"  note: {note}" for note in self.notes]
        if self.set_aside is not None:
            lines.append(f"  the damaged files are kept in {self.set_aside}")
        return "\n".join(lines)
