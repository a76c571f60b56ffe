"""What is needed whatever is chosen: the static half of deciding.

For every node and hyperparameter, the set of decisions and switches that are needed whenever it
is: the union over what it always reads, the intersection over what it may read. A set is the bits
of an integer: the decisions by rank, then the switches.
"""

from collections.abc import Iterable, Sequence

import attrs

from hypernets.domain.space.hyperparameter import Cascade

__all__ = ["Certainty", "Equation", "reach", "solve"]


@attrs.frozen(slots=True)
class Certainty:
    """The certain sets of a frozen space.

    Attributes:
        roots: what every architecture needs.
        of_node: by position of the node.
        of_parameter: by index of the hyperparameter.
        switches: by bit number less the number of decisions: the position of a `Mux` or `Pick`,
            or a `Cascade`.
        equations: what all of this was computed from: the nodes, then the hyperparameters.
        is_complete: whether every `Cascade` is known by all that it may return.
    """

    roots: int
    of_node: tuple[int, ...]
    of_parameter: tuple[int, ...]
    switches: tuple[int | Cascade, ...]
    equations: "tuple[Equation, ...]"
    is_complete: bool


@attrs.frozen(slots=True)
class Equation:
    """The certain set of one thing, in terms of others by their positions.

    Attributes:
        own: the bits of the thing itself.
        always: what it reads whatever is chosen.
        alternatives: what it reads besides, one entry a choice; all of them are possible.
    """

    own: int = 0
    always: tuple[int, ...] = ()
    alternatives: tuple[tuple[int, ...], ...] = ()


def solve(equations: Sequence[Equation]) -> list[int]:
    """Return the greatest solution.

    The greatest, because a `Permutation` is cyclic as it stands: what all orders have in common is
    certain, though each reads it through the others.

    Example:
        >>> a, b = Equation(own=1), Equation(own=2, alternatives=((0,), ()))
        >>> solve([a, b, Equation(own=4, always=(1,), alternatives=((0,), (0, 1)))])
        [1, 2, 7]
    """
    everything = 0
    for equation in equations:
        everything |= equation.own
    solution = [everything] * len(equations)
    order = _postorder(equations)
    changed = True
    while changed:
        changed = False
        for position in order:
            equation = equations[position]
            bits = equation.own
            for other in equation.always:
                bits |= solution[other]
            if equation.alternatives:
                common = everything
                for alternative in equation.alternatives:
                    read = 0
                    for other in alternative:
                        read |= solution[other]
                    common &= read
                bits |= common
            if bits != solution[position]:
                solution[position] = bits
                changed = True
    return solution


def reach(equations: Sequence[Equation]) -> list[int]:
    """Return, for each thing, all that it could make needed: the least solution, by union alone."""
    solution = [0] * len(equations)
    order = _postorder(equations)
    changed = True
    while changed:
        changed = False
        for position in order:
            bits = equations[position].own
            for other in _reads(equations[position]):
                bits |= solution[other]
            if bits != solution[position]:
                solution[position] = bits
                changed = True
    return solution


def _postorder(equations: Sequence[Equation]) -> list[int]:
    """Return all positions, each after those it reads wherever there is no cycle."""
    order: list[int] = []
    seen = bytearray(len(equations))
    for start in range(len(equations)):
        if seen[start]:
            continue
        seen[start] = 1
        stack = [(start, iter(_reads(equations[start])))]
        while stack:
            position, rest = stack[-1]
            for other in rest:
                if not seen[other]:
                    seen[other] = 1
                    stack.append((other, iter(_reads(equations[other]))))
                    break
            else:
                order.append(position)
                stack.pop()
    return order


def _reads(equation: Equation) -> Iterable[int]:
    yield from equation.always
    for alternative in equation.alternatives:
        yield from alternative
