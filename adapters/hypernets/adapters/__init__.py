"""Everything that touches the world: Keras, files, processes, the terminal."""
