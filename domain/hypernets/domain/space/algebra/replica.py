"""A copy of an authored space with other hyperparameters in the place of some.

Modules and hyperparameters are copied one by one, by their positions, so a long chain takes no deep
recursion; what they hold is shared, but for references to other nodes of the space.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hypernets.domain.space.algebra.narrowing import Maker
from hypernets.domain.space.hyperparameter import Cascade, ParameterSpace
from hypernets.domain.space.module import ModuleSpace

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["replica"]

_LONGEST_NAME = 240


def replica(space: "HyperSpace", makers: Mapping[int, Maker], name: str) -> "HyperSpace":
    """Return a copy of a space, frozen.

    Args:
        space: the space; it is frozen too.
        makers: index of a hyperparameter → what makes the one in its place.
        name: of the copy.

    Raises:
        SpaceError: the copy makes no space.
    """
    from hypernets.domain.space.hyper_space import HyperSpace

    space.freeze()  # a Cascade may make hyperparameters until then
    twin = HyperSpace(_shortened(name))
    twin.origin = space.origin
    parameters = [_parameter(p, makers.get(p.index), twin) for p in space.hyperparameters]
    modules = [copy.copy(module) for module in space.modules]
    for module in modules:
        twin.register_module(module, module.name)
    exchange = _Exchange(space, twin, parameters, modules)
    for index, parameter in enumerate(parameters):
        if index not in makers:
            exchange.inside(parameter)
            if isinstance(parameter, Cascade):
                parameter.function = _Translation(parameter.function, space.origin, parameters)
    for module in modules:
        exchange.inside(module)
    twin.training = exchange.of(space.training)
    twin.input_modules = exchange.of(space.input_modules)
    twin.output_modules = exchange.of(space.output_modules)
    twin.freeze()
    return twin


def _shortened(name: str) -> str:
    """Return a name of what was done, of very much the beginning and the end."""
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]} … {name[-half:]}"


def _parameter(
    parameter: ParameterSpace, maker: Maker | None, twin: "HyperSpace"
) -> ParameterSpace:
    if maker is not None:
        return maker(twin)
    same = copy.copy(parameter)
    twin.register_hyperparameter(same, same.name)
    return same


class _Exchange:
    """Puts the nodes of one space in the place of those of another."""

    def __init__(
        self,
        space: "HyperSpace",
        twin: "HyperSpace",
        parameters: Sequence[ParameterSpace],
        modules: Sequence[ModuleSpace],
    ) -> None:
        self._space = space
        self._twin = twin
        self._parameters = parameters
        self._modules = modules

    def inside(self, node: Any) -> None:
        """Exchange what the attributes of a node refer to."""
        for attribute, value in vars(node).items():
            vars(node)[attribute] = self.of(value)

    def of(self, value: Any) -> Any:
        """Return a value with the nodes exchanged; itself where it holds none."""
        if value is self._space:
            return self._twin
        if isinstance(value, ParameterSpace):
            return self._parameters[value.index] if value.space is self._space else value
        if isinstance(value, ModuleSpace):
            return self._modules[value.index] if value.space is self._space else value
        if isinstance(value, (list, tuple)):
            return self._items(value)
        if isinstance(value, dict):
            changed = {key: self.of(item) for key, item in value.items()}
            return changed if any(changed[key] is not value[key] for key in value) else value
        return value

    def _items(self, value: "list[Any] | tuple[Any, ...]") -> Any:
        items = [self.of(item) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        if isinstance(value, list):
            return items
        # a named tuple takes its items one by one
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)


class _Translation:
    """The function of a `Cascade`, whose answers become hyperparameters of another space.

    The function itself refers to those of the space that was authored, however often that has been
    narrowed.
    """

    def __init__(
        self, function: Any, origin: "HyperSpace", parameters: Sequence[ParameterSpace]
    ) -> None:
        self._function: Any = function
        if isinstance(function, _Translation):
            self._function = function._function
        self._origin = origin
        self._parameters = parameters
        self.version = getattr(self._function, "version", None)  # read for the fingerprint

    def __call__(self, **arguments: Any) -> Any:
        result = self._function(**arguments)
        if isinstance(result, ParameterSpace) and result.space is self._origin:
            return self._parameters[result.index]
        return result
