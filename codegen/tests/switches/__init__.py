"""Queries with more optional conditions than texts can be listed."""
