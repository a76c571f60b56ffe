"""Ready-made search spaces, each readable as its paper's figure."""
