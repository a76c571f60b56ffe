"""Showing an architecture: as text, as Mermaid, as a picture; pure, with no program to call."""
