"""Search strategies that need no framework, one algorithm a module."""

from hypernets.domain.searchers.alphax import AlphaX
from hypernets.domain.searchers.bayesian_optimization import BayesianOptimization
from hypernets.domain.searchers.cost_order import CostOrderSearcher
from hypernets.domain.searchers.exhaustive import ExhaustiveSearcher
from hypernets.domain.searchers.grid import GridSearcher
from hypernets.domain.searchers.local_search import LocalSearch
from hypernets.domain.searchers.nsga2 import NSGA2
from hypernets.domain.searchers.playback import PlaybackSearcher
from hypernets.domain.searchers.policy_gradient import PolicyGradient
from hypernets.domain.searchers.quasi_random import QuasiRandomSearcher
from hypernets.domain.searchers.random import RandomSearcher
from hypernets.domain.searchers.regularized_evolution import RegularizedEvolution
from hypernets.domain.searchers.searcher import Proposal, Searcher
from hypernets.domain.searchers.strategy import Strategy

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
    "Proposal",
    "QuasiRandomSearcher",
    "RandomSearcher",
    "RegularizedEvolution",
    "Searcher",
    "Strategy",
]
