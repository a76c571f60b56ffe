"""A search that begins with what another one has found out.

The other search stays as it is. The new one, in a store of its own, may differ from it in anything.
How much of the other's trials it can use depends on what differs:

- Where both measure the same, with the same, a trial that fits in here is a result here too. It is
  taken over: the first trials of the new history are these, and the searcher is told of them.
- Where the estimator or the data differ, numbers of the two cannot be compared: a reward on other
  data is no reward on these. None is taken over. What is left is advice: the best architectures of
  the other search are measured anew, before the searcher is asked for the first time.

What a fork begins with is part of its identity, so that it is the same when it is gone on with,
whatever has become of the other search since.
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import attrs

from hypernets.application.loop.candidate import Asked, identify
from hypernets.application.loop.verdict import taken_trial
from hypernets.application.port import SearchIdentity, location_of
from hypernets.domain.error import SearchError
from hypernets.domain.history import History, Trial, TrialState
from hypernets.domain.searchers.searcher import Proposal

__all__ = ["Fork", "Inheritance", "as_fork", "inherit"]

_OF_RESULTS = ("estimator", "data")
"""Results can be compared where these are the same."""


def _count(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and (type(value) is not int or value < 0):
        raise SearchError(
            f"{attribute.name} of a fork must be an integer >= 0; received {value!r}; "
            "leave it out for the default"
        )


@attrs.frozen
class Fork:
    """Where a search is to begin: with what another one has found out.

    Attributes:
        store: of the other search, which is only read.
        after: how many of its trials count, in the order of tells; all when `None`.
        suggestions: how many of its best architectures are measured anew at most, where its results
            cannot be compared.

    Raises:
        SearchError: a value makes no sense.
    """

    store: Any
    after: int | None = attrs.field(default=None, validator=_count)
    suggestions: int = attrs.field(default=10, validator=_count)

    @property
    def location(self) -> str:
        """Where the other search is."""
        return location_of(self.store)


@attrs.frozen
class Inheritance:
    """What a fork begins with.

    Attributes:
        trials: those that it takes over, numbered from 1.
        suggestions: decisions of what is to be measured anew.
        document: what its store records: where it comes from (`store`), how many of the trials
            there were looked at (`trials`), how many were taken over (`taken`), and `suggestions`.
    """

    trials: tuple[Trial, ...]
    suggestions: tuple[Mapping[str, Any], ...]
    document: Mapping[str, Any]


def as_fork(value: Any) -> Fork | None:
    """Return what a user gave: a `Fork`, a store, or `None`.

    Raises:
        SearchError: it is nothing of the kind.
    """
    if value is None or isinstance(value, Fork):
        return value
    if callable(getattr(value, "load", None)) and hasattr(value, "identity"):
        return Fork(value)
    raise SearchError(
        "fork must be the store of another search, or a Fork of one; received "
        f'{value!r}; write fork=Hdf5Store("runs/first", mode="r"), say'
    )


def inherit(
    fork: Fork, identity: SearchIdentity, space: Any, estimator: str, objectives: tuple[str, ...]
) -> Inheritance:
    """Return what a new search begins with.

    Args:
        fork: of what.
        identity: of the new search.
        space: of the new search.
        estimator: name by which its trials are known.
        objectives: names that a result must have, the reward first; any where none are named.

    Raises:
        SearchError: the other search has fewer trials than are to count, or the new one has no
            space.
        StoreError: the other store cannot be read.
    """
    if not hasattr(space, "adopt"):
        raise SearchError(
            "to fork, a searcher must have the attribute space, by which it is known which trials "
            f"fit; received one with {space!r}; give it one, or pass the trials as known="
        )
    whole = fork.store.load()
    trials = _first(whole, fork)
    suggestions: tuple[Mapping[str, Any], ...] = ()
    taken: tuple[Trial, ...] = ()
    if _is_comparable(fork.store.identity, identity):
        taken = tuple(_taken(trials, space, estimator, objectives))
    else:
        past = History(whole.directions or whole.direction, trials)
        suggestions = tuple(_suggestions(past, space, fork.suggestions))
    document = {
        "store": fork.location,
        "trials": len(trials),
        "taken": len(taken),
        "suggestions": suggestions,
    }
    return Inheritance(taken, suggestions, document)


def _first(history: History, fork: Fork) -> list[Trial]:
    if fork.after is not None and fork.after > len(history):
        raise SearchError(
            f"after, of a fork, must be at most the number of trials that {fork.location} holds, "
            f"{len(history)}; received {fork.after}; leave it out to take all of them"
        )
    return history[: fork.after]


def _is_comparable(past: SearchIdentity | None, identity: SearchIdentity) -> bool:
    if past is None:
        return True  # what is not known is compared with nothing; each trial names its estimator
    return not any(each.field in _OF_RESULTS for each in past.differences(identity))


def _taken(
    trials: list[Trial], space: Any, estimator: str, objectives: tuple[str, ...]
) -> Iterator[Trial]:
    """Yield the trials that are results here too, as records of the new search."""
    numbers: dict[int, int] = {}
    for trial in trials:
        if trial.answered_by is not None or trial.state is TrialState.LOST:
            continue  # it tells nothing that another one does not
        if trial.objectives and any(name not in trial.objectives for name in objectives):
            continue
        architecture = _adopted(space, trial)
        if architecture is None:
            continue
        number = len(numbers) + 1
        proposal = Proposal(
            architecture,
            fidelity=trial.fidelity,
            parent=None if trial.parent is None else numbers.get(trial.parent),
            replicate=trial.replicate,
        )
        candidate = identify(Asked(number, proposal, 0), estimator)
        if candidate.key == trial.key:
            numbers[trial.number] = number
            yield taken_trial(candidate, trial, objectives=objectives)


def _suggestions(history: History, space: Any, count: int) -> Iterator[Mapping[str, Any]]:
    """Yield decisions of the best architectures that fit, no two alike."""
    seen: set[Hashable] = set()
    for trial in history.top(len(history)):
        if len(seen) == count:
            return
        architecture = _adopted(space, trial)
        if architecture is not None and architecture.key not in seen:
            seen.add(architecture.key)
            yield dict(architecture.decisions)


def _adopted(space: Any, trial: Trial) -> Any:
    # by what is on record, as if the other search had been in another process
    return space.adopt(attrs.evolve(trial, architecture=None))
