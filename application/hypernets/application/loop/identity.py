"""What a search says of itself to its store, and what it takes over from it."""

from collections.abc import Mapping
from typing import Any

from hypernets.application.port import SearchIdentity
from hypernets.domain.history.direction import Directions, parse_directions
from hypernets.domain.searchers.randomness import parse_seed

__all__ = ["SearchSeed", "identity_of"]


class SearchSeed:
    """The seed of a search: the one given, else the searcher's, else the one in the store.

    A searcher that was made without a seed may have the method `suggest_seed(seed)`: it takes the
    seed of the search then, unless it has been asked already. Its attribute `seed_given` says
    whether it was made with one.

    Args:
        given: to the search.
        searcher: the strategy.
    """

    def __init__(self, given: int | None, searcher: Any) -> None:
        self._searcher = searcher
        own = getattr(searcher, "seed", None)
        self._is_open = given is None and not getattr(searcher, "seed_given", own is not None)
        self.value = parse_seed(own if given is None else given)
        if given is not None:
            self._suggest(self.value)

    def take_over(self, stored: SearchIdentity | None) -> None:
        """Become the seed of the search that the store holds, where none was given."""
        if self._is_open and stored is not None and stored.seed is not None:
            self.value = stored.seed
            own = (stored.searcher_options or {}).get("seed", stored.seed)
            self._suggest(own)

    def _suggest(self, seed: int) -> None:
        suggest = getattr(self._searcher, "suggest_seed", None)
        if suggest is not None:
            suggest(seed)


def identity_of(
    searcher: Any, estimator: Any, name: str, seed: int, directions: Directions, **options: Any
) -> SearchIdentity:
    """Return what makes a search the same one when it is gone on with.

    Args:
        searcher: the strategy; its attribute `options`, a mapping, is part of it.
        estimator: what measures; its attributes `identity` and `data_digest`, strings, are part
            of it: with what it measures, and on what.
        name: of the estimator.
        seed: of the search.
        directions: of the objectives.
        **options: of the search, where they decide what is proposed.
    """
    space = getattr(searcher, "space", None)
    own = {"seed": getattr(searcher, "seed", None), **(getattr(searcher, "options", None) or {})}
    said = {key: value for key, value in {**own, **options}.items() if value is not None}
    decisions = getattr(space, "decisions", None)
    return SearchIdentity(
        space=getattr(space, "fingerprint", None),
        decisions=None
        if decisions is None
        else tuple(f"{decision.name}: {decision.describe()}" for decision in decisions),
        searcher=type(searcher).__name__,
        searcher_options=said,
        seed=seed,
        directions=_plain(directions),
        estimator=getattr(estimator, "identity", None) or name,
        data=getattr(estimator, "data_digest", None),
    )


def _plain(directions: Directions) -> str | Mapping[str, str]:
    if isinstance(directions, Mapping):
        parsed = parse_directions(directions)
        return {objective: direction.value for objective, direction in parsed.items()}
    return str(getattr(directions, "value", directions))
