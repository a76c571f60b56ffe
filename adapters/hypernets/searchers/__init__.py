"""The published import names of the search strategies: re-exports, no code of their own."""

from hypernets.domain.searchers import (
    NSGA2,
    AlphaX,
    BayesianOptimization,
    CostOrderSearcher,
    ExhaustiveSearcher,
    GridSearcher,
    LocalSearch,
    PlaybackSearcher,
    PolicyGradient,
    QuasiRandomSearcher,
    RandomSearcher,
    RegularizedEvolution,
    Strategy,
)

__all__ = [
    "NSGA2",
    "AlphaX",
    "BayesianOptimization",
    "CostOrderSearcher",
    "ExhaustiveSearcher",
    "GridSearcher",
    "LocalSearch",
    "PlaybackSearcher",
    "PolicyGradient",
    "QuasiRandomSearcher",
    "RandomSearcher",
    "RegularizedEvolution",
    "Strategy",
]
