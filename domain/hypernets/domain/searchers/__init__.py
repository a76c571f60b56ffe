"""Search strategies that need no framework, one algorithm a module."""

from hypernets.domain.searchers.random import RandomSearcher
from hypernets.domain.searchers.searcher import Proposal, Searcher

__all__ = ["Proposal", "RandomSearcher", "Searcher"]
