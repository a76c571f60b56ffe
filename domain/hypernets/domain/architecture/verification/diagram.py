"""Decision diagrams: a value for every assignment of the decisions, without listing these.

An ordered, reduced diagram with several branches a vertex. Vertices are numbers; two diagrams of
one table are equal exactly if their numbers are. A decision that makes no difference does not
occur, so what collapses in a network (two branches that lead to one shape) collapses here.

References:
    Bryant (1986), "Graph-Based Algorithms for Boolean Function Manipulation"; Srinivasan et al.
    (1990), "Algorithms for Discrete Function Manipulation", for several branches and values.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

__all__ = ["DiagramTable", "TooLargeError"]

_BELOW_ALL = 1 << 60  # a leaf comes after every decision
_DEPTH_LIMIT = 200  # decisions on one path; the recursions below stay clear of Python's own limit


class TooLargeError(Exception):
    """A diagram needs more steps than it was given."""


class DiagramTable:
    """The diagrams over some decisions, which are tested in the order of their ranks.

    Attributes:
        steps: how many vertices may still be visited before `TooLargeError` is raised; to be set
            anew before each piece of work.
    """

    def __init__(self, size_of: Callable[[int], int]) -> None:
        """Begin with no diagram; `size_of` gives the number of branches by rank."""
        self.size_of = size_of
        self._ranks: list[int] = []
        self._children: list[tuple[int, ...]] = []
        self._values: list[Any] = []
        self._leaves: dict[Hashable, int] = {}
        self._branches: dict[tuple[int, tuple[int, ...]], int] = {}
        self.steps = 0

    def leaf(self, value: Hashable) -> int:
        """Return the diagram that has this value whatever is decided."""
        found = self._leaves.get(value)
        if found is None:
            found = self._leaves[value] = self._add(_BELOW_ALL, (), value)
        return found

    def case(self, rank: int, children: Sequence[int]) -> int:
        """Return the diagram that is `children[i]` where decision `rank` has value number `i`."""
        if all(child == children[0] for child in children):
            return children[0]
        if all(self._ranks[child] >= rank for child in children):
            below = [self._at_branch(child, rank, i) for i, child in enumerate(children)]
            return self._branch(rank, tuple(below))
        chooser = self._branch(rank, tuple(self.leaf(("case", i)) for i in range(len(children))))
        return self._selected(chooser, tuple(children), {}, 0)

    def combine(self, function: Callable[..., Hashable], diagrams: Sequence[int]) -> int:
        """Return the diagram of a function of the values of some diagrams."""
        return self._combined(function, tuple(diagrams), {}, 0)

    def bind(self, diagram: int, function: Callable[[Any], int]) -> int:
        """Return the diagram that is `function(value)` wherever `diagram` has that value."""
        return self._bound(diagram, function, {}, 0)

    def values(self, diagram: int, numbers: Mapping[int, int] | None = None) -> list[Any]:
        """Return the different values that a diagram has, in the order of its branches.

        Args:
            diagram: the diagram.
            numbers: an assignment; only the values of its completions are returned.
        """
        reached = self._reached(diagram, numbers)
        return [self._values[vertex] for vertex in reached if self._is_leaf(vertex)]

    def support(self, diagram: int) -> list[int]:
        """Return the ranks of the decisions that make a difference, in order."""
        reached = self._reached(diagram)
        return sorted({self._ranks[vertex] for vertex in reached if not self._is_leaf(vertex)})

    def at(self, diagram: int, numbers: Mapping[int, int]) -> Any:
        """Return the value under an assignment, the first branch taken where it has none."""
        while not self._is_leaf(diagram):
            diagram = self._children[diagram][numbers.get(self._ranks[diagram], 0)]
        return self._values[diagram]

    def always(
        self, diagram: int, numbers: Mapping[int, int], is_one: Callable[[Any], bool]
    ) -> bool:
        """Say whether every completion of an assignment leads to a value of which that holds."""
        seen, stack = {diagram}, [diagram]
        while stack:
            vertex = stack.pop()
            if self._is_leaf(vertex):
                if not is_one(self._values[vertex]):
                    return False
                continue
            rank, children = self._ranks[vertex], self._children[vertex]
            following = (children[numbers[rank]],) if rank in numbers else children
            stack.extend(child for child in following if child not in seen)
            seen.update(following)
        return True

    def shortest(self, diagram: int, is_one: Callable[[Any], bool]) -> dict[int, int] | None:
        """Return the assignment on a path of fewest decisions to a value of which that holds.

        Among these, the first in the order of the branches; `None` where there is no such value.
        """
        best: dict[int, dict[int, int] | None] = {}
        for vertex in self._reached(diagram):  # children first
            if self._is_leaf(vertex):
                best[vertex] = {} if is_one(self._values[vertex]) else None
                continue
            found: dict[int, int] | None = None
            for number, child in enumerate(self._children[vertex]):
                below = best[child]
                if below is not None and (found is None or len(below) + 1 < len(found)):
                    found = {self._ranks[vertex]: number, **below}
            best[vertex] = found
        return best[diagram]

    # --- within -------------------------------------------------------------

    def _add(self, rank: int, children: tuple[int, ...], value: Any) -> int:
        self._ranks.append(rank)
        self._children.append(children)
        self._values.append(value)
        return len(self._ranks) - 1

    def _branch(self, rank: int, children: tuple[int, ...]) -> int:
        if children.count(children[0]) == len(children):
            return children[0]
        found = self._branches.get((rank, children))
        if found is None:
            found = self._branches[rank, children] = self._add(rank, children, None)
        return found

    def _is_leaf(self, vertex: int) -> bool:
        return self._ranks[vertex] == _BELOW_ALL

    def _reached(self, diagram: int, numbers: Mapping[int, int] | None = None) -> list[int]:
        """Return the vertices of a diagram, children before parents, first branches first."""
        order: list[int] = []
        seen = {diagram}
        stack = [(diagram, iter(self._following(diagram, numbers)))]
        while stack:
            vertex, rest = stack[-1]
            for child in rest:
                if child not in seen:
                    seen.add(child)
                    stack.append((child, iter(self._following(child, numbers))))
                    break
            else:
                order.append(vertex)
                stack.pop()
        return order

    def _following(self, vertex: int, numbers: Mapping[int, int] | None) -> tuple[int, ...]:
        """Return the children of a vertex that an assignment allows."""
        children = self._children[vertex]
        number = None if not numbers else numbers.get(self._ranks[vertex])
        return children if number is None else (children[number],)

    def _at_branch(self, vertex: int, rank: int, number: int) -> int:
        return self._children[vertex][number] if self._ranks[vertex] == rank else vertex

    def _step(self, depth: int) -> None:
        self.steps -= 1
        if self.steps < 0 or depth > _DEPTH_LIMIT:
            raise TooLargeError

    def _combined(
        self,
        function: Callable[..., Hashable],
        diagrams: tuple[int, ...],
        known: dict[tuple[int, ...], int],
        depth: int,
    ) -> int:
        found = known.get(diagrams)
        if found is not None:
            return found
        self._step(depth)
        rank = min(self._ranks[diagram] for diagram in diagrams)
        if rank == _BELOW_ALL:
            found = self.leaf(function(*[self._values[diagram] for diagram in diagrams]))
        else:
            children = []
            for number in range(self.size_of(rank)):
                below = tuple([self._at_branch(d, rank, number) for d in diagrams])
                children.append(self._combined(function, below, known, depth + 1))
            found = self._branch(rank, tuple(children))
        known[diagrams] = found
        return found

    def _selected(
        self,
        chooser: int,
        options: tuple[int, ...],
        known: dict[tuple[int, ...], int],
        depth: int,
    ) -> int:
        """Return `options[i]` where `chooser` has the value `("case", i)`."""
        if self._is_leaf(chooser):
            number: int = self._values[chooser][1]
            return options[number]
        key = (chooser, *options)
        found = known.get(key)
        if found is not None:
            return found
        self._step(depth)
        rank = min(self._ranks[vertex] for vertex in key)
        children = []
        for number in range(self.size_of(rank)):
            below = tuple([self._at_branch(option, rank, number) for option in options])
            next_chooser = self._at_branch(chooser, rank, number)
            children.append(self._selected(next_chooser, below, known, depth + 1))
        found = self._branch(rank, tuple(children))
        known[key] = found
        return found

    def _bound(
        self, vertex: int, function: Callable[[Any], int], known: dict[int, int], depth: int
    ) -> int:
        found = known.get(vertex)
        if found is not None:
            return found
        self._step(depth)
        if self._is_leaf(vertex):
            found = function(self._values[vertex])
        else:
            below = [self._bound(c, function, known, depth + 1) for c in self._children[vertex]]
            found = self.case(self._ranks[vertex], below)
        known[vertex] = found
        return found
