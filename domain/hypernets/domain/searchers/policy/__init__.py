"""Policies over sequences of decisions, with their gradients, in numpy."""
