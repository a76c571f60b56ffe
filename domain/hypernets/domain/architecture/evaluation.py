"""Values of hyperparameters under an assignment of the decisions."""

from typing import Any

import attrs

from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.space.hyperparameter import (
    Cascade,
    Constant,
    Decision,
    Dynamic,
    ParameterSpace,
)

__all__ = ["UNDECIDED", "Blocked", "Evaluation"]


class _Undecided:
    def __repr__(self) -> str:
        return "UNDECIDED"


UNDECIDED: Any = _Undecided()
"""Stands for a decision that has not been made."""


@attrs.frozen(slots=True)
class Blocked:
    """A value that cannot be known before a decision has been made.

    Attributes:
        rank: of that decision.
    """

    rank: int


class Evaluation:
    """Computes values as soon as what they depend on is known, each at most once.

    Args:
        ranks: index of a hyperparameter → rank of the decision; -1 for any other.
        values: rank → value, or `UNDECIDED`; read at every call, so it may fill up in between.
    """

    def __init__(self, ranks: tuple[int, ...], values: list[Any]) -> None:
        self._ranks = ranks
        self._values = values
        self._derived: dict[int, Any] = {}

    def value(self, parameter: ParameterSpace) -> Any:
        """Return the value of a hyperparameter, or a `Blocked`.

        Raises:
            BuildError: the function of a `Dynamic` or `Cascade` has raised.
        """
        known = self._known(parameter)
        if known is not UNDECIDED:
            return known
        stack: list[ParameterSpace] = [parameter]  # explicit: a chain of Dynamic may be long
        waiting = {parameter.index}
        while stack:
            top = stack[-1]
            missing = self._missing(top)
            if isinstance(missing, Blocked):
                return missing
            if missing is None:
                waiting.discard(stack.pop().index)
            elif missing.index in waiting:
                raise SpaceError(
                    f"Cascades must not lead to each other in a circle; received {missing.name!r}, "
                    f"which leads back to itself through {top.name!r}; end it in another "
                    "hyperparameter or a plain value"
                )
            else:
                stack.append(missing)
                waiting.add(missing.index)
        return self._derived[parameter.index]

    def decided(self, parameter: ParameterSpace) -> Any:
        """Return the value of a hyperparameter all of whose decisions have been made."""
        value = self.value(parameter)
        assert not isinstance(value, Blocked)
        return value

    def target(self, cascade: Cascade) -> Any:
        """Return what a cascade returned: a hyperparameter or a plain value; or a `Blocked`."""
        key = -1 - cascade.index
        if key in self._derived:
            return self._derived[key]
        for dependency in cascade.dependencies.values():
            if isinstance(dependency, ParameterSpace):
                value = self.value(dependency)
                if isinstance(value, Blocked):
                    return value
        target = self._call(cascade)
        if isinstance(target, ParameterSpace):
            cascade.space.require_own(target, f"Cascade {cascade.name!r}, what lambda_fn returned")
        self._derived[key] = target
        return target

    def _known(self, parameter: ParameterSpace) -> Any:
        """Return the value if no function need be called for it, else `UNDECIDED`."""
        rank = self._ranks[parameter.index]
        if rank >= 0:
            value = self._values[rank]
            return Blocked(rank) if value is UNDECIDED else value
        if isinstance(parameter, Constant):
            return parameter.value
        if isinstance(parameter, Decision):
            return parameter.value_at(0)
        return self._derived.get(parameter.index, UNDECIDED)

    def _missing(self, parameter: ParameterSpace) -> "ParameterSpace | Blocked | None":
        """Compute a derived value, or say what has to be known before."""
        if self._known(parameter) is not UNDECIDED:
            known = self._known(parameter)
            return known if isinstance(known, Blocked) else None
        assert isinstance(parameter, (Dynamic, Cascade))
        for dependency in parameter.dependencies.values():
            if isinstance(dependency, ParameterSpace):
                known = self._known(dependency)
                if isinstance(known, Blocked):
                    return known
                if known is UNDECIDED:
                    return dependency
        if isinstance(parameter, Dynamic):
            self._derived[parameter.index] = self._call(parameter)
            return None
        target = self.target(parameter)
        if not isinstance(target, ParameterSpace):
            self._derived[parameter.index] = target
            return None
        known = self._known(target)
        if isinstance(known, Blocked):
            return known
        if known is UNDECIDED:
            return target
        self._derived[parameter.index] = known
        return None

    def _call(self, parameter: "Dynamic | Cascade") -> Any:
        arguments = {
            keyword: self._known(dependency)
            if isinstance(dependency, ParameterSpace)
            else dependency
            for keyword, dependency in parameter.dependencies.items()
        }
        try:
            result = parameter.function(**arguments)
        except Exception as error:
            given = ", ".join(f"{keyword}={value!r}" for keyword, value in arguments.items())
            raise BuildError(
                f"{type(parameter).__name__} {parameter.name!r}: lambda_fn must return a value; "
                f"received {type(error).__name__}: {error} for {given}; mend the function"
            ) from error
        if isinstance(parameter, Dynamic) and isinstance(result, ParameterSpace):
            raise BuildError(
                f"Dynamic {parameter.name!r}: lambda_fn must return a plain value; received "
                f"{result!r}; use Cascade to choose which hyperparameter comes next"
            )
        return result
