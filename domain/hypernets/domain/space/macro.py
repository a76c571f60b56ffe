"""Macros: modules that read the shapes of what feeds them and then emit layers."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hypernets.domain.architecture.graph import Shape
from hypernets.domain.space.module import ModuleSpace

__all__ = ["Emitter", "MacroModule", "Tensor"]

Tensor = int
"""A value within the graph being resolved, known by the position of the node that makes it."""


class Emitter(Protocol):
    """What a macro uses to read shapes and to emit layers."""

    def shape(self, tensor: Tensor) -> Shape:
        """Return the shape of a tensor, the batch first.

        Raises:
            BuildError: the shapes before it do not fit.
        """

    def layer(
        self, layer: str, arguments: Mapping[str, Any], inputs: Sequence[Tensor], name: str
    ) -> Tensor:
        """Emit a layer of the framework under that name and return what it puts out."""


class MacroModule(ModuleSpace):
    """A module that becomes zero or more layers, depending on the shapes of its inputs."""

    def expand(
        self, emit: Emitter, inputs: Sequence[Tensor], arguments: Mapping[str, Any]
    ) -> Sequence[Tensor]:
        """Emit the layers; return the tensors that are this module's value.

        Args:
            emit: reads shapes and emits layers.
            inputs: what feeds the module, in order.
            arguments: the module's arguments, decided.

        Raises:
            BuildError: the inputs do not suit the module.
        """
        raise NotImplementedError
