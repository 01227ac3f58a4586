"""Data sets of any size, with queries and their true plans."""
