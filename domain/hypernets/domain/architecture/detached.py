"""An architecture without its space: what an estimator reads, as a value that can travel."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from hypernets.domain.architecture.cost import Cost, cost_of
from hypernets.domain.architecture.graph import LayerGraph

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["DetachedArchitecture", "detach"]


@attrs.frozen
class DetachedArchitecture:
    """What one architecture is, with no reference to the space that it was decided in.

    It answers as an `Architecture` does wherever that takes the decisions or the network, and is as
    small as they are, so it can be sent to another process. What takes the space (to decide anew,
    to draw its ops as groups) is left behind. Two are equal if they say the same decisions of the
    same space.

    Attributes:
        decisions: name of each active hyperparameter → its value, by rank.
        labels: name of each active hyperparameter → what a log prints for it.
        training: the decided arguments of the training that the space declares.
        signature: digest of the function that the network computes.
        graph: the network.
        document: what `to_json` returns.
    """

    decisions: Mapping[str, Any] = attrs.field(eq=False)
    labels: Mapping[str, str] = attrs.field(eq=False)
    training: Mapping[str, Any] = attrs.field(eq=False)
    signature: str
    graph: LayerGraph = attrs.field(eq=False)
    document: str

    def cost(self) -> Cost:
        """Return what the network costs, without building it (see `Cost`).

        Raises:
            BuildError: its shapes do not fit.
        """
        return cost_of(self.graph)

    def to_json(self) -> str:
        """Return the architecture as JSON, from which `Architecture.from_json` makes it again."""
        return self.document

    def to_text(self) -> str:
        """Return the network as a table: name, layer, shape, and who feeds it."""
        from hypernets.domain.architecture.drawing.text import text_of

        return text_of(self.graph)

    def detached(self) -> "DetachedArchitecture":
        """Return itself."""
        return self

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{label}={self.decisions[name]!r}" for name, label in self.labels.items()
        )
        return f"<DetachedArchitecture {shown if len(shown) <= 200 else shown[:197] + '...'}>"


def detach(architecture: "Architecture") -> DetachedArchitecture:
    """Return what an architecture is, without its space.

    Raises:
        BuildError: its decisions do not make a network.
    """
    return DetachedArchitecture(
        decisions=architecture.decisions,
        labels=architecture.labels,
        training=dict(architecture.training),
        signature=architecture.signature,
        graph=architecture.graph,
        document=architecture.to_json(),
    )
