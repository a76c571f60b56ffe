"""The port of a search strategy, and what it proposes."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from hypernets.domain.error import SearchError
from hypernets.domain.history.trial import Trial

__all__ = ["Proposal", "Searcher"]

_IF_KNOWN = ("answer", "propose_anew")


def _listed(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value not in _IF_KNOWN:
        raise SearchError(
            f"a proposal's {attribute.name} must be one of {', '.join(map(repr, _IF_KNOWN))}; "
            f"received {value!r}; leave it out to be told the earlier result"
        )


@attrs.frozen
class Proposal:
    """What a searcher wants evaluated.

    Attributes:
        architecture: the `Architecture` to evaluate.
        fidelity: budget, `{"epochs": 3}`; empty is the full one.
        parent: number of the trial it was derived from, if any.
        replicate: 0 for the first evaluation of an architecture, then 1, 2, …
        if_known: what is to happen where an earlier trial has the same key. `"answer"`: the
            searcher is told its result again, as a trial of its own. `"propose_anew"`: the
            proposal is dropped, neither recorded nor told, and the searcher is asked again.

    Raises:
        SearchError: `if_known` is neither.
    """

    architecture: Any
    fidelity: Mapping[str, float] = attrs.field(factory=dict)
    parent: int | None = None
    replicate: int = 0
    if_known: str = attrs.field(default="answer", validator=_listed)


@runtime_checkable
class Searcher(Protocol):
    """A search strategy.

    Laws:
        - Deterministic in its seed and the interleaving of asks and tells.
        - Every answer lies in the space.
        - Failed trials are told as well and must be accepted.
        - A finite space ends with `SearchExhausted`.
        - Not thread-safe: its owner serialises the calls.

    A searcher may have more, which the search then uses: `space`, `direction` and `seed`;
    `options`, a mapping of what else it was made with, by which a store knows it again;
    `seed_given` and `suggest_seed(seed)`, by which one that was made without a seed takes that of
    its search.
    """

    def ask(self) -> Any:
        """Return a `Proposal`, or a bare `Architecture`, which is one at full fidelity.

        Raises:
            SearchExhausted: there is nothing left to propose.
        """

    def tell(self, trial: Trial) -> None:
        """Learn the outcome of a trial."""
