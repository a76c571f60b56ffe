"""Published name of random search."""

from hypernets.domain.searchers.random import RandomSearcher

__all__ = ["RandomSearcher"]
