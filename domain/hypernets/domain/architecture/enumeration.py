"""Visiting every architecture of a finite space."""

from collections.abc import Iterator

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SpaceError
from hypernets.domain.space.frozen import FrozenSpace
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["every_architecture"]


def every_architecture(frozen: FrozenSpace) -> Iterator[Architecture]:
    """Iterate over all architectures, each once, the decisions asked last turning fastest.

    An odometer over the answers of a chooser: which decisions come next depends on the answers so
    far, so only the path to the last architecture is kept.

    Raises:
        SpaceError: a decision is continuous.
    """
    continuous = [decision for decision in frozen.decisions if not decision.is_finite]
    if continuous:
        raise SpaceError(
            f"only a finite space can be enumerated; received one with the continuous "
            f"{continuous[0].label!r}; give it a step"
        )
    path: list[list[int]] = []  # [answer, number of answers], in the order asked
    while True:
        depth = 0

        def choose(decision: Decision) -> object:
            nonlocal depth
            if depth == len(path):
                path.append([0, int(decision.size)])
            answer = path[depth][0]
            depth += 1
            return decision.value_at(answer)

        yield frozen.decide(choose)
        while path and path[-1][0] + 1 == path[-1][1]:
            path.pop()
        if not path:
            return
        path[-1][0] += 1
