"""Architectures of one space in another that was narrowed from it, and the other way round."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.history.key import canonical
from hypernets.domain.space.hyperparameter import Constant, Decision

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["adopt"]


class _OutsideError(Exception):
    """The decisions given make no architecture of the space."""


def adopt(space: "HyperSpace", given: Any) -> Architecture | None:
    """Return an architecture in another space (see `SpaceAlgebra.adopt`)."""
    frozen = space.freeze()
    held = getattr(given, "architecture", None)
    if isinstance(held, Architecture):  # of a trial
        given = held
    if not isinstance(given, Architecture):
        made = _decided(space, _by_name(space, given), {})
        return None if made is None or not _is_on_record(made, given) else made
    if given.frozen is frozen:
        return given
    source = given.frozen.space
    _require_related(space, source)
    fixed = {name: value for name, (_, value) in _fixed(source).items()}
    # by way of the authored space, where what is fixed is decided if it is needed
    authored = _decided(source.origin, given.decisions, fixed)
    return None if authored is None else _decided(space, authored.decisions, {})


def _is_on_record(architecture: Architecture, given: Any) -> bool:
    """Say whether an architecture is what a record tells of: what it lacks may be fixed here."""
    signature = getattr(given, "signature", "")
    if not signature:  # of decisions alone, or of some that make no network
        return True
    try:
        told = (signature, canonical(given.training))
        return (architecture.signature, canonical(architecture.training)) == told
    except BuildError:
        return False


def _require_related(space: "HyperSpace", source: "HyperSpace") -> None:
    if source.origin is space.origin or source.origin.fingerprint == space.origin.fingerprint:
        return
    raise SpaceError(
        "an architecture must be of this space, or of one that was narrowed from the same; "
        f"received one of {source.name!r} for {space.name!r}; make it anew with "
        "space.architecture(decisions)"
    )


def _by_name(space: "HyperSpace", given: Any) -> dict[str, Any]:
    """Return decisions by name; those of a mapping may be by label."""
    decisions = getattr(given, "decisions", given)
    if not isinstance(decisions, Mapping):
        raise SpaceError(
            "what is adopted must be an architecture, a trial or a mapping of decisions; received "
            f"{given!r}; give trial.decisions, say"
        )
    names = {parameter.label: parameter.name for parameter in space.hyperparameters}
    names.update((parameter.name, parameter.name) for parameter in space.hyperparameters)
    return {names.get(key) or str(key): value for key, value in decisions.items()}


def _fixed(space: "HyperSpace") -> dict[str, tuple[Decision, Any]]:
    """Return name → decision and value, of what is decided in the authored space and fixed here."""
    authored = space.origin.hyperparameters
    return {
        parameter.name: (origin, parameter.value)
        for parameter, origin in zip(space.hyperparameters, authored, strict=False)
        if isinstance(parameter, Constant) and isinstance(origin, Decision)
    }


def _decided(
    space: "HyperSpace", decisions: Mapping[str, Any], fixed: Mapping[str, Any]
) -> Architecture | None:
    """Return the architecture that makes decisions, `None` if there is none.

    Args:
        space: the space.
        decisions: name → value; each must be made, or be fixed to that value.
        fixed: name → value; each may be made.
    """
    missing = dict(decisions)

    def choose(decision: Decision) -> Any:
        if decision.name in missing:
            value = missing.pop(decision.name)
        elif decision.name in fixed:
            value = fixed[decision.name]
        else:
            raise _OutsideError
        try:
            return decision.normalise(value)
        except SpaceError:
            raise _OutsideError from None

    try:
        architecture = space.decide(choose)
    except _OutsideError:
        return None
    except SpaceError:  # an op cannot choose: no architecture comes of these decisions
        return None
    here = _fixed(space)
    for name, value in missing.items():
        if name not in here or not _is_same(*here[name], value):
            return None
    return architecture


def _is_same(decision: Decision, value: Any, other: Any) -> bool:
    try:
        if decision.is_finite:
            return decision.index_of(value) == decision.index_of(other)
        return bool(decision.normalise(value) == decision.normalise(other))
    except SpaceError:
        return False
