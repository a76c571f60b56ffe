"""The port of a search strategy; it belongs to the domain."""

from hypernets.domain.searchers.searcher import Proposal, Searcher

__all__ = ["Proposal", "Searcher"]
