"""The search space: what is authored once, frozen, and then asked for architectures."""

import itertools
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.algebra import SpaceAlgebra
from hypernets.domain.space.context import authoring
from hypernets.domain.space.hyperparameter import Decision, ParameterSpace, Rng
from hypernets.domain.space.module import ModuleSpace, parameters_in

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture
    from hypernets.domain.architecture.counting import SpaceCounter
    from hypernets.domain.architecture.decider import Chooser
    from hypernets.domain.architecture.limit import CostBound, LimitedSampler
    from hypernets.domain.architecture.verification import InputShapes, VerificationReport
    from hypernets.domain.space.frozen import FrozenSpace

__all__ = ["HyperSpace", "generator_of"]


class HyperSpace(SpaceAlgebra):
    """A search space.

    Authored under `with space.as_default():`, where modules and hyperparameters register
    themselves; frozen by its first use, after which it cannot be changed.

    Attributes:
        modules: every module, in the order of creation; each is also an attribute by its name.
        hyperparameters: every hyperparameter, in the order of creation; likewise.
        training: keyword → argument of the training, searched like the rest (see `set_training`).
        origin: the space that this one was narrowed from (see `SpaceAlgebra`); itself if authored.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or "space"
        self.modules: list[ModuleSpace] = []
        self.hyperparameters: list[ParameterSpace] = []
        self.training: dict[str, Any] = {}
        self.origin: HyperSpace = self
        self.input_modules: tuple[ModuleSpace, ...] = ()
        self.output_modules: tuple[ModuleSpace, ...] = ()
        self._by_name: dict[str, ModuleSpace | ParameterSpace] = {}
        self._next_number: dict[str, int] = {}
        self._frozen: FrozenSpace | None = None
        self._counter: SpaceCounter | None = None
        self._cost_bound: CostBound | None = None
        self._fingerprint = ""
        self._lock = threading.RLock()

    # --- authoring ----------------------------------------------------------

    def as_default(self) -> "AbstractContextManager[HyperSpace]":
        """Return a context manager under which new modules and hyperparameters belong here."""
        return authoring(self)

    def set_inputs(self, modules: ModuleSpace | Sequence[ModuleSpace]) -> None:
        """Name the modules that the network starts from, in the order of the model's inputs."""
        self.input_modules = self._ends(modules, "set_inputs")

    def set_outputs(self, modules: ModuleSpace | Sequence[ModuleSpace]) -> None:
        """Name the modules whose values the network puts out, in order."""
        self.output_modules = self._ends(modules, "set_outputs")

    def set_training(self, **arguments: Any) -> None:
        """Declare arguments of the training that are searched along with the architecture.

        They are active in every architecture (unless a `Cascade` says otherwise), part of a
        trial's key, and no part of an architecture's signature. Which keywords mean something is
        the estimator's business; the one for Keras takes those of `compile` and `fit`, and
        `learning_rate`.

        Example:
            >>> space = HyperSpace()
            >>> from hypernets.domain.space.hyperparameter import Choice
            >>> with space.as_default():
            ...     space.set_training(batch_size=Choice([16, 32], name="batch"))
            >>> [p.label for p in space.decisions]
            ['batch_size']
        """
        self.require_open("set_training")
        for keyword, value in arguments.items():
            for parameter in parameters_in(value):
                self.require_own(parameter, f"set_training, argument {keyword!r}")
        self.training.update(arguments)

    def __getattr__(self, name: str) -> Any:
        """Return the module or hyperparameter of that name."""
        node = self.__dict__.get("_by_name", {}).get(name)
        if node is None:
            raise AttributeError(
                f"{type(self).__name__} {self.__dict__.get('name', '')!r} has no attribute, module "
                f"or hyperparameter {name!r}"
            )
        return node

    # --- registration, called by the nodes themselves -----------------------

    def register_module(self, module: ModuleSpace, name: str | None) -> tuple[str, int]:
        """Take a new module in; return its name and its position."""
        return self._register(module, name, "Module", self.modules)

    def register_hyperparameter(
        self, parameter: ParameterSpace, name: str | None
    ) -> tuple[str, int]:
        """Take a new hyperparameter in; return its name and its position."""
        return self._register(parameter, name, "Param", self.hyperparameters)

    def _register(
        self, node: Any, name: str | None, kind: str, nodes: list[Any]
    ) -> tuple[str, int]:
        class_name = type(node).__name__
        self.require_open(f"creating {class_name} {name or ''}".rstrip())
        if name is None:
            prefix = f"{kind}_{class_name}_"
            number = self._next_number.get(prefix, 1)
            while f"{prefix}{number}" in self._by_name:
                number += 1
            self._next_number[prefix] = number + 1
            name = f"{prefix}{number}"
        elif not name or not isinstance(name, str):
            raise SpaceError(
                f"{class_name}: name must be a string that is not empty; received {name!r}; "
                "leave it out for a name made up"
            )
        elif name in self._by_name:
            raise SpaceError(
                f"names must be unique in a space; received {name!r} for a {class_name}, which a "
                f"{type(self._by_name[name]).__name__} already has; choose another name"
            )
        self._by_name[name] = node
        nodes.append(node)
        return name, len(nodes) - 1

    def require_own(self, node: ModuleSpace | ParameterSpace, where: str) -> None:
        """Refuse a node of another space.

        Raises:
            SpaceError: `node` was made in another space.
        """
        if node.space is not self:
            hint = "a mutable default such as `hp_dict={}` brings some along from an earlier call; "
            raise SpaceError(
                f"{where}: everything in a space must be made in it; received "
                f"{type(node).__name__} {node.name!r} of another space; "
                f"{hint if isinstance(node, ParameterSpace) else ''}make it anew in this one"
            )

    def require_open(self, what: str) -> None:
        """Refuse a change once the space is frozen.

        Raises:
            SpaceError: the space is frozen.
        """
        if self._frozen is not None:
            raise SpaceError(
                f"{what}: a space must not change once it has been used; received a change after "
                "its first use; author everything before"
            )

    def _ends(
        self, modules: ModuleSpace | Sequence[ModuleSpace], where: str
    ) -> tuple[ModuleSpace, ...]:
        self.require_open(where)
        ends = (modules,) if isinstance(modules, ModuleSpace) else modules
        if not isinstance(ends, (list, tuple)) or not ends:
            raise SpaceError(
                f"{where} must be given at least one module; received {modules!r}; "
                "give a module or a list of modules"
            )
        for module in ends:
            if not isinstance(module, ModuleSpace):
                raise SpaceError(
                    f"{where} must be given modules; received {module!r}; "
                    "give a module or a list of modules"
                )
            self.require_own(module, where)
        return tuple(ends)

    # --- use ----------------------------------------------------------------

    def freeze(self) -> "FrozenSpace":
        """Return the frozen form; made once, at the first use.

        Raises:
            SpaceError: the definition is wrong.
        """
        frozen = self._frozen
        if frozen is None:
            with self._lock:
                frozen = self._frozen
                if frozen is None:
                    from hypernets.domain.space.freezing import freeze

                    frozen = freeze(self)
                    self._frozen = frozen
        return frozen

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Every decision that some architecture needs, in the order of their rank."""
        return self.freeze().decisions

    @property
    def fingerprint(self) -> str:
        """A digest of what this space is, equal for the same space made anew.

        See `hypernets.domain.space.fingerprint` for what counts.
        """
        if not self._fingerprint:
            from hypernets.domain.space.fingerprint import fingerprint_of

            self._fingerprint = fingerprint_of(self.freeze())
        return self._fingerprint

    @property
    def is_finite(self) -> bool:
        """Whether no decision is continuous."""
        return all(decision.is_finite for decision in self.decisions)

    def count(self) -> int | float:
        """Return the exact number of architectures, `inf` where a decision is continuous.

        Architectures are counted by their decisions; several may build the same network.

        Raises:
            SpaceError: the structure is too entangled to be counted exactly.

        Example:
            >>> from hypernets.domain.space.hyperparameter import Choice
            >>> from hypernets.domain.space.operation import Identity, Optional, Sequential
            >>> space = HyperSpace()
            >>> with space.as_default():
            ...     first = Identity(a=Choice([1, 2, 3]))
            ...     _ = Optional(Identity(b=Choice([1, 2])), keep_link=True)(first)
            >>> space.count()  # three with two, or three without
            9
        """
        return self._numbering().count()

    def rank(self, architecture: "Architecture") -> int:
        """Return the number of an architecture of this finite space, from 0 to `count() - 1`.

        Raises:
            SpaceError: it is of another space, or the space is infinite or too entangled.
        """
        return self._numbering().rank(architecture)

    def unrank(self, index: int) -> "Architecture":
        """Return architecture number `index` of this finite space, from 0 to `count() - 1`.

        Raises:
            SpaceError: there is no such number, or the space is infinite or too entangled.
        """
        return self._numbering().unrank(index)

    def enumerate(self, seed: int = 0, start: int = 0) -> "Iterator[Architecture]":
        """Iterate over all architectures of a finite space, each once, in a pseudo-random order.

        Nothing is remembered: `start` takes the order up where an earlier iteration has stopped,
        in another process just as well.

        Args:
            seed: chooses the order, a non-negative integer.
            start: how many to leave out at the beginning.

        Raises:
            SpaceError: the space is infinite or too entangled, or an argument makes no sense.
        """
        for keyword, value in (("seed", seed), ("start", start)):
            if not hasattr(value, "__index__") or isinstance(value, bool) or value < 0:
                raise SpaceError(
                    f"enumerate: {keyword} must be an integer >= 0; received {value!r}; write "
                    f"{keyword}=0, say"
                )
        from hypernets.domain.architecture.permutation import KeyedPermutation

        numbering = self._numbering()
        size = numbering.require_finite()
        order = KeyedPermutation(size, seed)
        # a range would refuse sizes beyond 64 bits
        return (
            numbering.unrank(order(i))
            for i in itertools.takewhile(size.__gt__, itertools.count(start))
        )

    def _numbering(self) -> "SpaceCounter":
        with self._lock:
            if self._counter is None:
                from hypernets.domain.architecture.counting import SpaceCounter

                self._counter = SpaceCounter(self.freeze())
            return self._counter

    def decide(self, chooser: "Chooser") -> "Architecture":
        """Return the architecture that a chooser decides.

        Args:
            chooser: called with a decision exactly when that is certain to be needed; returns its
                value.

        Raises:
            SpaceError: it returned something that is no value of the decision.
        """
        return self.freeze().decide(chooser)

    def sample(self, seed: int | Rng | None = None) -> "Architecture":
        """Return a random architecture, every decision drawn uniformly.

        Args:
            seed: a non-negative integer, or a generator of random numbers, or `None` for a draw
                that cannot be repeated.
        """
        rng = generator_of(seed)
        return self.decide(lambda decision: decision.sample(rng))

    def within(
        self,
        *,
        max_params: int | None = None,
        max_flops: int | None = None,
        max_weight_bytes: int | None = None,
        max_activation_bytes: int | None = None,
        max_depth: int | None = None,
    ) -> "LimitedSampler":
        """Return what samples architectures that keep within limits (see `CostLimit`).

        Raises:
            SpaceError: no limit is given, one is no integer >= 0, or every network exceeds them.

        Example:
            ```python
            small = space.within(max_params=50_000, max_flops=10_000_000)
            architecture = small.sample(seed=0)
            print(small.report())
            ```
        """
        from hypernets.domain.architecture.limit import CostLimit, LimitedSampler

        limit = CostLimit(
            max_params=max_params,
            max_flops=max_flops,
            max_weight_bytes=max_weight_bytes,
            max_activation_bytes=max_activation_bytes,
            max_depth=max_depth,
        )
        return LimitedSampler(self, limit)

    def cost_bound(self) -> "CostBound":
        """Return what bounds the cost of the networks that some decisions allow; made once."""
        with self._lock:
            if self._cost_bound is None:
                from hypernets.domain.architecture.limit import CostBound

                self._cost_bound = CostBound(self.freeze())
            return self._cost_bound

    def architecture(self, decisions: Mapping[str, Any]) -> "Architecture":
        """Return the architecture of given decisions.

        Args:
            decisions: name (or label) of a hyperparameter → value, for exactly the active ones.

        Raises:
            SpaceError: one is missing, unknown, inactive, or has no such value.
        """
        return self.freeze().replay(decisions)

    def describe(self) -> str:
        """Return a readable description: decisions, modules with conditions, and the count.

        Raises:
            SpaceError: the definition is wrong.
        """
        from hypernets.domain.space.description import describe

        return describe(self)

    def verify(
        self, input_shapes: "InputShapes | None" = None, *, limit: int = 20_000, seed: int = 0
    ) -> "VerificationReport":
        """Return whether every architecture can be built, as far as shapes say; builds nothing.

        Args:
            input_shapes: shapes of the data, without the batch: by name of the input, or in order.
            limit: combinations of decisions to be told apart for one layer, about.
            seed: of the samples, where there are some.

        Raises:
            SpaceError: the definition is wrong, or an argument makes no sense.
        """
        from hypernets.domain.architecture.verification import verify

        return verify(self.freeze(), input_shapes, limit=limit, seed=seed)

    def __repr__(self) -> str:
        return (
            f"<HyperSpace {self.name!r}: {len(self.modules)} modules, "
            f"{len(self.hyperparameters)} hyperparameters>"
        )

    def every_architecture(self) -> "Iterator[Architecture]":
        """Iterate over all architectures of a finite space, later decisions turning fastest.

        Raises:
            SpaceError: a decision is continuous.
        """
        from hypernets.domain.architecture.enumeration import every_architecture

        return every_architecture(self.freeze())


def generator_of(seed: Any) -> Rng:
    """Return the source of random numbers of a seed (see `HyperSpace.sample`).

    Raises:
        SpaceError: the seed makes no sense.
    """
    if seed is not None and hasattr(seed, "random"):
        return seed  # type: ignore[no-any-return]
    import numpy as np

    if seed is not None and (
        not hasattr(seed, "__index__")
        or isinstance(seed, bool)
        or seed < 0
        or not math.isfinite(seed)
    ):
        raise SpaceError(
            f"seed must be an integer >= 0, a random generator, or None; received {seed!r}; "
            "leave it out for a draw that cannot be repeated"
        )
    return np.random.default_rng(seed)
