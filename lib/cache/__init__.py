"""Responses cached in Redis until the data behind them changes."""

from lib.cache.cache import Cache, Loaded

__all__ = ["Cache", "Loaded"]
