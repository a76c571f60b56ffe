"""The published import names of the search strategies: re-exports, no code of their own."""
