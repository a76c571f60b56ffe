"""The port of a search strategy, and what it proposes."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from hypernets.domain.history.trial import Trial

__all__ = ["Proposal", "Searcher"]


@attrs.frozen
class Proposal:
    """What a searcher wants evaluated.

    Attributes:
        architecture: the `Architecture` to evaluate.
        fidelity: budget, `{"epochs": 3}`; empty is the full one.
        parent: number of the trial it was derived from, if any.
        replicate: 0 for the first evaluation of an architecture, then 1, 2, …
    """

    architecture: Any
    fidelity: Mapping[str, float] = attrs.field(factory=dict)
    parent: int | None = None
    replicate: int = 0


@runtime_checkable
class Searcher(Protocol):
    """A search strategy.

    Laws:
        - Deterministic in its seed and the interleaving of asks and tells.
        - Every answer lies in the space.
        - Failed trials are told as well and must be accepted.
        - A finite space ends with `SearchExhausted`.
        - Not thread-safe: its owner serialises the calls.
    """

    def ask(self) -> Any:
        """Return a `Proposal`, or a bare `Architecture`, which is one at full fidelity.

        Raises:
            SearchExhausted: there is nothing left to propose.
        """

    def tell(self, trial: Trial) -> None:
        """Learn the outcome of a trial."""
