"""A list of things to do, on Litestar."""
