"""Advice on queries and schemas that are valid but probably wrong."""

from aiosqlc.vet.run import vet

__all__ = ["vet"]
