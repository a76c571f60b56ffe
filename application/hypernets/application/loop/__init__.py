"""The search loop: asks, answers from the history, evaluates, records, tells, announces."""

from hypernets.application.loop.artifact import Keeper
from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.fork import Fork
from hypernets.application.loop.search import Search

__all__ = ["Budget", "EndReason", "Fork", "Keeper", "Search"]
