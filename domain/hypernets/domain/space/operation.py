"""Ops: the modules that hold alternatives, and those that choose or pass on what feeds them.

An op takes modules or whole subgraphs: the connected component of each module given, as it stands
when the space is frozen. Its sources are fed by what the op is fed, its sinks feed on.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter import (
    Bool,
    Choice,
    Constant,
    Decision,
    MultipleChoice,
    ParameterSpace,
)
from hypernets.domain.space.module import ModuleSpace
from hypernets.domain.space.selection import check_selector, is_position

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = [
    "ConnectLooseEnd",
    "HyperInput",
    "Identity",
    "InputChoice",
    "Optional",
    "Or",
    "Permutation",
    "Permutations",
    "Repeat",
    "Sequential",
]


class Identity(ModuleSpace):
    """Passes its inputs on; may hold hyperparameters of its own as keyword arguments."""

    def __init__(
        self, *, name: str | None = None, space: "HyperSpace | None" = None, **arguments: Any
    ) -> None:
        super().__init__(arguments, name=name, space=space)


class HyperInput(Identity):
    """Passes on what feeds it: a named entry of a subgraph."""


class _Operation(ModuleSpace):
    """A module that owns subgraphs."""

    keyword = ""  # of the hyperparameter that selects

    def __init__(self, *, name: str | None, space: "HyperSpace | None") -> None:
        super().__init__(name=name, space=space)
        self._alternatives: list[ModuleSpace] = []

    @property
    def alternatives(self) -> Sequence[ModuleSpace]:
        """One module of each subgraph that the op owns, in order."""
        return tuple(self._alternatives)

    @property
    def selector(self) -> ParameterSpace | None:
        """The hyperparameter that selects, or `None`."""
        return self.arguments.get(self.keyword)

    def _own(self, modules: Any, role: str) -> None:
        if isinstance(modules, ModuleSpace) or not isinstance(modules, (list, tuple)):
            raise SpaceError(
                f"{self.name!r}: {role} must be a list of modules; received {modules!r}; "
                "put the modules in [ ]"
            )
        if not modules:
            raise SpaceError(
                f"{self.name!r}: {role} must hold at least one module; received an empty list; "
                "leave the op out where there is nothing to hold"
            )
        for module in modules:
            if not isinstance(module, ModuleSpace):
                raise SpaceError(
                    f"{self.name!r}: {role} must hold modules only; received {module!r} "
                    f"of type {type(module).__name__}; wrap it in a layer of the space"
                )
            self.space.require_own(module, f"{role} of {self.name!r}")
            if module.used_as_argument:
                raise SpaceError(
                    f"{self.name!r}: {role} must not hold a layer used as an argument; received "
                    f"{module.name!r}; make another layer for that place"
                )
        self._alternatives = list(modules)

    @property
    def selectable(self) -> str:
        """What a value of the hyperparameter that selects must be, in words."""
        return f"a position from 0 to {len(self._alternatives) - 1}"

    def fits(self, value: Any) -> bool:
        """Say whether a value of the hyperparameter selects something."""
        return is_position(value, len(self._alternatives))

    def _select(self, given: Any, make: Callable[[], Decision]) -> ParameterSpace:
        """Keep the hyperparameter that selects, under its keyword, once it is checked."""
        if given is None:
            selector: ParameterSpace = make()
        elif isinstance(given, ParameterSpace):
            self.space.require_own(given, f"{self.name!r}, argument {self.keyword!r}")
            selector = given
        else:
            selector = Constant(given, space=self.space)
        if given is not None:
            check_selector(self, selector)
        self.arguments[self.keyword] = selector
        return selector


class Sequential(_Operation):
    """Chains subgraphs: each feeds the next.

    Args:
        module_list: one module of each subgraph, in order.
    """

    def __init__(
        self,
        module_list: Sequence[ModuleSpace],
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        super().__init__(name=name, space=space)
        self._own(module_list, "module_list")


class Or(_Operation):
    """Keeps one of several subgraphs.

    Args:
        module_list: one module of each subgraph.
        hp_or: decides which, by position; made up when absent.
    """

    keyword = "hp_or"

    def __init__(
        self,
        module_list: Sequence[ModuleSpace],
        hp_or: Any = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        super().__init__(name=name, space=space)
        self._own(module_list, "module_list")
        count = len(self._alternatives)
        self.hp_or = self._select(hp_or, lambda: Choice(range(count), space=self.space))


class Optional(_Operation):
    """Keeps a subgraph or leaves it out.

    Args:
        module: a module of the subgraph.
        keep_link: whether what feeds it goes past it when it is left out. Without the link there
            is a cut, which is an error unless a merge absorbs it.
        hp_opt: decides whether it is kept; made up when absent.
    """

    keyword = "hp_opt"

    def __init__(
        self,
        module: ModuleSpace,
        keep_link: bool = False,
        hp_opt: Any = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        super().__init__(name=name, space=space)
        self._own([module], "module")
        self.keep_link = bool(keep_link)
        self.hp_opt = self._select(hp_opt, lambda: Bool(space=self.space))

    @property
    def selectable(self) -> str:
        """What a value of `hp_opt` must be, in words."""
        return "True or False"

    def fits(self, value: Any) -> bool:
        """Say whether a value of `hp_opt` says whether."""
        return isinstance(value, (bool, int, float)) and value in (0, 1)


class Repeat(_Operation):
    """Chains as many of the subgraphs that a function builds as is decided.

    Args:
        module_fn: called once for each step, `0 … max(repeat_num_choices) - 1`; returns a module.
        repeat_num_choices: how many there may be; 0 passes on what feeds the op.
        hp_repeat_num: decides how many; made up when absent.
    """

    keyword = "hp_repeat_num"

    def __init__(
        self,
        module_fn: Callable[[int], ModuleSpace],
        repeat_num_choices: Sequence[int] = (2, 3, 4),
        hp_repeat_num: Any = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        super().__init__(name=name, space=space)
        _require_function(self.name, module_fn)
        counts = _repeat_counts(self.name, repeat_num_choices)
        self._most = max(counts)
        self.hp_repeat_num = self._select(hp_repeat_num, lambda: Choice(counts, space=self.space))
        modules = [self._step(module_fn, step) for step in range(self._most)]
        if modules:
            self._own(modules, "what module_fn returned")

    @property
    def selectable(self) -> str:
        """What a value of `hp_repeat_num` must be, in words."""
        return f"a number from 0 to {self._most}"

    def fits(self, value: Any) -> bool:
        """Say whether a value of `hp_repeat_num` is a number of steps that were built."""
        return is_position(value, self._most + 1)

    def _step(self, module_fn: Callable[[int], ModuleSpace], step: int) -> ModuleSpace:
        module = module_fn(step)
        if not isinstance(module, ModuleSpace):
            raise SpaceError(
                f"{self.name!r}: module_fn must return a module; received {module!r} for step "
                f"{step}; end the function in `return module`"
            )
        return module


class Permutation(_Operation):
    """Chains subgraphs in an order that is decided.

    Args:
        module_list: one module of each subgraph.
        hp_seq: decides the order, a permutation of the positions; made up when absent, over
            `itertools.permutations`.
    """

    keyword = "hp_seq"

    def __init__(
        self,
        module_list: Sequence[ModuleSpace],
        hp_seq: Any = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        super().__init__(name=name, space=space)
        self._own(module_list, "module_list")
        count = len(self._alternatives)
        self.hp_seq = self._select(hp_seq, lambda: Choice(Permutations(count), space=self.space))

    @property
    def selectable(self) -> str:
        """What a value of `hp_seq` must be, in words."""
        return f"an order of the positions 0 to {len(self._alternatives) - 1}"

    def fits(self, value: Any) -> bool:
        """Say whether a value of `hp_seq` is a permutation of the positions."""
        count = len(self._alternatives)
        return (
            isinstance(value, (list, tuple))
            and len(value) == count
            and all(is_position(item, count) for item in value)
            and len(set(value)) == count
        )


class InputChoice(ModuleSpace):
    """Passes on some of the modules that feed it.

    Args:
        inputs: the modules to choose from, as the list is now; what is appended to it later is not
            chosen from.
        max_chosen_num: how many may be kept at most; 0 for any number. At least one is kept.
        hp_choice: decides which, a list of positions; made up when absent.
    """

    keyword = "hp_choice"

    def __init__(
        self,
        inputs: Sequence[ModuleSpace],
        max_chosen_num: int = 0,
        hp_choice: Any = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        super().__init__(name=name, space=space)
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise SpaceError(
                f"{self.name!r}: inputs must be a list of at least one module; received "
                f"{inputs!r}; give the modules to choose from"
            )
        for module in inputs:
            if not isinstance(module, ModuleSpace):
                raise SpaceError(
                    f"{self.name!r}: inputs must hold modules only; received {module!r} of type "
                    f"{type(module).__name__}; give the modules to choose from"
                )
            self.space.require_own(module, f"inputs of {self.name!r}")
        self.choices = tuple(inputs)
        if hp_choice is None:
            hp_choice = MultipleChoice(range(len(inputs)), max_chosen_num, space=self.space)
        elif isinstance(hp_choice, ParameterSpace):
            self.space.require_own(hp_choice, f"{self.name!r}, argument 'hp_choice'")
        else:
            hp_choice = Constant(hp_choice, space=self.space)
        self.hp_choice: ParameterSpace = hp_choice
        self.arguments["hp_choice"] = hp_choice
        check_selector(self, hp_choice)

    @property
    def selector(self) -> ParameterSpace:
        """The hyperparameter that selects."""
        return self.hp_choice

    @property
    def selectable(self) -> str:
        """What a value of `hp_choice` must be, in words."""
        return f"a list of positions from 0 to {len(self.choices) - 1}"

    def fits(self, value: Any) -> bool:
        """Say whether a value of `hp_choice` keeps at least one input."""
        positions = value if isinstance(value, (list, tuple)) else [value]
        return bool(positions) and all(is_position(item, len(self.choices)) for item in positions)


class ConnectLooseEnd(ModuleSpace):
    """Passes on those of its inputs that nothing else leading into it uses.

    "Uses" is decided in each architecture, on the authored modules. At least one input is passed
    on, and the op gates no decision.

    Args:
        inputs: the modules it is going to be called on; kept for the reader.
    """

    def __init__(
        self,
        inputs: Sequence[ModuleSpace] | None = None,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        super().__init__(name=name, space=space)
        self.choices = tuple(inputs or ())


class Permutations(Sequence[tuple[int, ...]]):
    """All orders of `range(n)`, in the order of `itertools.permutations`, none of them stored."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.length = math.factorial(n)  # may be more than `len` can say

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> tuple[int, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[int, ...]]: ...
    def __getitem__(self, index: int | slice) -> "tuple[int, ...] | Sequence[tuple[int, ...]]":
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.length))]
        if index < 0:
            index += self.length
        if not 0 <= index < self.length:
            raise IndexError(index)
        left, order = list(range(self.n)), []
        for position in range(self.n):
            digit, index = divmod(index, math.factorial(self.n - position - 1))
            order.append(left.pop(digit))
        return tuple(order)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return itertools.permutations(range(self.n))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (list, tuple)) and sorted(value) == list(range(self.n))

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the position of an order.

        Raises:
            ValueError: it is no permutation of `range(n)`.
        """
        if value not in self:
            raise ValueError(f"{value!r} is no permutation of 0 … {self.n - 1}")
        left, rank = list(range(self.n)), 0
        for position, item in enumerate(value):
            digit = left.index(item)
            left.pop(digit)
            rank += digit * math.factorial(self.n - position - 1)
        return rank


def _require_function(name: str, function: Any) -> None:
    if isinstance(function, ModuleSpace) or not callable(function):  # a module can be called too
        raise SpaceError(
            f"{name!r}: module_fn must be a function of the step; received {function!r}; "
            "write lambda step: ..."
        )


def _repeat_counts(name: str, choices: Any) -> tuple[int, ...]:
    if isinstance(choices, int) and not isinstance(choices, bool):
        choices = [choices]
    if not isinstance(choices, (list, tuple, range)) or not choices:
        raise SpaceError(
            f"{name!r}: repeat_num_choices must be a list of at least one number; "
            f"received {choices!r}; give the numbers of steps to choose from, say [1, 2]"
        )
    for count in choices:
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise SpaceError(
                f"{name!r}: repeat_num_choices must hold integers >= 0; received {count!r}; "
                "0 passes on what feeds the op"
            )
    return tuple(choices)
