"""The published import names for Keras: re-exports, no code of their own."""
