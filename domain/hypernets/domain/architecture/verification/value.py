"""What the verification knows of a node: the shapes it puts out, a fault, or nothing."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from hypernets.domain.architecture.evaluation import Blocked, Evaluation
from hypernets.domain.architecture.graph import Shape, Shapes
from hypernets.domain.space.argument import ArgumentTemplate, Evaluate
from hypernets.domain.space.hyperparameter import Cascade, Dynamic, ParameterSpace
from hypernets.domain.space.module import parameters_in

__all__ = ["Fault", "LazyArguments", "NeededError", "Unknown", "Value", "both", "deciding", "worse"]


@attrs.frozen
class Value:
    """What a node puts out.

    Attributes:
        shapes: of each tensor.
        sources: bits of the inputs of a `ConnectLooseEnd` that it is computed from directly.
    """

    shapes: tuple[Shapes, ...] = ()
    sources: int = 0


@attrs.frozen
class Fault:
    """Why there is no network.

    Attributes:
        position: of the frozen node.
        layer: its name, or that of the layer that a macro has emitted.
        shapes: of what feeds it.
        reason: the message.
    """

    position: int
    layer: str
    shapes: tuple[Shape, ...]
    reason: str


@attrs.frozen
class Unknown:
    """Why a shape could not be told.

    Attributes:
        reason: in words.
    """

    reason: str


class NeededError(Exception):
    """A decision has to be made before a value is known."""

    def __init__(self, rank: int) -> None:
        super().__init__(rank)
        self.rank = rank


def deciding(evaluation: Evaluation) -> Evaluate:
    """Return what gives values and raises `NeededError` where a decision is missing."""

    def decide(parameter: ParameterSpace) -> Any:
        value = evaluation.value(parameter)
        if isinstance(value, Blocked):
            raise NeededError(value.rank)
        return value

    return decide


class LazyArguments(Mapping[str, Any]):
    """The arguments of a layer, each decided when it is read: what is not read is not decided."""

    def __init__(self, template: ArgumentTemplate, decide: Callable[[ParameterSpace], Any]) -> None:
        self._template = template
        self._decide = decide
        self._searched = {entry[0]: entry for entry in template.searched}

    def check(self) -> None:
        """Read what could be refused although no rule reads it: integers and functions' results.

        Raises:
            BuildError: one of them has no value that suits it.
        """
        for keyword, argument, whole in self._template.searched:
            held = parameters_in(argument)
            if whole is not None or any(isinstance(p, (Dynamic, Cascade)) for p in held):
                self[keyword]

    def __getitem__(self, keyword: str) -> Any:
        """Return the value of an argument."""
        entry = self._searched.get(keyword)
        if entry is None:
            return self._template.fixed[keyword]
        return attrs.evolve(self._template, fixed={}, searched=(entry,)).fill(self._decide)[keyword]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keywords."""
        yield from self._template.fixed
        yield from self._searched

    def __len__(self) -> int:
        """Return the number of arguments."""
        return len(self._template.fixed) + len(self._searched)


def worse(first: Any, second: Any) -> Any:
    """Return the fault of two results, else what is unknown, else the second."""
    for kind in (Fault, Unknown):
        for result in (first, second):
            if isinstance(result, kind):
                return result
    return second


def both(first: Any, second: Any) -> Any:
    """Return what two results put out together; else the worse of them."""
    if isinstance(first, Value) and isinstance(second, Value):
        return Value(first.shapes + second.shapes, first.sources | second.sources)
    return worse(first, second)
