"""What a search is known by: a store holds the trials of one search, and of no other."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import attrs

from hypernets.domain.error import CorruptStoreError, OtherSearchError
from hypernets.domain.history.json_value import from_json_value, to_json_value
from hypernets.domain.history.key import canonical

__all__ = ["Difference", "SearchIdentity"]


@attrs.frozen
class Difference:
    """One thing in which two searches differ.

    Attributes:
        field: of `SearchIdentity`.
        stored: what the store holds.
        given: what it was compared with.
    """

    field: str
    stored: Any
    given: Any

    def __str__(self) -> str:
        """Return the difference in one line."""
        return f"{self.field}: {_short(self.stored)} is stored, {_short(self.given)} was given"


@attrs.frozen
class SearchIdentity:
    """What makes a search the same search when it is gone on with.

    What is `None` is not known, and is compared with nothing.

    Attributes:
        space: fingerprint of the space.
        decisions: the decisions of the space, one readable line each.
        searcher: name of the strategy.
        searcher_options: what it was made with.
        seed: of the search.
        directions: `"max"` or `"min"`, or objective name → one of these, the reward first.
        estimator: name of what measures.
        data: digest of what it measures on.
        forked_from: what a fork has begun with (see `Inheritance`); `None` for no fork.
    """

    space: str | None = None
    decisions: tuple[str, ...] | None = None
    searcher: str | None = None
    searcher_options: Mapping[str, Any] | None = None
    seed: int | None = None
    directions: str | Mapping[str, str] | None = None
    estimator: str | None = None
    data: str | None = None
    forked_from: Mapping[str, Any] | None = None

    def differences(self, given: "SearchIdentity") -> tuple[Difference, ...]:
        """Return where another identity differs from this one, the stored one.

        Of decisions, those are named that only one of the two has.
        """
        return tuple(self._differences(given))

    def _differences(self, given: "SearchIdentity") -> Iterator[Difference]:
        for field in attrs.fields(type(self)):
            stored, other = getattr(self, field.name), getattr(given, field.name)
            if stored is None or other is None:
                continue
            if _comparable(field.name, stored) == _comparable(field.name, other):
                continue
            if field.name == "decisions":
                only_stored = tuple(line for line in stored if line not in other)
                only_given = tuple(line for line in other if line not in stored)
                yield Difference("decisions", only_stored, only_given)
            else:
                yield Difference(field.name, stored, other)

    def require_same(self, given: "SearchIdentity", where: str) -> None:
        """Check that another identity is that of the search which this one, the stored one, names.

        Args:
            given: of the search that wants to use the store.
            where: what the store calls itself, for the message.

        Raises:
            OtherSearchError: it is not; each difference is named.
        """
        differences = self.differences(given)
        if differences:
            lines = "\n".join(f"  {difference}" for difference in differences)
            raise OtherSearchError(
                f"{where}: a store must be used for the search whose trials it holds; received "
                f"another search:\n{lines}\n"
                "go on with what is stored; or give the new search an empty store, and this one "
                "as fork= to begin with what has been found out here",
                differences,
            )

    def to_document(self) -> dict[str, Any]:
        """Return what is known as values that JSON can carry.

        Raises:
            StoreError: an option of the searcher cannot even be described.
        """
        known = attrs.asdict(self, recurse=False, filter=lambda _, value: value is not None)
        return {name: to_json_value(value) for name, value in known.items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "SearchIdentity":
        """Return the identity that a document holds.

        Raises:
            CorruptStoreError: it is no such document.
        """
        try:
            return cls(**{name: from_json_value(value) for name, value in document.items()})
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
            raise CorruptStoreError(
                "the identity of a search must be what the library has written; received "
                f"{_short(document)} ({error}); restore the store from a copy"
            ) from error


def _comparable(field: str, value: Any) -> Hashable:
    """Return a value that is equal for what is fresh and for what has been stored."""
    plain = from_json_value(to_json_value(value))
    if field == "directions" and isinstance(plain, dict):
        return canonical(list(plain.items()))  # their order counts: the first is the reward
    return canonical(sorted(plain) if field == "decisions" else plain)


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(str, value)) or "nothing more"
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
