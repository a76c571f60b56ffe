"""The search: what happens between a space, a searcher and an estimator, without any framework."""

from hypernets.application.in_process import (
    InlineExecutor,
    MemoryCatalogue,
    MemoryStore,
    SystemClock,
)
from hypernets.application.loop import Budget, EndReason, Fork, Search
from hypernets.application.loop.entry import search
from hypernets.application.registry import make_searcher, searcher_names

__all__ = [
    "Budget",
    "EndReason",
    "Fork",
    "InlineExecutor",
    "MemoryCatalogue",
    "MemoryStore",
    "Search",
    "SystemClock",
    "make_searcher",
    "search",
    "searcher_names",
]
