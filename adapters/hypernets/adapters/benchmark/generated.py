"""Made-up tables with a known optimum: what a strategy can and cannot do, without a data set.

Each landscape is a function of the decisions that is fixed by its seed. Their shapes are those
that the literature on search landscapes names: additive; NK, where each decision interacts with K
others (Kauffman & Weinberger 1989); plateaus; deceptive, where the way up leads away from the top
(Goldberg 1987); conditional, where an outer decision says which inner ones exist.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hypernets.adapters.benchmark.table import TabularBenchmark
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice
from hypernets.domain.space.operation import Identity, Or

__all__ = ["LANDSCAPES", "load_generated"]

_N_VALUES = 5  # of each decision
_N_DECISIONS = 6
_FAILING = 0.1  # share of failing architectures in the landscape that has such


@functools.cache
def load_generated(landscape: str, seed: int = 0) -> TabularBenchmark:
    """Return a generated benchmark of about 15,625 architectures.

    Args:
        landscape: one of `LANDSCAPES`.
        seed: which of the many such landscapes.
    """
    conditional = landscape == "conditional"
    space = _conditional_space() if conditional else _flat_space()
    reward = _MAKERS[landscape](np.random.default_rng([seed, 77]))
    decided = [each.decisions for each in space.enumerate(0)]
    rows = {_code(decisions): row for row, decisions in enumerate(decided)}
    rewards = np.array([reward(decisions) for decisions in decided])
    failing = frozenset[tuple[Any, ...]]()
    if landscape == "failing":
        draws = np.random.default_rng([seed, 78]).random(len(rewards))
        failing = frozenset(code for code, row in rows.items() if draws[row] < _FAILING)
        kept = [row for code, row in rows.items() if code not in failing]
        rewards = rewards[kept]
        rows = {code: place for place, code in enumerate(c for c in rows if c not in failing)}

    def row_of(architecture: Any) -> int | None:
        return rows.get(_code(architecture.decisions))

    return TabularBenchmark(
        name=f"generated/{landscape}-{seed}",
        space=space,
        row_of=row_of,
        objectives={"reward": rewards},
        direction="max",
        seconds=np.ones(len(rewards)),
        n_failing=len(failing),
    )


def _flat_space() -> HyperSpace:
    space = HyperSpace("generated")
    with space.as_default():
        x: Any = None
        for number in range(_N_DECISIONS):
            here = Identity(value=Choice(range(_N_VALUES), name=f"x{number}"), name=f"id{number}")
            x = here if x is None else here(x)
    return space


def _conditional_space() -> HyperSpace:
    """Return a space of five families, each with decisions of its own."""
    space = HyperSpace("generated, conditional")
    with space.as_default():
        start = Identity(name="start")
        families = []
        for family in range(_N_VALUES):
            chain: Any = None
            for number in range(_N_DECISIONS - 1):
                choice = Choice(range(_N_VALUES), name=f"f{family}_x{number}")
                here = Identity(value=choice, name=f"f{family}_id{number}")
                chain = here if chain is None else here(chain)
            families.append(chain)
        Or(families, hp_or=Choice(range(_N_VALUES), name="family"), name="either")(start)
    return space


def _code(decisions: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(decisions.items())


# --- landscapes -----------------------------------------------------------------

Reward = Callable[[Mapping[str, Any]], float]


def _flat(decisions: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(decisions[f"x{number}"] for number in range(_N_DECISIONS))


def _additive(rng: np.random.Generator) -> Reward:
    gains = rng.normal(size=(_N_DECISIONS, _N_VALUES))
    return lambda d: float(sum(gains[place, value] for place, value in enumerate(_flat(d))))


def _nk(k: int) -> Callable[[np.random.Generator], Reward]:
    def make(rng: np.random.Generator) -> Reward:
        others = [
            [place, *rng.choice([p for p in range(_N_DECISIONS) if p != place], k, replace=False)]
            for place in range(_N_DECISIONS)
        ]
        gains = rng.normal(size=(_N_DECISIONS, *[_N_VALUES] * (k + 1)))

        def reward(decisions: Mapping[str, Any]) -> float:
            values = _flat(decisions)
            return float(
                sum(
                    gains[(place, *(values[o] for o in others[place]))]
                    for place in range(len(others))
                )
            )

        return reward

    return make


def _plateaus(rng: np.random.Generator) -> Reward:
    smooth = _nk(1)(rng)
    return lambda d: float(np.floor(smooth(d)))


def _deceptive(rng: np.random.Generator) -> Reward:
    top = rng.integers(_N_VALUES, size=_N_DECISIONS)

    def reward(decisions: Mapping[str, Any]) -> float:
        away = sum(value != best for value, best in zip(_flat(decisions), top, strict=True))
        return float(_N_DECISIONS + 1 if away == 0 else away)

    return reward


def _noisy(rng: np.random.Generator) -> Reward:
    smooth = _nk(1)(rng)
    noise = rng.normal(scale=0.3, size=[_N_VALUES] * _N_DECISIONS)
    return lambda d: smooth(d) + float(noise[_flat(d)])


def _conditional(rng: np.random.Generator) -> Reward:
    base = rng.normal(size=_N_VALUES)
    gains = rng.normal(size=(_N_VALUES, _N_DECISIONS - 1, _N_VALUES))

    def reward(decisions: Mapping[str, Any]) -> float:
        family = decisions["family"]
        own = (decisions[f"f{family}_x{number}"] for number in range(_N_DECISIONS - 1))
        return float(base[family] + sum(gains[family, p, v] for p, v in enumerate(own)))

    return reward


_MAKERS: Mapping[str, Callable[[np.random.Generator], Reward]] = {
    "additive": _additive,
    "nk1": _nk(1),
    "nk3": _nk(3),
    "plateaus": _plateaus,
    "deceptive": _deceptive,
    "noisy": _noisy,
    "failing": _nk(1),
    "conditional": _conditional,
}
LANDSCAPES = tuple(_MAKERS)
"""The names of the landscapes."""
