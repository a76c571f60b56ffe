"""The search loop: asks, answers from the history, evaluates, records, tells, announces."""

from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.search import Keeper, Search

__all__ = ["Budget", "EndReason", "Keeper", "Search"]
