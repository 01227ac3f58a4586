"""Answers kept in Redis until what they were made of changes."""

from lib.cache.cache import Cache, Loaded

__all__ = ["Cache", "Loaded"]
