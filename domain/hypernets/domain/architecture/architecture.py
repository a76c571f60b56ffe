"""One candidate of a search space, as a value."""

from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.cost import Cost, cost_of
from hypernets.domain.architecture.evaluation import UNDECIDED, Evaluation
from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.architecture.resolver import resolve
from hypernets.domain.architecture.signature import signature_of, signature_of_decisions
from hypernets.domain.error import BuildError

if TYPE_CHECKING:
    from hypernets.domain.architecture.detached import DetachedArchitecture
    from hypernets.domain.space.frozen import FrozenSpace
    from hypernets.domain.space.hyper_space import HyperSpace
    from hypernets.domain.space.hyperparameter import Decision

__all__ = ["Architecture"]


class Architecture:
    """An immutable architecture: its active decisions, and what follows from them.

    Two are equal if they are of the same space and make the same decisions. They may still build
    the same network otherwise: compare `signature` for that.

    Attributes:
        frozen: the frozen space it belongs to.
        values: by rank of the decision, its value or `UNDECIDED` where it is not active.
    """

    def __init__(self, frozen: "FrozenSpace", values: tuple[Any, ...]) -> None:
        self.frozen = frozen
        self.values = values

    @property
    def active(self) -> "tuple[Decision, ...]":
        """The decisions that were made, by rank."""
        return tuple(
            decision
            for decision, value in zip(self.frozen.decisions, self.values, strict=True)
            if value is not UNDECIDED
        )

    @property
    def decisions(self) -> dict[str, Any]:
        """Name of each active hyperparameter → its value, by rank; a copy."""
        return {
            decision.name: list(value) if isinstance(value, list) else value
            for decision, value in zip(self.frozen.decisions, self.values, strict=True)
            if value is not UNDECIDED
        }

    @property
    def labels(self) -> dict[str, str]:
        """Name of each active hyperparameter → what a log prints for it, in the log's order."""
        decisions, values = self.frozen.decisions, self.values
        return {
            decisions[rank].name: decisions[rank].label
            for rank in self.frozen.label_order
            if values[rank] is not UNDECIDED
        }

    @cached_property
    def key(self) -> Hashable:
        """What tells the architectures of one space apart: rank and number of each decision."""
        return tuple(
            (rank, self.frozen.decisions[rank].index_of(value))
            if self.frozen.decisions[rank].is_finite
            else (rank, value)
            for rank, value in enumerate(self.values)
            if value is not UNDECIDED
        )

    @cached_property
    def graph(self) -> LayerGraph:
        """The network, resolved when first asked for.

        Raises:
            BuildError: these decisions do not make a network.
        """
        return resolve(self)

    @cached_property
    def signature(self) -> str:
        """Digest of the function that the network computes (see `signature_of`).

        Where the space holds no layers, so that there is no network, of the decisions.

        Raises:
            BuildError: these decisions do not make a network.
        """
        graph = self.graph
        return signature_of(graph) if graph.nodes else signature_of_decisions(self._authored())

    def _authored(self) -> dict[str, Any]:
        """Return the decisions as in the space that was authored, those fixed since included."""
        origin = self.frozen.space.origin
        authored = self if origin is self.frozen.space else origin.adopt(self)
        assert authored is not None
        return authored.decisions

    def cost(self) -> Cost:
        """Return what the network costs, without building it (see `Cost`).

        Raises:
            BuildError: these decisions do not make a network, or its shapes do not fit.
        """
        return cost_of(self.graph)

    @cached_property
    def training(self) -> Mapping[str, Any]:
        """The arguments of the training that the space declares, decided.

        Raises:
            BuildError: one that needs an integer has no such value.
        """
        return self.frozen.training.fill(self.evaluation().decided)

    def without_graph(self) -> "Architecture":
        """Return this architecture without the graph that it may have resolved.

        For whoever keeps many: a graph is a hundred times as large as the decisions, and is
        resolved anew when asked for. What is known of its signature and key is kept.
        """
        bare = Architecture(self.frozen, self.values)
        for name in ("signature", "key"):
            if name in self.__dict__:
                bare.__dict__[name] = self.__dict__[name]
        return bare

    def detached(self) -> "DetachedArchitecture":
        """Return what this architecture is without its space, as a value that can travel.

        Raises:
            BuildError: these decisions do not make a network.
        """
        from hypernets.domain.architecture.detached import detach

        return detach(self)

    def to_json(self) -> str:
        """Return this architecture as JSON that a person can read (see `codec.document`)."""
        from hypernets.domain.architecture.codec.document import to_json

        return to_json(self)

    @staticmethod
    def from_json(space: "HyperSpace", text: str) -> "Architecture":
        """Return the architecture that `to_json` has written for the same space.

        Raises:
            SpaceError: the text is no such document, or of another space, or its decisions are not
                those of an architecture.
        """
        from hypernets.domain.architecture.codec.document import from_json

        return from_json(space, text)

    def to_text(self) -> str:
        """Return the network as a table: name, layer, shape, and who feeds it.

        Raises:
            BuildError: these decisions do not make a network.
        """
        from hypernets.domain.architecture.drawing.text import text_of

        return text_of(self.graph)

    def to_mermaid(self) -> str:
        """Return the network as a Mermaid flowchart.

        Raises:
            BuildError: these decisions do not make a network.
        """
        from hypernets.domain.architecture.drawing.mermaid import mermaid_of

        return mermaid_of(self)

    def to_svg(self) -> str:
        """Return the network as a self-contained SVG picture.

        Raises:
            BuildError: these decisions do not make a network.
        """
        from hypernets.domain.architecture.drawing.svg import svg_of

        return svg_of(self)

    def _repr_svg_(self) -> str | None:
        """Return what a notebook shows; `None`, so that it shows the text, without a network."""
        try:
            return self.to_svg()
        except BuildError:
            return None

    def evaluation(self) -> Evaluation:
        """Return what computes the values of this architecture's hyperparameters."""
        return Evaluation(self.frozen.ranks, list(self.values))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Architecture):
            return NotImplemented
        return self.frozen is other.frozen and self.key == other.key

    def __hash__(self) -> int:
        return hash((id(self.frozen), self.key))

    def __repr__(self) -> str:
        labels = self.labels
        shown = ", ".join(f"{label}={self.decisions[name]!r}" for name, label in labels.items())
        return f"<Architecture {shown if len(shown) <= 200 else shown[:197] + '...'}>"
