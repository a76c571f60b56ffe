"""Search strategies that need no framework, one algorithm a module."""

from hypernets.domain.searchers.alphax import AlphaX
from hypernets.domain.searchers.bayesian_optimization import BayesianOptimization
from hypernets.domain.searchers.cost_order import CostOrderSearcher
from hypernets.domain.searchers.exhaustive import ExhaustiveSearcher
from hypernets.domain.searchers.grid import GridSearcher
from hypernets.domain.searchers.local_search import LocalSearch
from hypernets.domain.searchers.nsga2 import NSGA2
from hypernets.domain.searchers.parego import ParEGO
from hypernets.domain.searchers.playback import PlaybackSearcher
from hypernets.domain.searchers.policy_gradient import PolicyGradient
from hypernets.domain.searchers.portfolio import Portfolio
from hypernets.domain.searchers.quasi_random import QuasiRandomSearcher
from hypernets.domain.searchers.random import RandomSearcher
from hypernets.domain.searchers.regularized_evolution import RegularizedEvolution
from hypernets.domain.searchers.searcher import Proposal, Searcher
from hypernets.domain.searchers.strategy import Strategy
from hypernets.domain.searchers.tpe import TPE
from hypernets.domain.searchers.wrapper.constrained import Constrained
from hypernets.domain.searchers.wrapper.deduplicating import Deduplicating
from hypernets.domain.searchers.wrapper.replicating import ReplicatingSearcher
from hypernets.domain.searchers.wrapper.warm_start import WarmStart

__all__ = [
    "NSGA2",
    "TPE",
    "AlphaX",
    "BayesianOptimization",
    "Constrained",
    "CostOrderSearcher",
    "Deduplicating",
    "ExhaustiveSearcher",
    "GridSearcher",
    "LocalSearch",
    "ParEGO",
    "PlaybackSearcher",
    "PolicyGradient",
    "Portfolio",
    "Proposal",
    "QuasiRandomSearcher",
    "RandomSearcher",
    "RegularizedEvolution",
    "ReplicatingSearcher",
    "Searcher",
    "Strategy",
    "WarmStart",
]
