"""Random programs of the space language, against an interpreter of the authored modules.

The interpreter below knows nothing of the frozen form: it reads the modules as they were written,
given a value for every hyperparameter, and says which decisions are needed and what network comes
of it.
"""

import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernets.domain.error import BuildError
from hypernets.domain.space import (
    Bool,
    Cascade,
    Choice,
    ConnectLooseEnd,
    Constant,
    Decision,
    Dynamic,
    HyperInput,
    HyperSpace,
    Identity,
    InputChoice,
    Int,
    LayerModule,
    ModuleSpace,
    MultipleChoice,
    Optional,
    Or,
    ParameterSpace,
    Permutation,
    Real,
    Repeat,
    Sequential,
)


class Input(LayerModule):
    is_input = True


class Unit(LayerModule):
    pass


class Merge(LayerModule):
    pass


Pick = Callable[[int], int]
"""Returns a number in `[0, n)`."""


# --- a generator of programs ------------------------------------------------


class Author:
    """Writes one random space. Everything it does depends on `pick` alone."""

    def __init__(self, pick: Pick, *, finite: bool = False, fragments: int = 4) -> None:
        self.pick = pick
        self.finite = finite
        self.fragments = fragments
        self.budget = 14  # fragments in all, nested ones included
        self.shared: dict[str, list[ParameterSpace]] = {}

    def write(self) -> HyperSpace:
        space = HyperSpace()
        with space.as_default():
            flow: list[ModuleSpace] = [
                Input({"shape": (4,)}) for _ in range(1 + (self.pick(3) == 2))
            ]
            for _ in range(1 + self.pick(self.fragments)):
                entries, tail = self.fragment(0)
                for entry in entries:
                    entry(self.some(flow[-3:]))
                flow.append(tail)
            if self.pick(2):
                Merge()(self.some(flow))
        return space

    def some(self, modules: list[ModuleSpace]) -> list[ModuleSpace]:
        chosen = [modules[-1]]
        while self.pick(3) == 2:
            chosen.append(modules[self.pick(len(modules))])
        return chosen

    def fragment(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        """Write a subgraph; return the modules that are not fed yet, and the last one."""
        self.budget -= 1
        simple = [self.unit, self.unit, self.identity, self.diamond, self.two_entries]
        nested = [
            self.or_,
            self.optional,
            self.repeat,
            self.permutation,
            self.sequential,
            self.cell,
        ]
        kinds = simple + nested if depth < 3 and self.budget > 0 else simple
        return kinds[self.pick(len(kinds))](depth)

    def alternative(self, depth: int) -> ModuleSpace:
        entries, tail = self.fragment(depth + 1)
        if self.pick(3) == 2:
            tail = Unit({"units": self.units()})(tail)
        return [*entries, tail][self.pick(len(entries) + 1)]

    def alternatives(self, depth: int, most: int = 3) -> list[ModuleSpace]:
        return [self.alternative(depth) for _ in range(1 + self.pick(most))]

    # fragments

    def unit(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        module = Unit({"units": self.units(), "bias": [self.pick(2), {"x": self.units()}]})
        return [module], module

    def identity(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        module = Identity(width=self.units()) if self.pick(2) else Identity()
        return [module], module

    def diamond(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        head = Unit({"units": self.units()})
        left, right = Unit({"units": 1})(head), Identity()(head)
        return [head], Merge()([left, right, head][: 2 + self.pick(2)] + [left] * self.pick(2))

    def two_entries(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        left, right = Unit({"units": self.units()}), Unit({"units": 2})
        return [left, right], Merge()([right, left])

    def or_(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        modules = self.alternatives(depth)
        op = Or(modules, hp_or=self.selector(f"or{len(modules)}", list(range(len(modules)))))
        return [op], op

    def optional(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        module = self.alternative(depth)
        keep = self.pick(4) > 0
        op = Optional(module, keep_link=keep, hp_opt=self.selector("opt", [False, True]))
        return [op], op

    def repeat(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        most = 1 + self.pick(3)
        counts = list(range(self.pick(most + 1), most + 1))
        name = f"repeat{counts[0]}-{most}"
        hp = self.selector(name, counts)
        op = Repeat(
            lambda step: self.alternative(depth), repeat_num_choices=counts, hp_repeat_num=hp
        )
        return [op], op

    def permutation(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        modules = self.alternatives(depth)
        if self.pick(2):  # a cut Optional inside
            modules.append(
                Optional(self.alternative(depth), hp_opt=self.selector("opt", [False, True]))
            )
        orders = list(itertools.permutations(range(len(modules))))
        some = [order for order in orders if order == orders[0] or self.pick(4)]
        op = Permutation(modules, hp_seq=self.selector(f"seq{some}", some))
        return [op], op

    def sequential(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        op = Sequential(self.alternatives(depth))
        return [op], op

    def cell(self, depth: int) -> tuple[list[ModuleSpace], ModuleSpace]:
        """Nodes that choose their inputs; the loose ends are merged."""
        entry = HyperInput()
        states: list[ModuleSpace] = [entry]
        entries: list[ModuleSpace] = [entry]
        for _ in range(1 + self.pick(3)):
            if self.pick(2):
                most = self.pick(len(states) + 1)
                hp = None
                if self.pick(2):
                    hp = self.shared_or_new(
                        f"choice{len(states)}-{most}",
                        lambda most=most: MultipleChoice(range(len(states)), most),
                    )
                chosen: ModuleSpace = InputChoice(states, most, hp_choice=hp)(states)
                if self.pick(3) == 2:  # two successors
                    states.append(Unit({"units": 5})(chosen))
            else:
                chosen = states[self.pick(len(states))]
            inner, tail = self.fragment(depth + 1)
            for module in inner:
                module(chosen)
            states.append(tail)
        loose = ConnectLooseEnd(states)(states)
        return entries, Merge({"cut": 1})(loose)

    # hyperparameters

    def shared_or_new(self, kind: str, make: Callable[[], ParameterSpace]) -> ParameterSpace:
        known = self.shared.setdefault(kind, [])
        if known and self.pick(3) == 2:
            return known[self.pick(len(known))]
        known.append(make())
        return known[-1]

    def selector(self, kind: str, values: list[Any]) -> Any:
        def make() -> ParameterSpace:
            which = self.pick(5)
            if which == 0:
                # an Optional that is always left out may cut a layer off for good, an error
                return Constant(values[-1] if kind == "opt" else values[self.pick(len(values))])
            if which == 1:
                return Dynamic(
                    lambda units: values[int(units * 10) % len(values)], units=self.hidden_units()
                )
            if which == 2:
                first, second = Choice(values), Choice(values[:1])
                return Cascade(lambda a: first if a else second, a=Bool())
            return Choice(values)

        return None if self.pick(6) == 5 and kind == "opt" else self.shared_or_new(kind, make)

    def units(self) -> Any:
        if self.pick(3) == 2:
            return 3
        return self.hidden_units()

    def hidden_units(self) -> ParameterSpace:
        return self.shared_or_new("units", self.new_units)

    def new_units(self) -> ParameterSpace:
        which = self.pick(9)
        if which == 0:
            return Int(1, 3)
        if which == 1:
            return Real(1, 2, step=0.5)
        if which == 2:
            return Real(1, 8) if not self.finite else Choice([7.5])
        if which == 3:
            return Choice([4, 5.5])
        if which in (4, 5):  # a chain of Dynamic
            link = Dynamic(lambda x: x / 2 + 1, x=Choice([2, 6]))
            for k in range(self.pick(4)):
                link = Dynamic(lambda x, k: x + k, x=link, k=k)
            return link
        if which == 6:
            options = [Choice([8, 9]), Int(2, 3), Constant(11), 12.5]
            return Cascade(lambda i: options[i], i=Choice(range(len(options))))
        if which == 7:
            return Dynamic(lambda x, y: x + y, x=self.hidden_units(), y=Choice([1, 2]))
        return Choice([1, 2])


def written(seed: int, **options: Any) -> HyperSpace:
    return Author(random.Random(seed).randrange, **options).write()  # noqa: S311 - no secret


# --- an interpreter of authored modules -------------------------------------


class CutError(Exception):
    """A layer, or an output, is left without a value."""


class Interpreter:
    """Reads the authored modules under a value for every decision."""

    def __init__(self, space: HyperSpace, values: dict[str, Any]) -> None:
        self.space = space
        self.values = values
        self.active: set[str] = set()
        self.layers: dict[str, tuple[str, ...]] = {}
        self.arguments: dict[str, dict[str, Any]] = {}
        self.reads = networkx.DiGraph()  # module → those that it reads, by name
        self._tensors: dict[str, tuple[str, ...]] = {}
        self._followers: dict[str, list[ModuleSpace]] = {m.name: [] for m in space.modules}
        together = networkx.Graph()
        together.add_nodes_from(module.name for module in space.modules)
        for module in space.modules:
            for source in module.inputs:
                together.add_edge(source.name, module.name)
                self._followers[source.name].append(module)
        self._region: dict[str, list[ModuleSpace]] = {}
        for names in networkx.connected_components(together):
            region = [module for module in space.modules if module.name in names]
            self._region.update(dict.fromkeys(names, region))
        self._owner = {
            member.name: (op, place)
            for op in space.modules
            for place, module in enumerate(op.alternatives)
            for member in self._region[module.name]
        }

    def outputs(self) -> list[ModuleSpace]:
        return [
            module
            for module in self.space.modules
            if module.name not in self._owner
            and not self._followers[module.name]
            and (module.inputs or module.alternatives or len(self.space.modules) == 1)
        ]

    # what is needed

    def reach(self) -> set[str]:
        """Return the names of the decisions that the outputs need, by backward reachability."""
        stack, seen = self.outputs(), set()
        while stack:
            module = stack.pop()
            if module.name in seen:
                continue
            seen.add(module.name)
            sources = self.sources(module)
            self.reads.add_node(module.name)
            self.reads.add_edges_from((module.name, source.name) for source in sources)
            stack.extend(sources)
        return self.active

    def sources(self, module: ModuleSpace) -> list[ModuleSpace]:
        """Return the modules that a module reads; note the decisions that this needs."""
        for argument in module.arguments.values():
            self.plain(argument)
        if isinstance(module, InputChoice):
            return [module.inputs[k] for k in self.value(module.hp_choice)]
        if not module.alternatives:
            return self.fed_by(module)
        ends = [self.ends(member) for member in module.alternatives]
        if isinstance(module, Or):
            return ends[self.value(module.hp_or)]
        if isinstance(module, Optional):
            if self.value(module.hp_opt):
                return ends[0]
            return self.fed_by(module) if module.keep_link else []
        if isinstance(module, Repeat):
            count = self.value(module.hp_repeat_num)
            return ends[count - 1] if count else self.fed_by(module)
        if isinstance(module, Permutation):
            return ends[self.value(module.hp_seq)[-1]]
        return ends[-1]

    def ends(self, member: ModuleSpace) -> list[ModuleSpace]:
        return [m for m in self._region[member.name] if not self._followers[m.name]]

    def fed_by(self, module: ModuleSpace) -> list[ModuleSpace]:
        if module.inputs or module.name not in self._owner:
            return list(module.inputs)
        op, place = self._owner[module.name]
        before = place - 1
        if isinstance(op, Permutation):
            order = self.value(op.hp_seq)
            position = order.index(place)
            before = order[position - 1] if position else -1
        elif isinstance(op, (Or, Optional)):
            before = -1
        return self.ends(op.alternatives[before]) if before >= 0 else self.fed_by(op)

    # what comes of it

    def network(self) -> tuple[str, ...]:
        """Return the names of the outputs' layers; fills `layers` and `arguments`."""
        self.reach()
        found: list[str] = []
        for module in self.space.modules:
            if isinstance(module, Input):
                self.tensors(module)
        for module in self.outputs():
            tensors = self.tensors(module)
            if not tensors:
                raise CutError(module.name)
            found.extend(tensors)
        return tuple(found)

    def tensors(self, module: ModuleSpace) -> tuple[str, ...]:
        if module.name not in self._tensors:
            sources = self.sources(module)
            fed = [self.tensors(source) for source in sources]
            if isinstance(module, ConnectLooseEnd):
                fed = [
                    tensors
                    for source, tensors in zip(sources, fed, strict=True)
                    if not self._is_used(source, sources)
                ]
            tensors = tuple(itertools.chain.from_iterable(fed))
            if isinstance(module, LayerModule):
                if not tensors and not module.is_input:
                    raise CutError(module.name)
                self.layers[module.name] = tensors
                self.arguments[module.name] = {
                    keyword: self.coerced(keyword, self.plain(argument))
                    for keyword, argument in module.arguments.items()
                }
                tensors = (module.name,)
            self._tensors[module.name] = tensors
        return self._tensors[module.name]

    def _is_used(self, source: ModuleSpace, sources: list[ModuleSpace]) -> bool:
        return any(
            other is not source and networkx.has_path(self.reads, other.name, source.name)
            for other in sources
        )

    # values

    def coerced(self, keyword: str, value: Any) -> Any:
        if keyword != "units" or isinstance(value, int):
            return value
        return round(value) if abs(value - round(value)) < 1e-6 else int(value)

    def plain(self, argument: Any) -> Any:
        if isinstance(argument, ParameterSpace):
            return self.value(argument)
        if isinstance(argument, list):
            return [self.plain(item) for item in argument]
        if isinstance(argument, dict):
            return {key: self.plain(item) for key, item in argument.items()}
        return argument

    def value(self, parameter: ParameterSpace) -> Any:
        if isinstance(parameter, Constant):
            return parameter.value
        if isinstance(parameter, Decision):
            if parameter.size > 1:
                self.active.add(parameter.name)
            return self.values[parameter.name]
        assert isinstance(parameter, (Dynamic, Cascade))
        result = parameter.function(
            **{
                keyword: self.value(item) if isinstance(item, ParameterSpace) else item
                for keyword, item in parameter.dependencies.items()
            }
        )
        return self.value(result) if isinstance(result, ParameterSpace) else result


def random_values(space: HyperSpace, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)  # noqa: S311 - no secret
    return {p.name: p.sample(rng) for p in space.hyperparameters if isinstance(p, Decision)}


def answering(values: dict[str, Any], asked: list[str]) -> Callable[[Decision], Any]:
    """Return a chooser that answers from `values` and notes what it is asked."""

    def choose(decision: Decision) -> Any:
        asked.append(decision.name)
        return values[decision.name]

    return choose


# --- the properties ---------------------------------------------------------

seeds = st.integers(0, 2**32)


@st.composite
def programs(draw: st.DrawFn) -> HyperSpace:
    """Most from a seed, which makes large ones; some drawn step by step, which shrink well."""
    if draw(st.booleans()):
        return written(draw(seeds))
    return Author(lambda n: draw(st.integers(0, n - 1)) if n > 1 else 0).write()


@given(programs(), st.lists(seeds, min_size=3, max_size=3))
def test_a_decision_is_asked_exactly_if_it_is_active_and_at_most_once(
    space: HyperSpace, choosers: list[int]
) -> None:
    for seed in choosers:
        values = random_values(space, seed)
        asked: list[str] = []
        architecture = space.decide(answering(values, asked))
        assert len(asked) == len(set(asked))
        assert set(asked) == Interpreter(space, values).reach()
        assert set(architecture.decisions) == set(asked)


@given(programs(), st.lists(seeds, min_size=3, max_size=3))
def test_an_architecture_resolves_to_the_network_that_was_written_or_to_a_legitimate_cut(
    space: HyperSpace, choosers: list[int]
) -> None:
    for seed in choosers:
        values = random_values(space, seed)
        architecture = space.decide(answering(values, []))
        written_down = Interpreter(space, values)
        try:
            outputs = written_down.network()
        except CutError:
            with pytest.raises(BuildError, match="cut"):
                _ = architecture.graph
            continue
        graph = architecture.graph
        assert {node.name: node.inputs for node in graph} == written_down.layers
        assert {node.name: dict(node.arguments) for node in graph} == written_down.arguments
        assert graph.outputs == outputs


@given(programs(), seeds)
def test_a_network_is_a_valid_graph(space: HyperSpace, seed: int) -> None:
    architecture = space.sample(seed)
    try:
        graph = architecture.graph
    except BuildError as error:
        assert "cut" in str(error)  # noqa: PT017 - either outcome is right
        return
    seen: set[str] = set()
    for node in graph:
        assert node.name not in seen, "names are unique"
        assert set(node.inputs) <= seen, "inputs exist and come first, so there is no cycle"
        assert bool(node.inputs) != (node.layer == "Input"), "every layer is fed, no input is"
        seen.add(node.name)
    assert set(graph.outputs) <= seen
    assert set(graph.inputs) == {node.name for node in graph if node.layer == "Input"}


@given(programs(), seeds)
def test_replaying_the_decisions_gives_the_architecture_back(space: HyperSpace, seed: int) -> None:
    architecture = space.sample(seed)
    again = space.architecture(architecture.decisions)
    from_text = space.architecture(json.loads(json.dumps(architecture.decisions)))
    assert again == architecture == from_text
    assert hash(again) == hash(architecture) == hash(from_text)
    assert again.decisions == architecture.decisions == from_text.decisions
    assert _graph_text(again) == _graph_text(architecture) == _graph_text(from_text)


@given(programs(), seeds)
def test_decisions_that_can_be_asked_together_are_asked_by_rank(
    space: HyperSpace, seed: int
) -> None:
    values = random_values(space, seed)
    asked: list[str] = []
    space.decide(answering(values, asked))
    ranks = [space.freeze().ranks[getattr(space, name).index] for name in asked]
    # what is certain at the outset is asked in the order of rank
    certain = [rank for rank in ranks if space.freeze().certainty.roots >> rank & 1]
    assert certain == sorted(certain)


@given(seeds)
def test_every_architecture_visits_each_once_and_agrees_with_brute_force(seed: int) -> None:
    space = written(seed, finite=True, fragments=2)
    decisions = space.decisions
    total = 1
    for decision in decisions:
        total *= int(decision.size)
    if total > 400:
        return
    keys = [architecture.key for architecture in space.every_architecture()]
    assert len(keys) == len(set(keys))
    brute = set()
    domains = [[d.value_at(i) for i in range(int(d.size))] for d in decisions]
    fixed = random_values(space, 0)
    for values in itertools.product(*domains):
        assignment = fixed | {d.name: v for d, v in zip(decisions, values, strict=True)}
        active = Interpreter(space, assignment).reach()
        brute.add(space.architecture({name: assignment[name] for name in active}).key)
    assert set(keys) == brute


@given(programs(), st.lists(seeds, min_size=4, max_size=4))
def test_two_architectures_are_equal_exactly_if_their_decisions_are(
    space: HyperSpace, choosers: list[int]
) -> None:
    architectures = [space.sample(seed) for seed in choosers]
    for a, b in itertools.combinations(architectures, 2):
        assert (a == b) == (a.decisions == b.decisions)


def test_the_programs_cover_the_language() -> None:
    """The generator writes what it is meant to write, and cuts stay the exception."""
    kinds: set[str] = set()
    cuts = 0
    for seed in range(200):
        space = written(seed)
        kinds.update(type(module).__name__ for module in space.modules)
        kinds.update(type(parameter).__name__ for parameter in space.hyperparameters)
        try:
            _ = space.sample(seed).graph
        except BuildError:
            cuts += 1
    assert kinds >= {
        "Or", "Optional", "Repeat", "Permutation", "Sequential", "InputChoice", "ConnectLooseEnd",
        "HyperInput", "Identity", "Unit", "Merge", "Input", "Int", "Real", "Choice", "Bool",
        "MultipleChoice", "Constant", "Dynamic", "Cascade",
    }  # fmt: skip
    assert 0 < cuts < 100


# --- the same in another process --------------------------------------------


def _graph_text(architecture: Any) -> str:
    try:
        graph = architecture.graph
    except BuildError as error:
        return str(error)
    nodes = [(n.name, n.layer, n.inputs, sorted(n.arguments.items())) for n in graph]
    return repr((nodes, graph.inputs, graph.outputs))


def digest() -> str:
    """Return a digest of names, ranks, labels, architectures and networks of many programs."""
    text = hashlib.sha256()
    for seed in range(60):
        space = written(seed)
        names = [module.name for module in space.modules]
        ranks = [(d.name, d.label, depth) for d, depth in zip(
            space.decisions, space.freeze().depths, strict=True)]  # fmt: skip
        text.update(repr((names, ranks, space.freeze().label_order)).encode())
        architecture = space.sample(seed)
        text.update(repr((architecture.decisions, architecture.labels)).encode())
        text.update(_graph_text(architecture).encode())
    return text.hexdigest()


def test_nothing_depends_on_the_hash_seed() -> None:
    program = f"import runpy; print(runpy.run_path({__file__!r})['digest']())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert digests == {digest() + "\n"}
