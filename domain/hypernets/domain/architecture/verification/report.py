"""What a verification has found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from hypernets.domain.architecture.graph import Shape

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture

__all__ = ["Counterexample", "DeadOption", "LayerCoverage", "VerificationReport"]

_SHOWN = 12  # options of a kind that the text of a report lists


@attrs.frozen
class Counterexample:
    """Decisions with which no network can be built, whatever the others are.

    Attributes:
        decisions: name of a hyperparameter → value; none of them can be left out. Empty where
            every architecture fails.
        labels: name → label, of these.
        layer: name of the layer that does not fit.
        input_shapes: what feeds it, the batch first.
        reason: the message.
        architecture: one that has these decisions; `None` where an op cannot choose, so that no
            architecture comes of them.
    """

    decisions: Mapping[str, Any]
    labels: Mapping[str, str]
    layer: str
    input_shapes: tuple[Shape, ...]
    reason: str
    architecture: "Architecture | None"

    def __str__(self) -> str:
        """Return it as text."""
        made = ", ".join(f"{self.labels[name]}={value!r}" for name, value in self.decisions.items())
        fed = ", ".join(map(str, self.input_shapes)) or "nothing"
        reason = self.reason.removeprefix(f"{self.layer!r}: ")
        return f"{made or 'whatever is decided'}: {self.layer!r}, fed by {fed}: {reason}"


@attrs.frozen
class LayerCoverage:
    """How one layer or macro was verified.

    Attributes:
        method: `"exact"`: for every combination of the decisions that matter to it;
            `"enumerated"`: in every architecture of the space; `"sampled"`: in some;
            `"unchecked"`: not for all, as a counterexample was found without it.
        cases: how often its shape was inferred by the exact pass.
    """

    method: str
    cases: int


@attrs.frozen
class DeadOption:
    """An option that a space offers for nothing.

    Attributes:
        name: of the hyperparameter that chooses.
        label: of it, as a log prints it: the op and its keyword, of a decision its label.
        value: the option: a value of the decision; of an op, the position of a subgraph, the
            number of steps, whether it is kept, or the position of an input.
        reason: `"never selected"`: no architecture takes it; `"always fails"`: architectures do,
            but no network can be built of any.
    """

    name: str
    label: str
    value: Any
    reason: str

    def __str__(self) -> str:
        """Return it as text."""
        return f"{self.label}={self.value!r}"


@attrs.frozen
class VerificationReport:
    """What a verification has found.

    Attributes:
        counterexample: why not every architecture can be built, or `None` where nothing was found.
        is_proof: whether the answer holds for every architecture: each is known to fit, or there
            is a counterexample.
        layers: name of each layer and macro that may be needed → how it was verified.
        checked: architectures that were checked one by one, where the exact pass was not enough.
        values_covered: share of the values of all decisions that occur in what was checked; 1 for
            an exact pass or an enumeration. Of a continuous decision, both ends and the middle.
        pairs_covered: likewise, of pairs of values of two decisions.
        notes: what stands in the way of a proof.
        never_chosen: names of modules that no architecture contains, and of hyperparameters that
            none needs.
        dead_options: options that no architecture takes, and those with which no network can be
            built. Of modules and hyperparameters in `never_chosen`, none are listed.
        without_effect: labels of the decisions that have not changed the signature of any
            architecture they were varied in. Tested on samples: an indication, no proof.
    """

    counterexample: Counterexample | None
    is_proof: bool
    layers: Mapping[str, LayerCoverage]
    checked: int
    values_covered: float
    pairs_covered: float
    notes: tuple[str, ...]
    never_chosen: tuple[str, ...]
    dead_options: tuple[DeadOption, ...]
    without_effect: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no counterexample was found."""
        return self.counterexample is None

    def __str__(self) -> str:
        """Return it as text of several lines."""
        if self.counterexample is not None:
            lines = [f"cannot always be built: {self.counterexample}"]
        elif self.is_proof:
            lines = ["every architecture can be built"]
        else:
            lines = [
                f"no fault found in {self.checked:,} architectures, which is no proof: they cover "
                f"{self.values_covered:.0%} of the values and {self.pairs_covered:.0%} of the pairs"
            ]
        methods = [coverage.method for coverage in self.layers.values()]
        counts = [f"{methods.count(m)} {m}" for m in dict.fromkeys(methods)]
        lines.append(f"layers: {', '.join(counts) or 'none'}")
        lines += [f"note: {note}" for note in self.notes]
        if self.never_chosen:
            lines.append(f"never chosen: {', '.join(self.never_chosen)}")
        for reason in dict.fromkeys(option.reason for option in self.dead_options):
            dead = [str(option) for option in self.dead_options if option.reason == reason]
            more = [f"and {len(dead) - _SHOWN:,} more"] if len(dead) > _SHOWN else []
            lines.append(f"{reason}: {', '.join([*dead[:_SHOWN], *more])}")
        if self.without_effect:
            lines.append(f"without effect: {', '.join(self.without_effect)}")
        return "\n".join(lines)
