"""A bookshop on FastAPI."""
