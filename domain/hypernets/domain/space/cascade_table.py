"""What each `Cascade` may return, found by calling it for every assignment of what it reads."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter import (
    Cascade,
    Constant,
    Decision,
    Dynamic,
    ParameterSpace,
)

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["CascadeTables", "tabulate"]

_TABLE_LIMIT = 4096
"""A `Cascade` over more assignments than this is not tabulated, but asked as it is needed."""

CascadeTables = dict[int, tuple[Any, ...]]
"""Index of a `Cascade` → everything that it may return, where that is known."""


def tabulate(space: "HyperSpace") -> CascadeTables:
    """Call every cascade for all values of its dependencies, where these are few."""
    tables: CascadeTables = {}
    with space.as_default():
        position = 0
        while position < len(space.hyperparameters):  # a cascade may create hyperparameters
            parameter = space.hyperparameters[position]
            position += 1
            if not isinstance(parameter, (Cascade, Dynamic)):
                continue
            assignments = _assignments(parameter)
            if assignments is None:
                continue
            results, errors = [], []
            for assignment in assignments:
                try:
                    results.append(parameter.function(**assignment))
                except Exception as error:
                    errors.append((assignment, error))
            if errors and not results:
                assignment, cause = errors[0]
                raise SpaceError(
                    f"{type(parameter).__name__} {parameter.name!r}: lambda_fn must return a "
                    f"value; received {type(cause).__name__}: {cause} for every assignment, "
                    f"the first being {assignment}; mend the function"
                ) from cause
            if isinstance(parameter, Cascade) and not errors:
                tables[parameter.index] = _targets(parameter, results)
    return tables


def _assignments(parameter: "Dynamic | Cascade") -> Iterator[dict[str, Any]] | None:
    domains: list[Sequence[Any]] = []
    size = 1
    for dependency in parameter.dependencies.values():
        if isinstance(dependency, Decision):
            if not dependency.is_finite or dependency.size > _TABLE_LIMIT:
                return None
            values = [dependency.value_at(i) for i in range(int(dependency.size))]
        elif isinstance(dependency, Constant):
            values = [dependency.value]
        elif isinstance(dependency, ParameterSpace):
            return None
        else:
            values = [dependency]
        size *= len(values)
        if size > _TABLE_LIMIT:
            return None
        domains.append(values)
    keywords = list(parameter.dependencies)
    return (dict(zip(keywords, values, strict=True)) for values in product(*domains))


def _targets(cascade: Cascade, results: Sequence[Any]) -> tuple[Any, ...]:
    targets: list[Any] = []
    for result in results:
        if isinstance(result, ParameterSpace):
            cascade.space.require_own(result, f"Cascade {cascade.name!r}, what lambda_fn returned")
            if any(result is target for target in targets):
                continue
        elif any(not isinstance(target, ParameterSpace) for target in targets):
            continue  # one plain value stands for all of them: none needs anything
        targets.append(result)
    return tuple(targets)
