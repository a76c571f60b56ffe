"""A search on real images, to see the library work and to copy from."""
