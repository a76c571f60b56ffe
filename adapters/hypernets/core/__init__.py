"""The published import names of the core: re-exports, no code of their own."""
