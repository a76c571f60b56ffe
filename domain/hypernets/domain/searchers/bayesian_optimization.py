"""Bayesian optimisation: a Gaussian process says which architecture is worth its training."""

import functools
import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import HypernetsError, SearchError
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.randomness import rng_for
from hypernets.domain.searchers.searcher import Proposal
from hypernets.domain.searchers.strategy import Strategy, require_count
from hypernets.domain.searchers.surrogate.acquisition import better_half, expected_improvement
from hypernets.domain.searchers.surrogate.architecture_model import GROUPS, ArchitectureModel
from hypernets.domain.searchers.surrogate.encoding import encoder_for
from hypernets.domain.searchers.surrogate.gaussian_process import Columns, Kernel
from hypernets.domain.searchers.variation import mutate, neighbours

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["BayesianOptimization"]

Array = npt.NDArray[np.float64]

_Scores = Callable[[Mapping[str, Columns]], Array]
_MEASURED = 400  # measurements that the model is made from, at most
_POOL = 20_000  # architectures of a space that is scored whole
_CHUNK = 2_000  # of these that are encoded at an ask, those for random ones included
_BUDGET = (12_000, 60, 1_200)  # layers looked at in an ask of a larger space; candidates: bounds
_PARENTS = 10  # the best known ones, of which mutations are candidates
_MORE = 0.3  # chance of one more mutation
_CLIMBERS, _CLIMBS = 5, 3  # candidates whose neighbours are looked at, and how often
_SHARED = 4  # spaces whose encoded architectures are kept for further searchers
_DIGITS = 4  # of a score
_ALIKE = 1e-6  # logarithms of sizes that do not differ by more are one size
_ALWAYS = 30  # with fewer measurements the kernel is fitted anew at each ask
_REFIT = 1.1  # growth of the measurements before the kernel is fitted anew


@attrs.frozen
class _Known:
    """An architecture and what is to be made small of it; infinite where it failed."""

    architecture: Architecture
    cost: float
    number: int


class BayesianOptimization(Strategy):
    """Fits a model to what was measured, and proposes what it expects to improve most.

    The model is a Gaussian process over decisions, each with a weight of its own, sequences of the
    network's layers, and its exact cost; it sees the better half of the values, and the worse one
    as its median. Of a space with at most 20,000 architectures all are scored, once they have been
    encoded (2,000 at each ask, from the first); of a larger one, random ones, mutations of the
    best, the most promising of the last ask, and then the neighbours of the most promising. Trials
    that have not ended count as if they gave what the model expects, so that many workers are given
    different things.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        n_initial: architectures before the first model: random ones, of evenly spread sizes where
            the cost is known and part of `groups`.
        groups: what the model sees, of `"decisions"`, `"places"`, `"paths"` and `"cost"`.
        score_all: whether a small space is scored whole; otherwise it is treated as a large one.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    An ask takes time that grows with the measurements until there are 400; then the model is made
    from the best half of these and the latest.

    The defaults were chosen on the tables of HPOLib and NAS-Bench-Graph and on generated ones.

    References:
        Jones, Schonlau & Welch (1998), "Efficient global optimization of expensive black-box
        functions", for expected improvement; White, Neiswanger & Savani (2021), "BANANAS", for
        path encodings and mutations as candidates; Ginsbourger, Le Riche & Carraro (2010),
        "Kriging is well-suited to parallelize optimization", section 4.3, for trials that have
        not ended.
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        n_initial: int = 10,
        groups: Iterable[str] = GROUPS,
        score_all: bool = True,
    ) -> None:
        groups = tuple(groups)
        super().__init__(
            space,
            optimize_direction,
            seed,
            n_initial=n_initial,
            groups=groups,
            score_all=score_all,
        )
        where = type(self).__name__
        self._n_initial = require_count(where, "n_initial", n_initial)
        if not groups or not set(groups) <= set(GROUPS):
            raise SearchError(
                f"{where}: groups must be some of {', '.join(map(repr, GROUPS))}; received "
                f"{groups!r}; leave it out for all"
            )
        self._groups = groups
        self._score_all = bool(score_all)
        self._encoder = encoder_for(self.space)
        self._known: dict[Hashable, _Known] = {}
        self._design: list[Architecture] | None = None
        self._whole: _WholeSpace | None = None
        self._n_joined = 0
        self._kept: list[Architecture] = []
        self._kernel: Kernel | None = None
        self._used: tuple[str, ...] = ()
        self._n_fitted = 0

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return what is expected to improve most, after the first ones."""
        succeeded = sum(math.isfinite(each.cost) for each in self._known.values())
        if self._is_scored_whole:
            self._whole = _whole_space_of(self.space)
            self._n_joined = min(self._n_joined + _CHUNK, int(self.space.count()))
        if self.n_seen < self._n_initial:
            return self._next_of_design()
        if succeeded < 2:
            return None
        scores = functools.partial(_scores, *self._model())
        whole = self._whole
        best = (
            self._best_of_some(scores, rng) if whole is None else self._best_of_all(scores, whole)
        )
        return None if best is None else Proposal(best)

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Remember the outcome; failures count as the worst that was measured."""
        architecture = trial.architecture.without_graph()
        value = math.inf if cost is None else cost
        self._known[architecture.key] = _Known(architecture, value, trial.number)

    # --- the first ones -----------------------------------------------------------

    def _next_of_design(self) -> Proposal | None:
        """Return the next of the first architectures; `None` where any random one will do."""
        if self._design is None:
            self._design = self._designed()
        while self._design:
            architecture = self._design.pop(0)
            if self.is_new(architecture):
                return Proposal(architecture)
        return None

    def _designed(self) -> list[Architecture]:
        """Return random architectures, the largest of many first, of evenly spread sizes.

        A handful of random ones are mostly of a middling size, and tell little of what it does.
        """
        if "cost" not in self._groups or self._n_initial < 2:
            return []
        rng = rng_for(self.seed, 0, "design")
        drawn = [self.space.sample(rng)]
        drawn += [self.space.sample(rng) for _ in range(_n_candidates(drawn[0]) - 1)]
        pool = [each for each in drawn if self.is_new(each)]
        parameters = self._encoder.rows(pool)["cost"][:, 0] if pool else np.zeros(0)
        if not pool or not np.isfinite(parameters).all() or float(np.ptp(parameters)) < _ALIKE:
            return []
        order = np.argsort(-parameters, kind="stable")
        places = np.linspace(0, len(pool) - 1, self._n_initial).round().astype(int)
        return [pool[place].without_graph() for place in order[places].tolist()]

    # --- candidates ---------------------------------------------------------------

    @property
    def _is_scored_whole(self) -> bool:
        return self._score_all and self.space.is_finite and self.space.count() <= _POOL

    def _best_of_all(self, scores: _Scores, whole: "_WholeSpace") -> Architecture | None:
        """Return the best of a small space that is new."""
        architectures, rows = whole.first(self._n_joined)
        order: list[int] = np.argsort(-scores(rows), kind="stable").tolist()
        return self.first_new(architectures[place] for place in order)

    def _best_of_some(self, scores_of: _Scores, rng: np.random.Generator) -> Architecture | None:
        """Return the best of random ones, mutations, the last ask's, and their neighbours."""
        found: dict[Hashable, Architecture] = {}

        def gather(architectures: Iterable[Architecture]) -> list[Architecture]:
            fresh = []
            for each in architectures:
                if each.key not in found and self.is_new(each):
                    found[each.key] = each.without_graph()
                    fresh.append(found[each.key])
            return fresh

        best = sorted(self._known.values(), key=lambda known: (known.cost, known.number))
        quarter = _n_candidates(best[0].architecture) // 4
        gather(self._kept)
        gather(self.space.sample(rng) for _ in range(quarter))
        gather(
            _mutated(best[number % min(_PARENTS, len(best))].architecture, rng)
            for number in range(quarter)
        )
        candidates = list(found.values())
        if not candidates:
            return None
        scores = scores_of(self._encoder.rows(candidates))
        n_around = max(1, 2 * quarter // (_CLIMBS * _CLIMBERS))
        for _ in range(_CLIMBS):
            top: list[int] = np.argsort(-scores, kind="stable")[:_CLIMBERS].tolist()
            around = gather(
                each
                for place in top
                for each in itertools.islice(neighbours(candidates[place], rng), n_around)
            )
            if not around:
                break
            candidates += around
            scores = np.concatenate([scores, scores_of(self._encoder.rows(around))])
        order: list[int] = np.argsort(-scores, kind="stable")[: quarter + 1].tolist()
        self._kept = [candidates[place] for place in order[1:]]
        return candidates[order[0]]

    # --- model --------------------------------------------------------------------

    def _model(self) -> tuple[ArchitectureModel, float]:
        """Return the model of what was measured, and the smallest value that it knows."""
        known = list(self._known.values())
        if len(known) > _MEASURED:
            known.sort(key=lambda each: (each.cost, each.number))
            rest = sorted(known[_MEASURED // 2 :], key=lambda each: each.number)
            known = known[: _MEASURED // 2] + rest[-_MEASURED // 2 :]
        known.sort(key=lambda each: each.number)
        costs = np.array([each.cost for each in known])
        values = better_half(costs)
        n = len(known)
        fit = self._kernel is None or n >= _REFIT * self._n_fitted or n < _ALWAYS
        model = ArchitectureModel(
            self._encoder,
            [each.architecture for each in known],
            values,
            self._groups,
            kernel=self._kernel,
            used=self._used,
            fit=fit,
        )
        if fit or model.used != self._used:
            self._n_fitted = n
        self._kernel, self._used = model.kernel, model.used
        pending = [each.architecture for each in self.pending.values()]
        if pending:
            model.believe(pending)
        return model, float(values.min())


class _WholeSpace:
    """The architectures of a small space and their columns, in a fixed order, as far as needed."""

    def __init__(self, space: "HyperSpace") -> None:
        self._space, self._left = space, space.enumerate(0)
        self._architectures: list[Architecture] = []
        self._rows: dict[str, Columns] = {}

    def first(self, n: int) -> tuple[list[Architecture], dict[str, Columns]]:
        """Return the first `n` (or more) architectures, and the columns of the first `n`."""
        joining = list(itertools.islice(self._left, max(0, n - len(self._architectures))))
        if joining:
            encoder = encoder_for(self._space)
            for name, new in encoder.rows(joining).items():
                known = self._rows.get(name)
                self._rows[name] = new if known is None else np.concatenate([known, new])
            self._architectures += [each.without_graph() for each in joining]
        return self._architectures, {name: rows[:n] for name, rows in self._rows.items()}


@functools.lru_cache(maxsize=_SHARED)
def _whole_space_of(space: "HyperSpace") -> _WholeSpace:
    """Return the architectures of a space: encoded once for all searchers of it."""
    return _WholeSpace(space)


def _n_candidates(architecture: Architecture) -> int:
    """Return how many candidates to look at: fewer of large networks, whose graphs take time."""
    layers, least, most = _BUDGET
    try:
        n_layers = len(architecture.without_graph().graph.nodes)
    except HypernetsError:
        n_layers = 1
    return min(max(layers // max(n_layers, 1), least), most)


def _mutated(architecture: Architecture, rng: np.random.Generator) -> Architecture:
    """Return an architecture with one decision changed, at times with more."""
    child = mutate(architecture, rng)
    while rng.random() < _MORE:
        child = mutate(child, rng)
    return child


def _scores(model: ArchitectureModel, best: float, rows: Mapping[str, Columns]) -> Array:
    """Return the logarithm of what each is expected to improve on the best, `(n,)`."""
    mean, deviation = model.predict(rows)
    scores = expected_improvement(mean, deviation, best)
    return np.round(scores, _DIGITS)  # beyond them, equal ones differ by the machine's rounding
