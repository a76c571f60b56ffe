"""Limits on what a network may cost, and what keeps within them."""

from hypernets.domain.architecture.limit.bound import CostBound, LeastCost
from hypernets.domain.architecture.limit.cost_limit import CostLimit
from hypernets.domain.architecture.limit.sampler import LimitedSampler

__all__ = ["CostBound", "CostLimit", "LeastCost", "LimitedSampler"]
