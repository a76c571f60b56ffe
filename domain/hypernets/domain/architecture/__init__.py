"""Deciding, and what comes of it: the architecture, its graph of layers, its signature."""
