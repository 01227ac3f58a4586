"""Business rules of the catalog, and their transactions."""
