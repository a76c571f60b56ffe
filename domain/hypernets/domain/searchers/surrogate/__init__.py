"""Models that predict what an architecture is worth, in numpy, and what they see of it."""
