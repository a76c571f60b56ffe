"""Verifying a space before training: can every architecture be built?

First an exact pass over the shapes of the whole space (`shape_pass`). Where that is not
enough, every architecture of a small space is checked, or a stratified sample of a large one; the
report says which.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.architecture.decider import decide
from hypernets.domain.architecture.enumeration import every_architecture
from hypernets.domain.architecture.evaluation import UNDECIDED
from hypernets.domain.architecture.graph import Shape
from hypernets.domain.architecture.verification.activity import Activity
from hypernets.domain.architecture.verification.cause import irreducible, smallest
from hypernets.domain.architecture.verification.dead_option import dead_options
from hypernets.domain.architecture.verification.effect import without_effect
from hypernets.domain.architecture.verification.option import first_value
from hypernets.domain.architecture.verification.report import (
    Counterexample,
    LayerCoverage,
    VerificationReport,
)
from hypernets.domain.architecture.verification.sample import (
    Judge,
    StratifiedSample,
    minimised,
)
from hypernets.domain.architecture.verification.shape_pass import ShapePass
from hypernets.domain.architecture.verification.structure import reads_of, shared_layers
from hypernets.domain.architecture.verification.value import Fault, Unknown
from hypernets.domain.error import SpaceError
from hypernets.domain.space.frozen import FrozenSpace, Layer, Macro
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["InputShapes", "verify"]

InputShapes = Mapping[str, Sequence[int | None]] | Sequence[Any]
"""Name of an input → shape of the data; or the shapes in the order of the inputs; or one shape."""


def verify(
    frozen: FrozenSpace,
    input_shapes: InputShapes | None = None,
    *,
    limit: int = 20_000,
    seed: int = 0,
) -> VerificationReport:
    """Return whether every architecture of a space can be built, as far as shapes say.

    Nothing is built and no weight is made. A size that is not known (`None`) is taken to fit.

    Args:
        frozen: the space.
        input_shapes: shapes of the data, without the batch, where they are to be checked too or
            where an `Input` leaves sizes open: by name, or in the order of the inputs.
        limit: combinations of decisions that the exact pass tells apart for one layer, about;
            also, architectures that are checked one by one.
        seed: of the samples.

    Raises:
        SpaceError: an argument makes no sense.
    """
    if not hasattr(limit, "__index__") or isinstance(limit, bool) or limit < 1:
        raise SpaceError(f"verify: limit must be an integer >= 1; received {limit!r}")
    if not hasattr(seed, "__index__") or isinstance(seed, bool) or seed < 0:
        raise SpaceError(f"verify: seed must be an integer >= 0; received {seed!r}")
    return _Verification(frozen, _data_of(frozen, input_shapes), int(limit), int(seed)).run()


class _Verification:
    def __init__(
        self, frozen: FrozenSpace, data: Mapping[int, Shape], limit: int, seed: int
    ) -> None:
        self._frozen = frozen
        self._limit = limit
        self._seed = seed
        self._judge = Judge(frozen, data)
        self._shapes = ShapePass(frozen, limit, data)
        self._notes: dict[str, None] = {}
        self._checked = 0
        self._covered = (1.0, 1.0)

    def run(self) -> VerificationReport:
        root = self._shapes.run()
        counterexample = self._smallest(root)
        method = "exact"
        if counterexample is None:
            self._note_gaps(root)
            if self._notes:
                method = "enumerated" if self._is_small() else "sampled"
                counterexample = self._check_one_by_one(method)
        activity = Activity(self._shapes)
        is_proof = counterexample is not None or (method != "sampled" and not self._judge.unknown)
        return VerificationReport(
            counterexample=counterexample,
            is_proof=is_proof,
            layers=self._coverage(method),
            checked=self._checked,
            values_covered=self._covered[0],
            pairs_covered=self._covered[1],
            notes=tuple(self._notes),
            never_chosen=(*activity.idle_modules(), *activity.idle_decisions()),
            dead_options=dead_options(self._shapes, activity, root),
            without_effect=without_effect(self._frozen, self._seed),
        )

    # --- the exact pass -----------------------------------------------------

    def _smallest(self, root: int) -> Counterexample | None:
        """Return a counterexample that the exact pass has found and deciding has confirmed."""
        table = self._shapes.table
        path = table.shortest(root, _is_fault)
        if path is None:
            return None
        architecture = self._completed(self._valued(path))
        numbers = path
        if architecture is not None:  # what it does not need cannot be the cause
            needed = [r for r, value in enumerate(architecture.values) if value is not UNDECIDED]
            numbers = {r: path.get(r, 0) for r in table.support(root) if r in needed}
        cause = irreducible(table, root, path, numbers, _is_fault)
        smaller = smallest(table, root, cause, _is_fault, self._occur)
        if len(smaller) < len(cause):
            architecture, path, cause = self._completed(self._valued(smaller)), smaller, smaller
        fault = table.at(root, path)
        if architecture is not None and self._judge.fault(architecture) is None:
            self._notes[f"a fault was expected and not confirmed: {fault.reason}"] = None
            return None
        return self._counterexample(self._valued(cause), fault, architecture)

    def _valued(self, numbers: Mapping[int, int]) -> dict[int, Any]:
        return {rank: self._shapes.options(rank)[number] for rank, number in numbers.items()}

    def _occur(self, numbers: Mapping[int, int]) -> bool:
        """Say whether the architecture with these decisions, and else the first values, has all."""
        architecture = self._completed(self._valued(numbers))
        return architecture is not None and all(
            architecture.values[rank] is not UNDECIDED for rank in numbers
        )

    def _completed(self, fixed: Mapping[int, Any]) -> Architecture | None:
        """Return the architecture with these decisions and else the first values, if any."""
        frozen = self._frozen

        def choose(decision: Decision) -> Any:
            rank = frozen.ranks[decision.index]
            return fixed[rank] if rank in fixed else first_value(decision)

        try:
            return decide(frozen, choose)
        except SpaceError:  # an op cannot choose: that is the fault
            return None

    def _counterexample(
        self, fixed: Mapping[int, Any], fault: Fault, architecture: Architecture | None
    ) -> Counterexample:
        decisions = [(self._frozen.decisions[rank], fixed[rank]) for rank in sorted(fixed)]
        return Counterexample(
            {decision.name: value for decision, value in decisions},
            {decision.name: decision.label for decision, _ in decisions},
            fault.layer,
            fault.shapes,
            fault.reason,
            architecture,
        )

    def _note_gaps(self, root: int) -> None:
        """Note what the exact pass could not tell."""
        for value in self._shapes.table.values(root):
            if isinstance(value, Unknown):
                self._notes[value.reason] = None
        for position in sorted(self._shapes.inexact):
            name = self._frozen.names[position]
            self._notes[f"the shape of {name!r} depends on a continuous decision"] = None
        modules = {
            node.module.name: i
            for i, node in enumerate(self._frozen.nodes)
            if isinstance(node, Layer)
        }
        for name, positions in self._shapes.names.items():
            if len(positions) > 1 or name in modules:
                self._notes[f"several modules may make a layer named {name!r}"] = None
        together: dict[str, set[tuple[Shape, ...]]] = {}
        for position, name in shared_layers(self._frozen).items():
            together.setdefault(name, set()).update(self._shapes.given.get(position, ()))
        for name, given in together.items():
            if len(given) > 1:
                self._notes[f"the places of the layer {name!r} may be given other shapes"] = None

    # --- one by one ---------------------------------------------------------

    def _is_small(self) -> bool:
        if not all(decision.is_finite for decision in self._frozen.decisions):
            return False
        try:
            return self._frozen.space.count() <= self._limit
        except SpaceError:  # too entangled to be counted
            return False

    def _check_one_by_one(self, method: str) -> Counterexample | None:
        sample = StratifiedSample(self._frozen, self._limit, self._seed)
        architectures: Iterable[Architecture] = sample
        if method == "enumerated":
            architectures = every_architecture(self._frozen)
        try:
            for architecture in architectures:
                self._checked += 1
                fault = self._judge.fault(architecture)
                if fault is not None:
                    return self._minimised(architecture, fault)
        except SpaceError as error:  # an op cannot choose
            return Counterexample({}, {}, "", (), str(error), None)
        finally:
            if method == "sampled":
                self._covered = (sample.values_covered, sample.pairs_covered)
        return None

    def _minimised(self, architecture: Architecture, fault: Fault) -> Counterexample:
        fixed = minimised(
            self._frozen, architecture, lambda other: self._judge.fault(other) is not None
        )
        return self._counterexample(fixed, fault, architecture)

    def _coverage(self, method: str) -> dict[str, LayerCoverage]:
        frozen, shapes = self._frozen, self._shapes
        reads = reads_of(frozen)
        inexact = set(shapes.inexact)
        grown = True
        while grown:  # what reads something inexact is inexact
            more = {i for i, ins in enumerate(reads) if i not in inexact and inexact & set(ins)}
            inexact |= more
            grown = bool(more)
        shared = set() if method == "exact" else set(shared_layers(frozen))
        found: dict[str, LayerCoverage] = {}
        for position, node in enumerate(frozen.nodes):
            diagrams = shapes.diagrams_of(position)
            if not isinstance(node, (Layer, Macro)) or not diagrams:
                continue
            known = not any(
                isinstance(value, Unknown) for d in diagrams for value in shapes.table.values(d)
            )
            exact = known and position not in inexact and position not in shared
            own = "exact" if exact else "unchecked" if method == "exact" else method
            found[frozen.names[position]] = LayerCoverage(own, shapes.cases.get(position, 0))
        return found


def _is_fault(value: Any) -> bool:
    return isinstance(value, Fault)


def _data_of(frozen: FrozenSpace, input_shapes: InputShapes | None) -> dict[int, Shape]:
    """Return, by position of the input, the shape of the data.

    Raises:
        SpaceError: there is no such input, or too few or too many shapes.
    """
    if input_shapes is None:
        return {}
    names = {frozen.names[position]: position for position in frozen.inputs}
    if isinstance(input_shapes, Mapping):
        unknown = [name for name in input_shapes if name not in names]
        if unknown:
            raise SpaceError(
                f"verify: input_shapes must name inputs of the network; received {unknown[0]!r}; "
                f"the inputs are {list(names)}"
            )
        return {names[name]: _shape(shape) for name, shape in input_shapes.items()}
    shapes = list(input_shapes)
    if all(size is None or isinstance(size, int) for size in shapes):
        shapes = [tuple(shapes)]
    if len(shapes) != len(frozen.inputs):
        raise SpaceError(
            f"verify: input_shapes must hold a shape for each of the {len(frozen.inputs)} inputs; "
            f"received {len(shapes)}; the inputs are {list(names)}"
        )
    return {p: _shape(shape) for p, shape in zip(frozen.inputs, shapes, strict=True)}


def _shape(shape: Any) -> Shape:
    if not isinstance(shape, (list, tuple)) or not all(
        size is None or (isinstance(size, int) and size >= 0) for size in shape
    ):
        raise SpaceError(
            f"verify: a shape must be a list of sizes without the batch; received {shape!r}; "
            "write (28, 28, 1), say"
        )
    return tuple(shape)
