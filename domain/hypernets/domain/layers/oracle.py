"""The port behind which a framework answers for the layers that have no rule."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from hypernets.domain.architecture.graph import LayerSpec, Shape, Shapes

if TYPE_CHECKING:
    from hypernets.domain.layers.rule import Weights

__all__ = ["ShapeOracle"]


@runtime_checkable
class ShapeOracle(Protocol):
    """Infers what a layer would put out, and how many weights it would have.

    Laws, which every implementation keeps:
        - it allocates no weights, however large the layer is;
        - the same layer and shapes give the same answer, whatever was asked before, and the layer
          that is built afterwards agrees with it;
        - what does not fit is a `BuildError` that holds the framework's own reason; nothing else
          is raised.
    """

    def infer(self, layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> Shapes:
        """Return the output shape, or a tuple of them where the layer has several outputs.

        Args:
            layer: the layer; a name in it plays no part.
            input_shapes: shapes of what feeds it, in order, the batch first.

        Raises:
            BuildError: the layer does not exist, or does not accept its arguments or its inputs.
        """

    def weights(self, layer: LayerSpec, input_shapes: tuple[Shape, ...]) -> "Weights":
        """Return the numbers of weights that the layer would have.

        Args:
            layer: the layer; a name in it plays no part.
            input_shapes: shapes of what feeds it, in order, the batch first.

        Raises:
            BuildError: the layer does not exist, or does not accept its arguments or its inputs.
        """
