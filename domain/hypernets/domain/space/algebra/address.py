"""Which decision of a space is meant by a name or a label."""

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter import Constant, Decision

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["addressed"]


def addressed(
    space: "HyperSpace", where: str, decisions: Any, named: Mapping[str, Any]
) -> Iterator[tuple[str, Decision, Any]]:
    """Yield what was written, the decision that it means, and what was given for that.

    Args:
        space: the space.
        where: who asks, for messages.
        decisions: a mapping by name or label, or `None`.
        named: by name.

    Raises:
        SpaceError: there is nothing, or something means no decision, or one is meant twice.
    """
    if decisions is not None and not isinstance(decisions, Mapping):
        raise SpaceError(
            f"{where}: decisions must be a mapping of names; received {decisions!r}; "
            f'write {where}({{"units": …}}) or {where}(units=…)'
        )
    given = [*(decisions or {}).items(), *named.items()]
    if not given:
        raise SpaceError(
            f"{where}: at least one decision must be named; received none; "
            f"write {where}(units=…), say"
        )
    met: dict[int, str] = {}
    for key, value in given:
        decision = _decision(space, where, key)
        if decision.index in met:
            raise SpaceError(
                f"{where}: a decision must be given once; received {met[decision.index]!r} and "
                f"{key!r}, which both mean {decision.name!r}; leave one out"
            )
        met[decision.index] = key
        yield key, decision, value


def _decision(space: "HyperSpace", where: str, key: Any) -> Decision:
    found = [d for d in space.decisions if d.name == key]
    found = found or [d for d in space.decisions if d.label == key]
    if len(found) == 1:
        return found[0]
    if found:
        raise SpaceError(
            f"{where}: a label must mean one decision; received {key!r}, the label of "
            f"{', '.join(repr(d.name) for d in found)}; give the name of one"
        )
    raise SpaceError(f"{where}: a name must be that of a decision; received {_reason(space, key)}")


def _reason(space: "HyperSpace", key: Any) -> str:
    for parameter in space.hyperparameters:
        if key in (parameter.name, parameter.label):
            if isinstance(parameter, Constant):
                return f"{key!r}, which is fixed to {parameter.value!r}; leave it out"
            return f"{key!r}, which nothing decides in this space; leave it out"
    known = [name for d in space.decisions for name in (d.name, d.label)]
    near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.4)
    if near:
        return f"{key!r}; did you mean {near[0]!r}?"
    some = ", ".join(repr(d.name) for d in space.decisions[:8]) or "none"
    more = ", …" if len(space.decisions) > 8 else ""
    return f"{key!r}; choose among {some}{more}"
