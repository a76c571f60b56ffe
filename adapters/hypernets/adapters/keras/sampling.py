"""Architectures of a space to try out before a search, within its limits on the cost."""

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from hypernets.application.in_process.attempt import failure_of
from hypernets.application.log import EventLog
from hypernets.domain.architecture.limit import CostLimit, LimitedSampler
from hypernets.domain.error import BuildError, TrialError
from hypernets.domain.history import Failure

__all__ = ["limited_sampler", "sampled", "tell_acceptance"]

_ATTEMPTS = 300  # draws without success after which limits count as never kept
_MOST_ARCHITECTURES = 10
_MOST_DRAWS = 30  # a small space gives the same architecture again and again
_ACCEPTANCE_DRAWS = 50

log = EventLog(__name__)


def limited_sampler(searcher: Any, limit: CostLimit | None) -> LimitedSampler | None:
    """Return what samples the space of a searcher within limits, having told them to it.

    `None` where there are none, or nothing knows the cost of a network before it is built.

    Raises:
        SpaceError: every network of the space exceeds them.
    """
    if limit is None:
        return getattr(searcher, "sampler", None)
    if not _knows_cost(searcher.space):
        return None
    sampler = LimitedSampler(searcher.space, limit, max_attempts=_ATTEMPTS)
    if callable(getattr(searcher, "keep_within", None)):
        searcher.keep_within(limit)
    return sampler


def tell_acceptance(sampler: LimitedSampler) -> None:
    """Say which part of the space is within the limits."""
    rng = np.random.default_rng(0)
    for _ in range(_ACCEPTANCE_DRAWS):
        sampler.draw(rng)
    log.info(
        "limits leave out a part of the space",
        limit=str(sampler.limit),
        acceptance_rate=sampler.acceptance_rate,
        least=sampler.least,
    )


def sampled(space: Any, failures: list[Failure]) -> Iterator[Any]:
    """Yield different architectures; those that cannot be decided join the failures."""
    rng = np.random.default_rng(0)
    seen: set[Hashable] = set()
    for _ in range(_MOST_DRAWS):
        if len(seen) + len(failures) >= _MOST_ARCHITECTURES:
            return
        try:
            architecture = space.sample(rng)
        except TrialError as error:
            failures.append(failure_of(error))
            continue
        if architecture.key not in seen:
            seen.add(architecture.key)
            yield architecture


def _knows_cost(space: Any) -> bool:
    """Say whether the cost of some sampled architecture is known without building it."""
    for architecture in sampled(space, []):
        try:
            architecture.cost()
        except BuildError:
            continue
        return True
    return False
