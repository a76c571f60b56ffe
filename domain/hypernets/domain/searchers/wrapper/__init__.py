"""Searchers around a searcher: each adds one thing to whatever strategy it is given."""
