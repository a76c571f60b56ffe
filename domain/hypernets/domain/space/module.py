"""Modules: the nodes of a space as they are authored, and how they are connected."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from hypernets.domain.error import SpaceError
from hypernets.domain.space.context import current_space
from hypernets.domain.space.hyperparameter import ParameterSpace

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["ModuleSpace", "parameters_in"]


class ModuleSpace:
    """A node of a search space: a layer, an op or a macro.

    `m2(m1)` and `m([m1, m2])` connect *into* the module called and return it. Calling it again
    adds inputs.

    Attributes:
        name: unique in its space.
        space: the space it belongs to.
        index: position among the modules of its space, in the order of creation.
        inputs: the modules connected into it, in order.
        arguments: keyword → value; a value may hold hyperparameters, also inside lists, tuples
            and dicts.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        kind = type(self).__name__
        self.space = space if space is not None else current_space(f"the module {kind}")
        self.inputs: list[ModuleSpace] = []
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.used_as_argument = False
        self.name, self.index = self.space.register_module(self, name)
        for keyword, value in self.arguments.items():
            for parameter in parameters_in(value):
                self.space.require_own(parameter, f"{self.name!r}, argument {keyword!r}")

    def __call__(self, inputs: "ModuleSpace | Sequence[ModuleSpace]") -> Self:
        """Connect modules into this one and return it.

        Raises:
            SpaceError: something in `inputs` is no module, or a module of another space.
        """
        modules = [inputs] if isinstance(inputs, ModuleSpace) else inputs
        if not isinstance(modules, (list, tuple)) or not modules:
            raise SpaceError(
                f"{self.name!r} must be called on a module or a list of modules; "
                f"received {inputs!r}; give what feeds it"
            )
        for module in modules:
            if not isinstance(module, ModuleSpace):
                raise SpaceError(
                    f"{self.name!r} must be called on modules; received {module!r} "
                    f"of type {type(module).__name__}; give what feeds it"
                )
            self.space.require_own(module, f"the call of {self.name!r}")
            if module is self:
                raise SpaceError(
                    f"modules must not form a cycle; received {self.name!r} connected into itself; "
                    "call it on what comes before it"
                )
            if module.used_as_argument or self.used_as_argument:
                inner = module if module.used_as_argument else self
                raise SpaceError(
                    f"a layer used as an argument must not be connected; received {inner.name!r} "
                    f"in the call of {self.name!r}; make another layer for that place"
                )
        self.space.require_open(f"connecting into {self.name!r}")
        self.inputs.extend(modules)
        return self

    @property
    def alternatives(self) -> "Sequence[ModuleSpace]":
        """The modules whose subgraphs this one owns; none unless it is an op."""
        return ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def parameters_in(value: Any, *, into_modules: bool = True) -> Iterator[ParameterSpace]:
    """Yield the hyperparameters held in an argument, in order, however deep.

    Args:
        value: an argument of a module.
        into_modules: whether those of layers used as arguments are yielded too.
    """
    if isinstance(value, ParameterSpace):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from parameters_in(item, into_modules=into_modules)
    elif isinstance(value, dict):
        for item in value.values():
            yield from parameters_in(item, into_modules=into_modules)
    elif isinstance(value, ModuleSpace) and into_modules:
        for item in value.arguments.values():
            yield from parameters_in(item)
