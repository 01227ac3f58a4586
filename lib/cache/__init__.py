"""Responses cached in Redis until their sources change."""

from lib.cache.cache import Cache, Loaded

__all__ = ["Cache", "Loaded"]
