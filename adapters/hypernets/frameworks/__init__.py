"""The published import names of the frameworks: re-exports, no code of their own."""
