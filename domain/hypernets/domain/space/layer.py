"""Layers as they are authored: a class name and arguments, any of which may be searched."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from hypernets.domain.error import SpaceError
from hypernets.domain.layers.oracle import ShapeOracle
from hypernets.domain.space.module import ModuleSpace

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["LayerModule"]


class LayerModule(ModuleSpace):
    """One layer of a network.

    A framework's vocabulary is a set of subclasses, one a layer, that only add a signature; so
    authoring a space needs no framework.

    Args:
        arguments: the layer's arguments that were given (defaults are left to the framework). A
            value may be a hyperparameter or another `LayerModule` (wrappers, recurrent cells),
            also inside lists, tuples and dicts.
        name: the layer's name in the network; made up when absent.
        space: the space it belongs to; the current one when absent.

    Attributes:
        layer: class name of the layer in its framework; the name of the Python class unless a
            subclass says otherwise.
        is_input: whether it is an input of the network, and so takes no inputs.
        oracle: who knows the shapes of a layer that the rules of the domain do not cover.
        factory: for a layer of the user's own, the class or function that makes it.
        original: the module whose layer this one uses again; itself unless made by `share`.
    """

    layer: ClassVar[str] = ""
    is_input: ClassVar[bool] = False
    oracle: ClassVar[ShapeOracle | None] = None
    factory: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name the layer after the class, unless the class says otherwise."""
        super().__init_subclass__(**kwargs)
        if "layer" not in cls.__dict__:
            cls.layer = cls.__name__

    def __init__(
        self,
        arguments: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        super().__init__(arguments, name=name, space=space)
        self.original: LayerModule = self
        for value in self.arguments.values():
            for module in _modules_in(value):
                self.space.require_own(module, f"an argument of {self.name!r}")
                if not isinstance(module, LayerModule):
                    raise SpaceError(
                        f"an argument of a layer may be a layer, but no op; received {module!r} as "
                        f"an argument of {self.name!r}; put the op before or after the layer"
                    )
                if module.inputs:
                    raise SpaceError(
                        f"a layer used as an argument must not be connected; received "
                        f"{module.name!r}, fed by {module.inputs[0].name!r}, as an argument of "
                        f"{self.name!r}; feed {self.name!r} instead"
                    )
                module.used_as_argument = True

    def share(self, name: str | None = None) -> "LayerModule":
        """Return another place for the same layer: one set of weights, used once more.

        Args:
            name: name of the new place; made up when absent.
        """
        twin = LayerModule.__new__(type(self))
        ModuleSpace.__init__(twin, self.original.arguments, name=name, space=self.space)
        twin.original = self.original
        if self.original.factory is not None:
            twin.factory = self.original.factory
        return twin


def _modules_in(value: Any) -> list[ModuleSpace]:
    if isinstance(value, ModuleSpace):
        return [value]
    if isinstance(value, (list, tuple)):
        return [module for item in value for module in _modules_in(item)]
    if isinstance(value, dict):
        return [module for item in value.values() for module in _modules_in(item)]
    return []
