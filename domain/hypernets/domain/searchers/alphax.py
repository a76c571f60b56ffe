"""AlphaX: Monte-Carlo tree search over the decisions, with roll-outs that a network guides."""

import bisect
import hashlib
import itertools
import math
from collections.abc import Hashable
from typing import Any

import attrs
import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SearchError
from hypernets.domain.history.history import History
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.randomness import rng_for
from hypernets.domain.searchers.searcher import Proposal
from hypernets.domain.searchers.strategy import Strategy, require_count, require_number
from hypernets.domain.searchers.surrogate.acquisition import normal_scores
from hypernets.domain.searchers.surrogate.encoding import encoder_for
from hypernets.domain.searchers.surrogate.network_ensemble import Array, NetworkEnsemble
from hypernets.domain.searchers.token import n_tokens, token_of, value_of
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["AlphaX"]

_WIDENING = (2.0, 0.6)  # a node with n visits has at most 2 n^0.6 children
_UP = 5  # architectures drawn below a node while nothing new was found further down
_LATEST = 500  # trials that the network learns from, at most
_STEPS = (300, 60)  # of its training, the first time and every other
_EVERY = 5  # trials between trainings
_BEFORE, _FORGOTTEN = 500, 4  # trials of another search, at most, and how many fewer for each here


@attrs.define
class _Node:
    """A decision that comes after certain others.

    Attributes:
        visits: trials below, those that have not ended included.
        total: sum of their values; those that have not ended count 0 (virtual loss).
        children: token → node.
    """

    visits: int = 0
    total: float = 0.0
    children: "dict[int, _Node]" = attrs.field(factory=dict)


class AlphaX(Strategy):
    """Searches a tree whose levels are the decisions, and asks a network how to go on from a leaf.

    From the root it descends to the child with the largest upper confidence bound (UCT) while all
    children that a node may have by its visits are there (progressive widening), and then adds one.
    From there many random architectures are drawn; the one is proposed that the value network
    predicts to be best. The value of a trial, its rank among all so far from 0 to 1, counts for
    each node on its way; that of one which has not ended counts 0, so that several workers part.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        n_initial: random architectures before the network is asked.
        exploration: weight of the bound's width.
        n_rollouts: random architectures drawn from a leaf.
        history: of another search, on other data say, from which the network learns before the
            first ask; its architectures may be proposed again, for their values here are not known.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range, or nothing in `history` is of this space.

    Trials of another search that are told (`known=`, or a fork) train the network and fill the
    tree like its own.

    The defaults were chosen on the tables of HPOLib and NAS-Bench-Graph and on generated ones.

    References:
        Wang, Zhao, Jinnai, Tian & Fonseca (2018), "AlphaX: eXploring neural architectures with deep
        neural networks and Monte Carlo tree search"; Kocsis & Szepesvári (2006), "Bandit based
        Monte-Carlo planning" (UCT); Chaslot, Winands & van den Herik (2008), "Parallel Monte-Carlo
        tree search" (virtual loss); Coulom (2007), "Computing Elo ratings of move patterns in the
        game of Go" (progressive widening).
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        n_initial: int = 10,
        exploration: float = 0.2,
        n_rollouts: int = 50,
        history: History | None = None,
    ) -> None:
        super().__init__(
            space,
            optimize_direction,
            seed,
            n_initial=n_initial,
            exploration=exploration,
            n_rollouts=n_rollouts,
            history=history,
        )
        where = type(self).__name__
        self._n_initial = require_count(where, "n_initial", n_initial)
        self._n_rollouts = require_count(where, "n_rollouts", n_rollouts)
        self._exploration = require_number(where, "exploration", exploration)
        self._root = _Node()
        self._on_the_way: dict[Hashable, list[_Node]] = {}
        self._costs: list[float] = []  # ascending; of failed trials, infinite
        self._seen: list[tuple[Architecture, float]] = []
        self._network: NetworkEnsemble | None = None
        self._n_trained = 0
        self._encoder = encoder_for(self.space)
        self._before = [] if history is None else self._adopted(history)

    @property
    def options(self) -> dict[str, Any]:
        """What decides what is proposed; the other search by a digest of what is learned of it."""
        learned = [(each.decisions, cost) for each, cost in self._before]
        digest = hashlib.sha256(repr(learned).encode()).hexdigest() if learned else None
        return {**super().options, "history": digest}

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return the best-looking roll-out from a leaf; `None` where all of it is known."""
        leaf, prefix = self._descend(rng)
        is_trained = bool(self._before) or self.n_seen >= self._n_initial
        n_rollouts = self._n_rollouts if is_trained else 1
        drawn = [leaf, *(self._complete(prefix, rng) for _ in range(n_rollouts - 1))]
        fresh = {each.key: each for each in drawn if self.is_new(each)}
        while not fresh and prefix:  # all below may be known: further up
            prefix.pop()
            drawn = [self._complete(prefix, rng) for _ in range(max(n_rollouts, _UP))]
            fresh = {each.key: each for each in drawn if self.is_new(each)}
            if n_rollouts == 1:
                fresh = dict(itertools.islice(fresh.items(), 1))
        if not fresh:
            return None
        architecture = self._best(list(fresh.values()))
        self._visit(architecture)
        return Proposal(architecture)

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Add the value of a trial to the nodes on its way."""
        architecture = trial.architecture.without_graph()
        if architecture.key not in self._on_the_way:  # random, or another search's
            self._visit(architecture)
        path = self._on_the_way.pop(architecture.key)
        known_cost = math.inf if cost is None else cost
        value = self._value(known_cost)
        for node in path:
            node.total += value
        self._seen.append((architecture, known_cost))

    # --- the tree -----------------------------------------------------------------

    def _descend(self, rng: np.random.Generator) -> tuple[Architecture, list[int]]:
        """Return a random architecture from a leaf of the tree, and the tokens that lead there."""
        node: _Node | None = self._root
        prefix: list[int] = []

        def choose(decision: Decision) -> Any:
            nonlocal node
            if node is None:
                return decision.sample(rng)
            size = n_tokens(decision)
            allowed = min(size, math.ceil(_WIDENING[0] * max(node.visits, 1) ** _WIDENING[1]))
            if len(node.children) < allowed:
                untried = [token for token in range(size) if token not in node.children]
                token = untried[int(rng.integers(len(untried)))]
                node = None
            else:
                token = self._most_promising(node)
                node = node.children[token]
            prefix.append(token)
            return value_of(decision, token, rng)

        return self.space.decide(choose), prefix

    def _most_promising(self, node: _Node) -> int:
        spread = math.log(max(node.visits, 2))

        def bound(token: int) -> float:
            child = node.children[token]
            mean = child.total / child.visits
            return mean + self._exploration * math.sqrt(2.0 * spread / child.visits)

        return max(node.children, key=bound)

    def _complete(self, prefix: list[int], rng: np.random.Generator) -> Architecture:
        """Return a random architecture that begins with certain tokens."""
        left = iter(prefix)

        def choose(decision: Decision) -> Any:
            token = next(left, None)
            return decision.sample(rng) if token is None else value_of(decision, token, rng)

        return self.space.decide(choose)

    def _visit(self, architecture: Architecture) -> None:
        """Count a visit of each node on the way to an architecture, making the first that lacks."""
        node = self._root
        path = [node]
        ranks, values = architecture.frozen.ranks, architecture.values
        growing = True

        def choose(decision: Decision) -> Any:
            nonlocal node, growing
            value = values[ranks[decision.index]]
            if growing:
                token = token_of(decision, value)
                if token not in node.children:
                    node.children[token] = _Node()
                    growing = False  # one node a trial
                node = node.children[token]
                path.append(node)
            return value

        self.space.decide(choose)
        for each in path:
            each.visits += 1
        self._on_the_way[architecture.key] = path

    def _value(self, cost: float) -> float:
        """Return the share of the trials so far that are worse than this one, ties half."""
        low, high = bisect.bisect_left(self._costs, cost), bisect.bisect_right(self._costs, cost)
        self._costs.insert(high, cost)
        if math.isinf(cost):
            return 0.0
        return (len(self._costs) - high - 1 + 0.5 * (high - low + 1)) / len(self._costs)

    # --- the network --------------------------------------------------------------

    def _best(self, architectures: list[Architecture]) -> Architecture:
        if len(architectures) == 1 or not self._train():
            return architectures[0]
        assert self._network is not None
        mean, _ = self._network.predict(self._inputs(architectures))
        return architectures[int(np.argmin(np.round(mean, 6)))]  # machines round otherwise

    def _train(self) -> bool:
        """Train the network where there are new trials; say whether there is one."""
        n_new = len(self._seen) - self._n_trained
        if self._network is not None and n_new < _EVERY:
            return True
        latest = self._seen[-_LATEST:]
        scored = [(a, v) for part in (latest, self._of_before()) for a, v in _scored(part)]
        if not scored:
            return False
        inputs = self._inputs([architecture for architecture, _ in scored])
        rng = rng_for(self.seed, len(self._seen), "network")
        first = self._network is None
        if self._network is None:
            self._network = NetworkEnsemble(inputs.shape[1], rng)
        values = np.array([value for _, value in scored])
        self._network.fit(inputs, values, _STEPS[0] if first else _STEPS[1], rng)
        self._n_trained = len(self._seen)
        return True

    def _of_before(self) -> list[tuple[Architecture, float]]:
        """Return what is learned of the other search: less, the more is known of this one."""
        return self._before[: max(0, _BEFORE - _FORGOTTEN * len(self._seen))]

    def _adopted(self, history: Any) -> list[tuple[Architecture, float]]:
        """Return the architectures of another search that are of this space, and their costs.

        Raises:
            SearchError: there are none.
        """
        found = []
        if isinstance(history, History):
            for trial in history.top(len(history))[:_BEFORE] if len(history) else ():
                architecture = self.space.adopt(trial)
                cost = self.cost_of(trial)
                if architecture is not None and cost is not None:
                    found.append((architecture.without_graph(), cost))
        if len(found) < 2:
            raise SearchError(
                "AlphaX: history must be a History with two trials of the space that succeeded; "
                f"received {history!r}; give that of a search of this space on other data, say"
            )
        return found

    def _inputs(self, architectures: list[Architecture]) -> Array:
        rows = self._encoder.rows(architectures)
        groups = [rows[name] for name in ("decisions", "places") if name in rows]
        if not groups:
            return np.zeros((len(architectures), 1))
        return np.concatenate(groups, axis=1).astype(float)


def _scored(examples: list[tuple[Architecture, float]]) -> list[tuple[Architecture, float]]:
    """Return architectures with normal scores of their costs; none where all are alike."""
    costs = np.array([cost for _, cost in examples])
    finite = costs[np.isfinite(costs)]
    if len(finite) < 2 or finite.min() == costs.max():
        return []
    scores = normal_scores(np.minimum(costs, finite.max())).tolist()
    return [(architecture, v) for (architecture, _), v in zip(examples, scores, strict=True)]
